"""The questions of the report, answered in plain words from the views and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.verdicts import NOT_SEPARABLE, Verdict
from balmi.report.decomposition import parts_of
from balmi.report.headline import NOT_COMPARED
from balmi.report.performance import MAIN_METRIC, OWN, SINGLE, STACKED
from balmi.report.refusals import LABEL_TOPIC
from balmi.report.words import (
    brief,
    counted,
    decimal,
    joined,
    limits,
    percent,
    signed,
    with_limits,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.report.cohort import CohortView
    from balmi.report.information import InformationView
    from balmi.report.performance import Difference, PerformanceView
    from balmi.report.trust import TrustView

# The pairs that answer whether combining helps, in the order in which they are told.
PAIRS = (
    (OWN, SINGLE),
    (STACKED, SINGLE),
    (OWN, STACKED),
    (OWN, "concat-lr"),
    (OWN, "concat-mlp"),
)
MEANINGS = {
    (OWN, SINGLE): "The balanced network against one modality on its own",
    (STACKED, SINGLE): "Stacking linear models against one modality on its own",
    (OWN, STACKED): "The balanced network against stacking linear models",
    (OWN, "concat-lr"): "The balanced network against a linear model on all features",
    (OWN, "concat-mlp"): "The balanced network against a plain network on all features",
}
HOLM_LEVEL = 0.05
OUTCOMES = tuple(map(str, (Verdict.GAIN, Verdict.NONE, Verdict.LOSS)))
LISTED_PAIRS = 6


@dataclass(frozen=True)
class Statement:
    """A sentence, with the verdict that it rests on where it reports a difference."""

    text: str
    verdict: str | None = None


@dataclass(frozen=True)
class Answer:
    """A question, the short answer, and what it rests on."""

    question: str
    headline: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Tile:
    """A number for the top of the page, with what it is and what qualifies it."""

    label: str
    value: str
    note: str
    verdict: str | None = None


@dataclass(frozen=True)
class Views:
    """The views that the answers are made from."""

    cohort: CohortView
    performance: PerformanceView
    information: InformationView
    trust: TrustView


def key_differences(performance: PerformanceView) -> tuple[Difference, ...]:
    """Return the comparisons that answer whether combining helps, as far as they were made."""
    found = (performance.difference(*pair) for pair in PAIRS)
    return tuple(row for row in found if row is not None)


def ranking(view: InformationView) -> str | None:
    """Name the strongest and the weakest modality, or say that they are not separable."""
    if not view.label:
        return None
    if len(view.label) == 1:
        name = brief(view.label[0].modality)
        return f"Information could be estimated for {name} only, so there is nothing to rank."
    strongest, weakest = (brief(name or "") for name in (view.strongest, view.weakest))
    if view.strongest and view.weakest:
        return f"{strongest} carries the most information, {weakest} the least."
    if view.strongest:
        return f"{strongest} carries the most information; {_inseparable(view, view.strongest)}."
    if view.weakest:
        return f"{weakest} carries the least information; {_inseparable(view, view.weakest)}."
    return f"No modality stands apart from all others: {_inseparable(view, None)}."


def _inseparable(view: InformationView, apart: str | None) -> str:
    """Say which modalities are not separable, besides the one that is apart from all others."""
    rest = [row for row in view.contrasts if apart not in (row.first, row.second)]
    held = [row for row in rest if not row.separable]
    if len(held) == len(rest):
        return f"the {'modalities' if apart is None else 'others'} are {NOT_SEPARABLE}"
    if len(held) > LISTED_PAIRS:
        return f"{len(held)} of {len(rest)} pairs are {NOT_SEPARABLE}"
    if not held:  # every pair differs, and yet some show no information at all
        return f"those that show no information are {NOT_SEPARABLE}"
    named = [f"{brief(row.first)} and {brief(row.second)}" for row in held]
    return f"{'; '.join(named)} are {NOT_SEPARABLE}"


def _not_estimated(question: str, view: InformationView) -> Answer | None:
    """Say why no modality was estimated, or nothing where the table does not name them."""
    told = [row for row in view.refusals if row.topic == LABEL_TOPIC]
    statements = (
        Statement(f"{joined([brief(name) for name in row.which])}: {row.reason}.") for row in told
    )
    return Answer(question, "It could not be estimated.", tuple(statements)) if told else None


def _redundancy(views: Views) -> list[Statement]:
    """Say what the modality with the highest estimate tells alone, and what others tell too."""
    view = views.information
    top = max(view.label, key=lambda row: row.estimate)
    parts = parts_of(view.parts, top.modality, rest=len(views.cohort.modalities) > 2)
    if parts is None or top.exceeds is False:
        return []
    both, alone = parts.redundant, parts.unique_first
    if both is None or alone is None:
        return []
    others = "the others together" if parts.rest else brief(parts.second)
    told = f"{with_limits(both.estimate, both.lower, both.upper)} nats are told by {others} too"
    only = f"{with_limits(alone.estimate, alone.lower, alone.upper)} by it alone"
    if not alone.shown:
        only = "nothing is shown to be told by it alone"
    return [Statement(f"Of what {brief(top.modality)} tells, {told}, and {only}.")]


def _which_modality(views: Views) -> Answer | None:
    view = views.information
    question = "Which modality carries the information?"
    if not view.label:
        return _not_estimated(question, view)
    statements = []
    for row in sorted(view.label, key=lambda row: -row.estimate):
        amount = with_limits(row.estimate, row.lower, row.upper)
        share = "" if row.share is None else f", {percent(row.share)} of the label's entropy"
        statements.append(Statement(f"{brief(row.modality)}: {amount} nats{share}."))
    nulls = {row.exceeds for row in view.label}
    if view.inside_null:
        names = joined([brief(name) for name in view.inside_null])
        text = f"Not above what permuted labels give: {names}. No information is shown there."
        statements.append(Statement(text))
    elif nulls == {True}:
        every = len(view.label) == len(views.cohort.modalities)
        which = "Every modality" if every else "Every modality with enough samples"
        statements.append(Statement(f"{which} exceeds what permuted labels give."))
    if view.balance is not None:
        statements.append(Statement(view.balance.sentence))
    statements += _redundancy(views)
    return Answer(question, views.trust.reason or ranking(view) or "", tuple(statements))


def _told(row: Difference) -> Statement:
    amount = with_limits(row.difference, row.lower, row.upper, signed)
    meaning = MEANINGS[row.method, row.reference]
    return Statement(f"{meaning} ({row.method} − {row.reference}): {amount}", row.verdict)


def _compared(performance: PerformanceView) -> str:
    """Tell the verdicts that decide, method by method."""
    told = [
        f"{row.method} against {row.reference}: {row.verdict or 'no interval'}"
        for row in (performance.difference(*pair) for pair in PAIRS[:3])
        if row is not None
    ]
    return f"{'; '.join(told)}." if told else NOT_COMPARED


def _corrected(rows: Sequence[Difference]) -> str:
    """Say that verdicts stand for single intervals, and which gains outlast their number."""
    text = "Differences of macro-F1 over the same folds; each verdict is that of its own interval."
    gains = [row for row in rows if row.verdict == Verdict.GAIN]
    if not gains:
        return text
    kept = sum(row.p_holm is not None and row.p_holm <= HOLM_LEVEL for row in gains)
    text += f" Corrected for their number, {kept} of {counted(len(gains), 'gain')}"
    return f"{text} {'has' if kept == 1 else 'have'} a p of at most {HOLM_LEVEL} (Holm)."


def _does_combining_help(views: Views) -> Answer | None:
    performance = views.performance
    if not performance.methods or len(views.cohort.modalities) < 2:
        return None
    rows = key_differences(performance)
    statements = [_told(row) for row in rows]
    lacking = [row for row in performance.not_ok if row.name in (OWN, STACKED, SINGLE)]
    statements += [
        Statement(f"{row.name} gave no result and is compared with nothing.") for row in lacking
    ]
    if rows:
        statements.append(Statement(_corrected(rows)))
        if OWN in {row.method for row in rows}:
            text = f"{OWN} pools networks with the linear stack, as section 4 tells: its gain over"
            statements.append(Statement(f"{text} one modality is not that of the networks alone."))
    if performance.log_loss is not None:
        row = performance.log_loss
        amount = with_limits(row.difference, row.lower, row.upper, signed)
        text = f"In log-loss, where less is better ({row.method} − {row.reference}): {amount}"
        statements.append(Statement(text, row.verdict))
    told = views.trust.reason or _compared(performance)
    return Answer("Does combining modalities help?", told, tuple(statements))


def _resolution(performance: PerformanceView) -> Statement | None:
    """Say how wide the deciding intervals are, and so what these folds cannot show."""
    rows = [row for row in key_differences(performance) if row.lower is not None]
    if not rows:
        return None
    halves = sorted({f"±{decimal((row.upper - row.lower) / 2)}" for row in rows})
    width = halves[0] if len(halves) == 1 else f"{halves[0]} to {halves[-1]}"
    return Statement(
        f"The intervals of the differences reach {width} macro-F1; a true difference smaller than"
        " that is unlikely to be shown by these folds."
    )


def _sample_statements(cohort: CohortView) -> list[Statement]:
    statements = []
    lacking = cohort.samples - cohort.complete
    if lacking:
        share = percent(lacking / cohort.samples)
        verb = "lacks" if lacking == 1 else "lack"
        text = f"{counted(lacking, 'sample')} ({share}) {verb} at least one modality."
        statements.append(Statement(text))
    lost = joined([f"{count} {what}" for what, count in cohort.dropped if count])
    if lost:
        statements.append(Statement(f"Left out: {lost}. Do the ids of all tables agree?"))
    return statements


def _can_it_be_trusted(views: Views) -> Answer:
    cohort, performance = views.cohort, views.performance
    statements = _sample_statements(cohort)
    if performance.design.total:
        shared = "Folds share training samples; the intervals are widened for it."
        statements.append(Statement(f"{performance.design.sentence} {shared}"))
    resolution = _resolution(performance)
    if resolution is not None:
        statements.append(resolution)
    for row in performance.not_ok:
        state = row.status.replace("_", " ")
        statements.append(Statement(f"{row.name} ({state}): {row.reason or 'no reason given'}"))
    failed = [row.name for row in performance.not_ok if row.status == "failed"]
    fate = f"{joined(failed)} failed" if failed else "no method failed"
    lead = f"{views.trust.sentence.removesuffix('.')}; {fate}."
    return Answer("Can the answer be trusted?", lead, tuple(statements))


def distillation(view: InformationView) -> str | None:
    """Say whether distillation is predicted to help, None where no margin was estimated."""
    if not view.margins:
        return None
    helped = sum(row.advised for row in view.margins)
    seen = [row.outcome for row in view.margins if row.outcome in OUTCOMES]
    gained = sum(word == Verdict.GAIN for word in seen)
    observed = f" Observed: a gain is supported for {gained} of {len(seen)}." if seen else ""
    if not helped:
        return (
            "Distillation is not predicted to help: no teacher and student that both show"
            f" information have a margin whose interval lies above zero.{observed}"
        )
    able = counted(sum(row.obstacle is None for row in view.margins), "pair")
    return (
        f"Distillation is predicted to help for {helped} of {able} of teacher and student that both"
        f" show information.{observed}"
    )


def _predicted(view: InformationView) -> list[Statement]:
    words: dict[str, list[str]] = {}
    for row in view.margins:
        words.setdefault(row.told, []).append(f"{brief(row.teacher)} → {brief(row.student)}")
    statements = []
    for word, pairs in words.items():
        listed = pairs[:LISTED_PAIRS]
        if len(pairs) > LISTED_PAIRS:
            listed.append(f"{len(pairs) - LISTED_PAIRS} more")
        statements.append(Statement(f"{word[0].upper()}{word[1:]}: {joined(listed)}."))
    return statements


def _does_distillation_help(views: Views) -> Answer | None:
    view = views.information
    told = distillation(view)
    if told is None:
        return None
    statements = [] if views.trust.failed else _predicted(view)
    if view.agreement is not None:
        statements.append(Statement(view.agreement.sentence))
    statements += _told_lessons(view)
    headline = views.trust.reason or told
    return Answer("Is distillation predicted to help?", headline, tuple(statements))


def _told_lessons(view: InformationView) -> list[Statement]:
    """Say what was distilled: each training part decides by its own margins."""
    if view.lessons is None:
        return []
    if not view.lessons:
        return [Statement("Nothing was distilled in the training of the balanced network.")]
    return [
        Statement(
            f"In the training of the balanced network, {brief(row.student)} learned from"
            f" {brief(row.teacher)} in {row.replicas} of {counted(row.of, 'fold')},"
            f" the teacher's share of the loss {decimal(row.strength)} on average."
        )
        for row in view.lessons
    ]


QUESTIONS: tuple[Callable[[Views], Answer | None], ...] = (
    _which_modality,
    _does_combining_help,
    _can_it_be_trusted,
    _does_distillation_help,
)


def answers(views: Views) -> tuple[Answer, ...]:
    """Answer the questions for which there are data."""
    found = (question(views) for question in QUESTIONS)
    return tuple(answer for answer in found if answer is not None)


def _strongest_tile(view: InformationView, withheld: bool) -> Tile:
    rows = {row.modality: row for row in view.label}
    row = rows.get(view.strongest) if view.strongest else None
    if row is None:
        top = max(view.label, key=lambda row: row.estimate)
        note = f"highest estimate: {brief(top.modality)}, {decimal(top.estimate)} nats"
        word = str(Verdict.WITHHELD) if withheld else NOT_SEPARABLE
        return Tile("Strongest modality", word, note)
    share = "" if row.share is None else f", {percent(row.share)} of the entropy"
    note = f"{with_limits(row.estimate, row.lower, row.upper)} nats{share}"
    return Tile("Strongest modality", brief(row.modality), note)


def _difference_tile(row: Difference) -> Tile:
    note = f"from {limits(row.lower, row.upper, signed)}"
    return Tile(f"{row.method} − {row.reference}", signed(row.difference), note, row.verdict)


def tiles(views: Views) -> tuple[Tile, ...]:
    """Return the four tiles; where a comparison was not made, the next best fact."""
    cohort, performance = views.cohort, views.performance
    rarest = cohort.rarest
    modalities = counted(len(cohort.modalities), "modality", "modalities")
    classes = counted(len(cohort.classes), "class", "classes")
    note = f"{classes}, {modalities}; rarest class {brief(rarest.name)}: {rarest.count}"
    found = [Tile("Samples", f"{cohort.samples:,}", note)]
    if len(views.information.label) > 1:
        found.append(_strongest_tile(views.information, bool(views.trust.failed)))
    found += [_difference_tile(row) for row in key_differences(performance) if row.method == OWN]
    for row in performance.methods:
        score = row.scores.get(MAIN_METRIC)
        if score is not None and score.mean is not None:
            note = f"from {limits(score.lower, score.upper)}"
            found.append(Tile(f"macro-F1 of {row.name}", decimal(score.mean), note))
    return tuple(found[:4])
