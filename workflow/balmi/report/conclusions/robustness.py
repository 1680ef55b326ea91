"""What is said of robustness: of worse test samples, fewer training samples, and controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.at_chance import Reading
from balmi.evaluation.verdicts import Verdict
from balmi.numerals import counted, decimal, inflected, signed
from balmi.report.kit.words import brief, joined, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.robustness.view import ControlRow, Effect, Panel


def _changed(effect: Effect, what: str) -> str:
    """Say what a change does where its interval excludes zero."""
    falls = (effect.verdict == Verdict.LOSS) == effect.metric.more_is_better
    verb = "falls" if falls else "rises"
    return f"{what} {effect.metric.name} {verb} by {effect.difference.size}"


def lost(effects: Sequence[Effect], clause: str, act: str) -> tuple[str, ...]:
    """Say which lost modalities matter to the first method, and which are not shown to."""
    if not effects:
        return ()
    method = effects[0].method
    mine = [effect for effect in effects if effect.method == method]
    clear = [effect for effect in mine if effect.verdict in (Verdict.LOSS, Verdict.GAIN)]
    unclear = [effect for effect in mine if effect.verdict == Verdict.NONE]
    parts = [_changed(effect, f"{clause} {brief(effect.modality)}") for effect in clear]
    if unclear:
        names = joined([brief(effect.modality) for effect in unclear], "or")
        parts.append(f"{act} {names} is not shown to matter")
    if not parts:
        return ("One fold gives no interval, so nothing is shown.",)
    text = "; ".join(parts)
    return (f"For {method}: {text[0].lower()}{text[1:]}.",)


HARMED = (
    "For {method}, noise on {modality} is shown to harm from {least} on: at {most:g} the"
    " difference is {difference}."
)
UNHARMED = "For {method}, noise on {modalities} is not shown to harm up to {most}."


def _deviations(level: float) -> str:
    return f"{level:g} {inflected(level, 'standard deviation', 'standard deviations')}"


def noisy(panels: Sequence[Panel]) -> tuple[str, ...]:
    """Say from which noise on the score is worse, for the first method of every modality."""
    sentences, unharmed = [], []
    for panel in panels:
        sweep, name = panel.sweeps[0], brief(panel.modality)
        changed = [effect for effect in sweep.effects if not effect.whole]
        worse = [effect for effect in changed if effect.verdict == Verdict.LOSS]
        if not worse:
            unharmed.append(name)
            continue
        last = changed[-1]
        text = HARMED.format(
            method=sweep.method,
            modality=name,
            least=_deviations(worse[0].level),
            most=last.level,
            difference=last.difference.told(signed),
        )
        sentences.append(text)
    if unharmed:
        text = UNHARMED.format(
            method=panels[0].sweeps[0].method,
            modalities=joined(unharmed, "or"),
            most=_deviations(panels[0].levels[-1]),
        )
        sentences.append(text)
    return tuple(sentences)


# By the verdict on the largest share below all.
MORE_SAMPLES = {
    str(Verdict.LOSS): (
        " With {share} it is still {worse} than with all: more samples are likely to help."
    ),
    str(Verdict.NONE): " With {share} no difference from all is shown.",
}
NO_SHARE = (
    " At no share is a difference from all shown: these folds are too few to say how many samples"
    " are needed."
)


def fewer(panel: Panel | None) -> tuple[str, ...]:
    """Say for every method whether its curve still rises at the largest share below all."""
    sentences = []
    for sweep in panel.sweeps if panel else ():
        changed = [effect for effect in sweep.effects if not effect.whole]
        if not changed:
            continue
        least, last = changed[0], changed[-1]
        text = f"{sweep.method} with {percent(least.level)} of the training samples:"
        text += f" {least.metric.name} {decimal(least.value.estimate)}, a difference of"
        text += f" {least.difference.told(signed)} from all."
        flat = all(effect.verdict == Verdict.NONE for effect in changed)
        ending = NO_SHARE if flat else MORE_SAMPLES.get(last.verdict or "", "")
        worse = least.metric.direction.worse
        sentences.append(text + ending.format(share=percent(last.level), worse=worse))
    return tuple(sentences)


READINGS = {
    Reading.LEAKS: "Above chance on data without signal: {}. Something leaks.",
    Reading.DOUBTFUL: (
        "Above chance by the 95 % limit, and within the 99 % one: {}. Without a leak one control in"
        " forty is."
    ),
    Reading.WIDE: (
        "No control is shown to be above chance, but intervals are too wide to exclude a leak: {}."
    ),
}


def at_chance(rows: Sequence[ControlRow]) -> tuple[str, ...]:
    """Say what the worst of the controls say."""
    for reading, text in READINGS.items():
        named: dict[str, list[str]] = {}
        for row in rows:
            if row.reading is reading:
                named.setdefault(row.meaning, []).append(row.method)
        if named:
            which = "; ".join(f"{joined(methods)} on {data}" for data, methods in named.items())
            return (text.format(which),)
    unknown = sum(row.reading is Reading.UNKNOWN for row in rows)
    if unknown:
        return (f"{counted(unknown, 'control')} of {len(rows)} cannot be judged.",)
    return ("All controls are compatible with chance: there is no sign of a leak.",) if rows else ()
