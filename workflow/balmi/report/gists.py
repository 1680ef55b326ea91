"""The sentence that stands for a section while the rest of it is closed, from its view alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.numerals import beside, counted, with_limits
from balmi.report.conclusions.classes import hardest
from balmi.report.kit.words import brief, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.report.view import View

LISTED = 4  # modalities in a sentence


def _cohort(view: View) -> str:
    cohort = view.cohort
    classes = counted(len(cohort.classes), "class", "classes")
    every = "1 has" if cohort.complete == 1 else f"{cohort.complete:,} have"
    if cohort.complete == cohort.samples:
        every = "all have"
    return f"{cohort.counted} in {classes}; {every} every modality."


def _performance(view: View) -> str:
    performance = view.performance
    if not performance.methods:
        return "No method gave a result."
    best, metric = performance.methods[0], performance.metric
    score = best.scores.get(metric.key)
    if score is None or score.mean is None:
        return f"{counted(len(performance.methods), 'method')} gave results."
    amount = with_limits(score.mean, score.lower, score.upper)
    which = f"{metric.direction.best} {metric.title}"
    which = which[0].upper() + which[1:]
    of = counted(len(performance.methods), "row")
    told = f"{which} of the {of} of the table: {brief(best.name)}, {amount}."
    return f"{told} {hardest(performance.closeup)}".rstrip()


def _samples(view: View) -> str:
    return "No method gave a result." if view.samples is None else view.samples.sentence


def _information(view: View) -> str:
    return view.summary.conclusions[0].sentence


def _training(view: View) -> str:
    training = view.training
    if training is None:
        return "No network was trained."
    networks = counted(training.replicas, "network")
    longest = counted(training.longest, "epoch")
    return f"{brief(training.method)} trained {networks}, the longest for {longest}."


def _robustness(view: View) -> str:
    parts = [view.robustness.told[part] for part in ("dropped", "shuffled", "noise", "share")]
    sentences = [sentence for part in parts for sentence in part.sentences]
    reasons = (part.reason for part in parts if part.reason)
    return sentences[0] if sentences else next(reasons, "Data were not made worse.")


def _contributions(view: View) -> str:
    shares = view.contributions.shares
    if not shares:
        return view.contributions.reasons["contributions"]
    first = shares[0]
    if first.quiet is not None:
        return first.quiet
    rows = sorted(first.rows, key=lambda row: -abs(row.shapley.estimate))
    values = [
        beside(row.shapley.estimate, row.shapley.lower, row.shapley.upper) for row in rows[:LISTED]
    ]
    listed = [f"{brief(row.modality)} {each}" for row, each in zip(rows, values, strict=False)]
    if len(rows) > LISTED:
        listed.append(f"{len(rows) - LISTED} more")
    return f"Shapley values of {first.metric.title} for {first.method}: {joined(listed)}."


def _attribution(view: View) -> str:
    held = view.attribution.attributions
    if held is None:
        return view.attribution.reason
    classes = counted(len(view.summary.classes), "class", "classes")
    return next(iter(held.sentences), f"Features by attribution, for {classes}.")


def _provenance(view: View) -> str:
    return "What made these numbers: versions, seeds, configuration, tables and the final model."


GISTS: dict[str, Callable[[View], str]] = {
    "cohort": _cohort,
    "performance": _performance,
    "samples": _samples,
    "information": _information,
    "training": _training,
    "robustness": _robustness,
    "contributions": _contributions,
    "attribution": _attribution,
    "provenance": _provenance,
}
