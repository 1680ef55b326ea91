"""The sentences on the page of a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from balmi.data.together import apart
from balmi.evaluation.at_chance import CHANCE, RANKING
from balmi.numerals import counted, inflected, with_limits
from balmi.prediction.shares import other_shares
from balmi.prediction.unproven import UNPROVEN, USELESS, unproven
from balmi.prediction.untried import untested, what_is_known
from balmi.report.kit.drawing import Mark
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import brief, joined, percent
from balmi.report.predictions.rows import is_trained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.prediction.external import External, Labelled
    from balmi.prediction.untried import Untried
    from balmi.report.predictions.view import ExternalView, ModalityRow

MOST_ROWS = 300  # of the table of predictions; all are in the download
MOST_UNTRIED = 3  # patterns of modalities that stand in sentences; others are in the remarks
MOST_SHARES = 3  # classes in other shares that stand in a sentence; all are in the table
WRONG = Mark("wrong", "✕", "cross", "loss")


def wrong_calls(held: Labelled, rows: int) -> str:
    """Return how many calls are wrong, in a sentence; of more than `MOST_ROWS` rows a part shows.

    Parameters
    ----------
    held
        The samples of known class; training samples of the model are none of them.
    rows
        Rows of the table of predictions.
    """
    count = int((held.predicted != held.labels).sum())
    of = counted(len(held.labels), "new sample") + " with a known class"
    if not count:
        return f"None of {of} is called another class."
    verb = inflected(count, "is", "are")
    share = percent(count / len(held.labels))
    shown = f"the first {counted(MOST_ROWS, 'row')}" if rows > MOST_ROWS else "the table"
    return (
        f"{count:,} of {of} ({share}) {verb} called another class, and marked as"
        f" {WRONG.word} in {shown} of predictions."
    )


def _inside(about: Mapping[str, Any]) -> list[str]:
    """Return how the model's method did in the cross-validation, where new classes are unknown."""
    evaluation = about["evaluation"]
    rows = {row["metric"]: row for row in evaluation["summary"] if row.get("class") is None}
    row = rows.get(evaluation["primary"])
    if row is None or evaluation.get("other") is not None:
        return []
    score = with_limits(row["mean"], row["lower"], row["upper"])
    where = f"In the cross-validation of {brief(about['model']['dataset'])}"
    return [
        f"{where}, {metric_of(row['metric']).title} was {score}. What the model must not be used"
        " for stands in its CARD.md."
    ]


def at_chance(
    evaluation: Mapping[str, Any], found: External | None
) -> dict[str, str | None] | None:
    """Return what is concluded of a model that the cross-validation does not show to predict.

    Parameters
    ----------
    evaluation
        How its method performed there.
    found
        The validation, which may show what the cross-validation does not; None without one.
    """
    score = unproven(evaluation)
    if score is None:
        return None
    scores = () if found is None else found.metrics
    lowest = next((each.external.lower for each in scores if each.metric == RANKING), None)
    shown = lowest is not None and lowest > CHANCE
    advice = "the new samples do, which may be easier" if shown else USELESS
    return {"sentence": f"{UNPROVEN}: {advice}.", "value": score, "state": None}


def _other_shares(about: Mapping[str, Any], table: pd.DataFrame) -> list[str]:
    """Return a sentence on classes that are called more or less often than samples explain."""
    model, new = about["model"], table[~is_trained(table)]
    names, counts = list(map(str, model["classes"])), new["class"].value_counts()
    # Not in files of 0.2.0, nor where what was tested is another method: class frequencies are no
    # substitute, since a rule need not call classes as often as they occur.
    expected = about["evaluation"].get("called")
    if not expected:
        return []
    units = new["group"].nunique() + int(new["group"].isna().sum())
    called = {name: int(counts.get(name, 0)) for name in names}
    found = other_shares(called, units, expected, model["samples"])[:MOST_SHARES]
    if not found:
        return []
    known = new["label"].dropna()
    parts = []
    for each in found:
        limits = f"{percent(each.lower)} to {percent(each.upper)}"
        part = f"{brief(each.name)} for {percent(each.share)} ({limits}) instead of"
        part = f"{part} {percent(each.expected)}"
        if len(known):
            share = percent((known == each.name).mean())
            part += f", and of {counted(len(known), 'sample')} with a known class {share} are of it"
        parts.append(part)
    return [
        "Classes are called in other shares than for held-out samples of the cross-validation:"
        f" {'; '.join(parts)}. The population may differ; if not, look at units,"
        " and at samples unlike those of training. Probabilities assume the"
        " class frequencies of training."
    ]


def remarks(about: Mapping[str, Any], rest: Sequence[Untried]) -> tuple[str, ...]:
    """Return what was accepted, without what a sentence below the headline says.

    Parameters
    ----------
    about
        What was written beside the predictions.
    rest
        The patterns of modalities that were not tested.
    """
    said = untested(f"predict.{about['name']}", rest[:MOST_UNTRIED], about["evaluation"])
    return tuple(line for line in about["remarks"] if line not in said)


def supports(
    about: Mapping[str, Any],
    table: pd.DataFrame,
    rest: Sequence[Untried],
    modalities: tuple[ModalityRow, ...],
    external: ExternalView | None,
) -> list[str]:
    """Return the sentences below the headline.

    Parameters
    ----------
    about, table
        What was written beside the predictions, and these.
    rest
        As `remarks` has it.
    modalities
        What was understood of each.
    external
        The validation, where classes are known.
    """
    told = [] if external is None else [external.sentence, external.wrong]
    for each in rest[:MOST_UNTRIED]:
        found, known = what_is_known(each, about["evaluation"])
        told.append(f"{found}: {known}.")
    told += [] if external is not None else _inside(about)
    if about["trained_on"]:
        told.append(
            f"{about['trained_on']} of the samples are training samples of the model, by their"
            " measurements: what is said of them is no evidence, and none of them is scored here."
        )
    told += _other_shares(about, table)
    given = [row.name for row in modalities if row.samples]
    lacking = [row.name for row in modalities if not row.samples]
    told.append(
        f"The files hold {joined(given)}"
        + (
            f"; for {joined(lacking)}, which they lack, other experts stand in."
            if lacking
            else ", all modalities of the model."
        )
    )
    if len(given) > 1:
        whole = int((table["modalities"].map(apart).str.len() == len(given)).sum())
        told.append(f"{whole:,} of {counted(about['samples'], 'sample')} have all of them.")
    if about["judged"]:
        told.append(
            f"{about['flagged']} of {counted(about['judged'], 'sample')}"
            f" ({percent(about['flagged'] / about['judged'])}) look unlike the training samples. Of"
            " samples like those, at most one in twenty would."
        )
    else:
        told.append("Training samples were too few to say which new samples look unlike them.")
    odd = [row.name for row in modalities if row.unit]
    if odd:
        told.append(f"{joined(odd)} may be in another unit than in training: see below.")
    return told
