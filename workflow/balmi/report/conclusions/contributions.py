"""What modalities add to a score, by their Shapley values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.verdicts import Verdict, verdict
from balmi.numerals import decimal
from balmi.report.kit.words import brief, joined

if TYPE_CHECKING:
    from balmi.report.sections.contributions.view import Contribution, Shares

TOTAL = (
    "{method} has {metric} {whole} with all modalities and {nothing} from class frequencies alone;"
    " the Shapley values share out the difference and sum to {sum}."
)


@dataclass(frozen=True)
class Said:
    """Words for a modality that helps, that is not shown to, and that harms."""

    helps: str
    idle: str
    harms: str


# By whether more of the metric is better.
SAID = {
    True: Said("adds", "to add anything", "to take away"),
    False: Said("takes off", "to take anything off", "to add to it"),
}


def _by_verdict(shares: Shares) -> dict[Verdict, list[Contribution]]:
    """Return the modalities by whether they help, where they have an interval."""
    rows: dict[Verdict, list[Contribution]] = {word: [] for word in Verdict}
    for row in shares.rows:
        lower, upper = row.shapley.lower, row.shapley.upper
        if lower is not None and upper is not None:
            more = shares.metric.more_is_better
            rows[verdict(lower, upper, more_is_better=more)].append(row)
    return rows


def added(shares: Shares) -> str:
    """Say what each modality adds to a score.

    Parameters
    ----------
    shares
        How a method's score is shared out among modalities.
    """
    text = TOTAL.format(
        method=shares.method,
        metric=shares.metric.name,
        whole=decimal(shares.whole),
        nothing=decimal(shares.nothing),
        sum=decimal(shares.sum),
    )
    rows, said = _by_verdict(shares), SAID[shares.metric.more_is_better]
    shown = sorted(rows[Verdict.GAIN], key=lambda row: -abs(row.shapley.estimate))
    parts = [f"{brief(row.modality)} {said.helps} {row.shapley.size}" for row in shown]
    ends = {Verdict.NONE: f"not shown {said.idle}", Verdict.LOSS: f"shown {said.harms}"}
    for word, end in ends.items():
        if rows[word]:
            names = joined([brief(row.modality) for row in rows[word]])
            parts.append(f"{names} {'is' if len(rows[word]) == 1 else 'are'} {end}")
    return f"{text} Of it, {'; '.join(parts)}." if parts else text
