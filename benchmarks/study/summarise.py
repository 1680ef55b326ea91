"""Write the tables of the study as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from balmi.data.files import replace_when_written, write_table
from balmi.evaluation.statistics import holm
from balmi.evaluation.verdicts import Verdict, verdict
from checksums import record
from study.accept import F1, LOSS, STACKED, requirements
from study.compare import Cell, read_scores
from study.plan import DEFAULT, SHARE, SHUFFLED_LABELS, WITHOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from balmi.evaluation.statistics import Interval
    from study.compare import Scores
    from study.plan import Cohort, Study

ABSENT = "–"
NOTHING = "None was run.\n"
LEVEL = 0.05
DIGITS = 3
RULES = "rule-uniform"
SIGNS = {F1: 1, LOSS: -1}  # 1 where more is better
TITLES = {F1: "macro-F1", LOSS: "log-loss (nats; less is better)"}
# What a difference says of the part that makes it.
EFFECTS = {Verdict.GAIN: "adds", Verdict.NONE: "nothing shown", Verdict.LOSS: "costs"}
NOT_AFTER_HOLM = ", but not after Holm"

ABOUT = """\
Differences are paired by fold; in brackets 95 % intervals, corrected for folds that share training
samples (Nadeau and Bengio 2003); with a training share, training samples are those that are used.
A mean over cohorts is the mean of their differences; its interval takes the cohorts for
independent, so that their squared standard errors add up. Cohorts that share patients, as the two
of TCGA-BRCA do, are not, and the interval is then too narrow. `†` marks differences that stand
after Holm's adjustment for all rows of the table, at .05; each column is adjusted by itself."""


def number(value: float | None, *, signed: bool = False) -> str:
    """Return three decimals without the sign of a zero, or a dash for None."""
    if value is None:
        return ABSENT
    rounded = round(value, DIGITS) + 0.0
    return f"{rounded:+.{DIGITS}f}" if signed and rounded else f"{rounded:.{DIGITS}f}"


def between(interval: Interval | None) -> str:
    """Return a difference with its interval."""
    if interval is None:
        return ABSENT
    limits = [number(each, signed=True) for each in (interval.mean, interval.lower, interval.upper)]
    return "{} ({} to {})".format(*limits)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are right-aligned."""
    rules = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, rules, *rows)) + "\n"


def stands(intervals: Sequence[Interval | None]) -> list[bool]:
    """Return which differences stand after Holm's adjustment; None was not compared."""
    found = [each for each in intervals if each is not None]
    adjusted = iter(holm([each.p for each in found]))
    return [each is not None and next(adjusted) <= LEVEL for each in intervals]


def called(interval: Interval | None, metric: str) -> Verdict | None:
    """Return what an interval supports, with more or less better as the metric says."""
    if interval is None:
        return None
    limits = sorted(SIGNS[metric] * each for each in (interval.lower, interval.upper))
    return verdict(*limits)


def effect(interval: Interval | None, metric: str, *, stands: bool) -> str:
    """Return in plain words what a part does."""
    found = called(interval, metric)
    if found is None:
        return ABSENT
    return EFFECTS[found] + ("" if stands or found is Verdict.NONE else NOT_AFTER_HOLM)


def compared(
    rows: Mapping[str, tuple[str, str]],
    told: Mapping[str, str],
    columns: Sequence[str],
    mean: Sequence[str],
    scores: Scores,
    metric: str,
) -> str:
    """Return a table of differences: a row per pair of variants, a column per cohort.

    Parameters
    ----------
    rows
        Name of the row -> the two variants, first less second.
    told
        Name of the row -> what differs, in words.
    columns
        The cohorts.
    mean
        Those over which the mean is taken, and judged.
    scores
        All scores.
    metric
        The score.
    """
    cells = {name: [scores.gap(name, *pair, metric) for pair in rows.values()] for name in columns}
    means = [scores.gap(mean, *pair, metric) for pair in rows.values()]
    title = f"mean of {len(mean)}"
    shown = {**cells, title: means}
    marks = {name: stands(column) for name, column in shown.items()}
    lines = []
    for place, name in enumerate(rows):
        texts = [
            between(column[place]) + (" †" if marks[key][place] else "")
            for key, column in shown.items()
        ]
        word = effect(means[place], metric, stands=marks[title][place])
        lines.append([f"`{name}`", told[name], *texts, word])
    return markdown(["", "what differs", *shown, f"{title}, in words"], lines)


def _unchanged(study: Study) -> list[str]:
    return [name for name, cohort in study.cohorts.items() if cohort.change is None]


def _acceptance(study: Study, scores: Scores) -> str:
    wanted = requirements(study, scores)
    words = {True: "yes", False: "no", None: "not measured"}
    rows = [
        (
            each.what,
            each.required,
            number(each.value, signed=True),
            between(each.interval),
            words[each.met],
            ABSENT if each.met is not False else f"by {number(-each.margin)}",
        )
        for each in wanted
    ]
    met, judged = (sum(each.met is value for each in wanted) for value in (True, False))
    head = f"Reached: {met} of {met + judged} that were measured; {len(wanted)} in all.\n\n"
    return head + markdown(("what", "required", "measured", "interval", "met", "missed"), rows)


def _methods(study: Study, scores: Scores) -> str:
    """Return every method beside stacking, a table per cohort."""
    parts = []
    for cohort in _unchanged(study):
        # A method may report parts of itself, as `unimodal-lr/rna`.
        names = [
            name
            for name in scores.variants(cohort)
            if not study.variants[name.partition("/")[0]].told
        ]
        gaps = {
            metric: [
                None if name == STACKED else scores.gap(cohort, name, STACKED, metric)
                for name in names
            ]
            for metric in SIGNS
        }
        marks = {metric: stands(each) for metric, each in gaps.items()}
        lines = []
        for place, name in enumerate(names):
            line = [f"`{name}`"]
            for metric, column in gaps.items():
                mark = " †" if marks[metric][place] else ""
                line += [number(scores.mean(Cell(cohort, name), metric))]
                line += [between(column[place]) + mark, called(column[place], metric) or ABSENT]
            lines.append(line)
        heads = [[title, f"less `{STACKED}`", "verdict"] for title in ("macro-F1", "log-loss")]
        parts.append(f"### {cohort}\n\n{markdown(['method', *heads[0], *heads[1]], lines)}")
    return "\n".join(parts)


def _differences(study: Study, scores: Scores, *, rules: bool) -> str:
    """Return what the parts of the default do, or the rules beside the uniform one."""
    chosen = {
        name: variant
        for name, variant in study.variants.items()
        if variant.told and name != RULES and (variant.reference == RULES) is rules
    }
    told = {
        name: variant.told
        + ("" if variant.reference in (DEFAULT, RULES) else f" (`{variant.reference}` less this)")
        for name, variant in chosen.items()
    }
    pairs = {
        name: (name, variant.reference) if rules else (variant.reference, name)
        for name, variant in chosen.items()
    }
    if not chosen:
        return NOTHING
    columns = _unchanged(study)
    mean = study.real or columns
    return "\n".join(
        f"### {TITLES[metric]}\n\n" + compared(pairs, told, columns, mean, scores, metric)
        for metric in SIGNS
    )


def _beside(cohort: Cohort) -> str | None:
    """Return the cohort beside which a control stands; None for what is no control."""
    if cohort.change in ("noise", "shuffled"):
        return f"{cohort.base}-{WITHOUT}"
    return cohort.base if cohort.change in ("duplicated", WITHOUT) else None


def _controls(study: Study, scores: Scores) -> str:
    lines = []
    for name, cohort in study.cohorts.items():
        beside = _beside(cohort)
        if beside is None:
            continue
        for variant in cohort.variants:
            pair = Cell(name, variant), Cell(beside, variant)
            texts = [
                between(scores.difference([pair], metric)) if beside in study.cohorts else ABSENT
                for metric in SIGNS
            ]
            lines.append([f"{name} less {beside}", f"`{variant}`", *texts])
    return markdown(["cohorts", "variant", "macro-F1", "log-loss"], lines) if lines else NOTHING


def _permuted(study: Study, scores: Scores) -> str:
    lines = []
    for name, cohort in study.cohorts.items():
        if cohort.change != SHUFFLED_LABELS:
            continue
        for variant in cohort.variants:
            interval = scores.interval(Cell(name, variant), "macro_auroc", chance=0.5)
            held = interval is not None and interval.lower <= 0 <= interval.upper
            word = ABSENT if interval is None else "at chance" if held else "not at chance"
            means = [number(scores.mean(Cell(name, variant), metric)) for metric in SIGNS]
            lines.append([name, f"`{variant}`", *means, between(interval), word])
    heads = ["cohort", "variant", "macro-F1", "log-loss", "macro-AUROC less .5", "verdict"]
    return markdown(heads, lines) if lines else NOTHING


def _shares(study: Study, scores: Scores) -> str:
    lines = []
    bases = dict.fromkeys(each.base for each in study.cohorts.values() if each.change)
    for name, cohort in study.cohorts.items():
        whole = cohort.change is None and cohort.base in bases
        if not whole and not (cohort.change or "").startswith(f"{SHARE}-"):
            continue
        line = [cohort.base, f"{cohort.evaluation.training_share:g}"]
        for metric in SIGNS:
            interval = scores.gap(name, DEFAULT, STACKED, metric)
            means = [number(scores.mean(Cell(name, each), metric)) for each in (DEFAULT, STACKED)]
            line += [*means, between(interval), called(interval, metric) or ABSENT]
        lines.append(line)
    lines.sort(key=lambda line: (list(bases).index(line[0]), float(line[1])))
    heads = [
        [f"{title}, `{DEFAULT}`", f"`{STACKED}`", "difference", "verdict"]
        for title in ("macro-F1", "log-loss")
    ]
    return markdown(["cohort", "share", *heads[0], *heads[1]], lines) if lines else NOTHING


def _statuses(ends: pd.DataFrame) -> str:
    bad = ends[ends["status"] != "ok"]
    if bad.empty:
        return "Every method ended well.\n"
    columns = ["cohort", "variant", "status", "reason"]
    return markdown(columns, bad[columns].fillna(ABSENT).astype(str).to_numpy().tolist())


def summarise(study: Study, scores: Scores, ends: pd.DataFrame) -> str:
    """Return the tables of a phase as Markdown.

    Parameters
    ----------
    study
        The phase.
    scores
        Its scores.
    ends
        How its methods ended: columns cohort, variant, status, reason.
    """
    evaluation = study.settings.evaluation
    seed = next(iter(study.cohorts.values())).evaluation.seed
    folds = f"{evaluation.repeats} repeats of {evaluation.folds} folds from seed {seed}"
    sections = {
        "What must be reached": _acceptance(study, scores),
        f"Methods beside `{STACKED}`": _methods(study, scores),
        f"What each part of `{DEFAULT}` does": (
            "The reference less the variant in which the part is left out or changed: what the part"
            f" adds.\n\n{_differences(study, scores, rules=False)}"
        ),
        "Balancing rules": (
            f"Rule less `{RULES}`, with one joint head and no other expert.\n\n"
            f"{_differences(study, scores, rules=True)}"
        ),
        "Controls": (
            "Noise and a shuffled modality are to be as good as none; a copy changes nothing.\n"
            f"\n{_controls(study, scores)}\nWith permuted labels nothing can be learned.\n\n"
            f"{_permuted(study, scores)}"
        ),
        "Fewer training samples": _shares(study, scores),
        "What did not end well": _statuses(ends),
    }
    head = (
        f"# Study, phase `{study.phase}`\n\nMade by `make study PHASE={study.phase}`; do not edit."
        f" {folds[0].upper()}{folds[1:]}.\n\n{ABOUT}\n"
    )
    return "\n".join([head, *(f"## {title}\n\n{text}" for title, text in sections.items())])


def write_summary(study: Study, folders: Sequence[str], scores: str, text: str) -> None:
    """Write all scores of a phase as one table, and its tables as Markdown.

    Parameters
    ----------
    study
        The phase.
    folders
        Folders of the cohorts' results.
    scores, text
        Files to write.
    """
    found, ends = read_scores(folders)
    write_table(found.table, scores)
    with replace_when_written(text) as part:
        Path(part).write_text(summarise(study, found, ends), encoding="utf-8")
    record(Path(scores))
