"""The view of mutual information: about the label, between modalities, and for distillation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from balmi.evaluation.verdicts import (
    NOT_SEPARABLE,
    PairedDifference,
    extremes,
    informative,
    stronger,
)
from balmi.numerals import counted
from balmi.report.conclusions.sharing import Standing
from balmi.report.kit.amounts import Amount, amount_of, by_pair, rows_by_quantity
from balmi.report.kit.words import combination, known
from balmi.report.sections.information.decomposition import (
    Balance,
    Parts,
    Share,
    balance_view,
    drawn_parts,
    parts_view,
    shares_view,
)
from balmi.report.sections.information.distillation import (
    Agreement,
    Lesson,
    Margin,
    agreement_of,
    drawn_margins,
    lessons_view,
    margins_view,
    withhold_margins,
)
from balmi.report.sections.information.label import LabelInformation
from balmi.report.sections.information.refusals import MAX_REFUSALS, Refusal, refusals_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.evaluation.verdicts import Extremes
    from balmi.report.kit.amounts import Row

MAX_SUBSETS = 10


@dataclass(frozen=True)
class Contrast:
    """How much more one modality knows of the label than another, in nats, paired by sample."""

    first: str
    second: str
    difference: Amount
    n: int
    withheld: str | None = None

    @property
    def verdict(self) -> str:
        """Which of the two knows more, or that they are not separable."""
        if self.withheld is not None:
            return self.withheld
        lower, upper = self.difference.lower, self.difference.upper
        if lower is None or upper is None:
            return NOT_SEPARABLE
        more = stronger(self.first, self.second, lower, upper)
        return NOT_SEPARABLE if more is None else f"{more} has more"

    @property
    def separable(self) -> bool:
        """Whether the interval excludes 0."""
        return self.verdict != NOT_SEPARABLE


@dataclass(frozen=True)
class Pair:
    """Information between two modalities, in nats, at `components` principal components each.

    Parameters
    ----------
    first, second
        Names of modalities.
    gaussian
        In the Gaussian model of their ranks (G).
    linear, nonlinear
        Along linear (K) and non-linear (N) canonical directions, or None.
    wide
        Along shared directions of all features (R), or None.
    composite, p
        The largest of the four, and its p-value; None where they were not estimated.
    n
        Samples that have both.
    components
        Principal components per modality, or None.
    seen_from
        Samples from which on a shared pair of directions would be seen, or None.
    """

    first: str
    second: str
    gaussian: Amount
    linear: float | None
    nonlinear: float | None
    wide: float | None
    composite: float | None
    p: float | None
    n: int
    components: int | None
    seen_from: int | None

    @property
    def unseen(self) -> bool:
        """Whether samples are too few for the features to see all that may be shared."""
        return self.seen_from is not None and self.n < self.seen_from


@dataclass(frozen=True)
class InformationView:
    """What the report tells about information.

    Parameters
    ----------
    entropy
        Entropy of the label in nats, None where the table lacks it.
    drawn
        Samples that everything was estimated on, and those of the cohort; None where these are
        the same.
    label
        In the order of the modalities.
    subsets
        Several modalities together, by falling estimate.
    strongest, weakest
        The modality whose paired difference from every other has an interval above (below) 0; None
        where they are not separable. The strongest also exceeds its null.
    contrasts, pairs, parts, shares
        As in the table.
    balance
        How evenly the modalities share what all of them know, or None.
    margins
        By falling margin.
    agreement
        Where predictions and observations agree; None where nothing was observed.
    lessons
        What was distilled; None where nothing was pretrained.
    refusals
        What was not estimated, and why.
    """

    entropy: float | None
    drawn: tuple[int, int] | None
    label: tuple[LabelInformation, ...]
    subsets: tuple[LabelInformation, ...]
    strongest: str | None
    weakest: str | None
    contrasts: tuple[Contrast, ...]
    pairs: tuple[Pair, ...]
    parts: tuple[Parts, ...]
    shares: tuple[Share, ...]
    balance: Balance | None
    margins: tuple[Margin, ...]
    agreement: Agreement | None
    lessons: tuple[Lesson, ...] | None
    refusals: tuple[Refusal, ...]

    @property
    def shown(self) -> bool:
        """Whether there is anything to tell."""
        parts = (self.label, self.subsets, self.pairs, self.parts, self.shares, self.margins)
        return any((*parts, self.refusals))

    @property
    def inside_null(self) -> tuple[str, ...]:
        """The modalities whose information does not exceed that of permuted labels."""
        return tuple(row.modality for row in self.label if row.exceeds is False)

    @property
    def main_subsets(self) -> tuple[LabelInformation, ...]:
        """The combinations that know most; the report has room for no more."""
        return self.subsets[:MAX_SUBSETS]

    @property
    def main_parts(self) -> tuple[Parts, ...]:
        """The pairs, and the modalities against all others, that are drawn."""
        return drawn_parts(self.parts)

    @property
    def main_margins(self) -> tuple[Margin, ...]:
        """The margins that are drawn."""
        return drawn_margins(self.margins)

    @property
    def main_refusals(self) -> tuple[Refusal, ...]:
        """The refusals that are listed."""
        return self.refusals[:MAX_REFUSALS]

    @property
    def unseen(self) -> str | None:
        """What is said where samples are too few to see all that pairs may share, or None."""
        faint = sum(pair.unseen for pair in self.pairs)
        if not faint:
            return None
        which = "" if faint == len(self.pairs) else f"{faint} of "
        return (
            f"{which}{counted(len(self.pairs), 'pair')}: more may be shared than stands there."
            " One shared pair of directions of correlation .8 is seen in four of five cohorts from"
            " so many samples on (seen from), where features vary alike, and these are fewer (n,"
            " at most information.largest). What lies in directions of much variance is seen with"
            " fewer. The limits of G are those of k components, not of all that is shared."
        )

    @property
    def pair_cells(self) -> dict[tuple[str, str], Pair]:
        """Every pair with a composite, in both orders."""
        pairs = [pair for pair in self.pairs if pair.composite is not None]
        both = {(pair.first, pair.second): pair for pair in pairs}
        return both | {(pair.second, pair.first): pair for pair in pairs}


def _separate(rows: Sequence[LabelInformation], differences: Sequence[Row]) -> Extremes:
    """Return the strongest and weakest modality, each only where it differs from every other."""
    contrasts = [
        PairedDifference(row["modality"], row["other"], row["lower"], row["upper"])
        for row in differences
    ]
    uninformative = {row.modality for row in rows if row.exceeds is False}
    return extremes({row.modality: row.estimate for row in rows}, contrasts, uninformative)


def _label_rows(
    rows: Mapping[str, Sequence[Row]], kind: str, entropy: float | None
) -> list[LabelInformation]:
    """Return what the modalities (`label`) or combinations (`subset`) know, as in the table."""
    ends = {row["modality"]: row["estimate"] for row in rows.get(f"{kind}_extrapolated", ())}
    made = []
    for row in rows.get(f"{kind}_information", ()):
        p, estimate = known(row["p_value"]), float(row["estimate"])
        made.append(
            LabelInformation(
                modality=row["modality"],
                estimate=estimate,
                lower=known(row["lower"]),
                upper=known(row["upper"]),
                extrapolated=ends.get(row["modality"]),
                null95=known(row["null95"]),
                p=p,
                n=int(row["n"]),
                share=max(0.0, estimate) / entropy if entropy else None,
                exceeds=None if p is None else informative(estimate, p),
            )
        )
    return made


def _whole(cell: object) -> int | None:
    """Return a cell as a whole number, or None where it is empty."""
    return None if pd.isna(cell) else int(cell)  # type: ignore[call-overload]


def _pairs(rows: Mapping[str, Sequence[Row]]) -> tuple[Pair, ...]:
    kinds = ("linear", "nonlinear", "wide", "composite")
    by_kind = {kind: by_pair(rows, f"pairwise_{kind}") for kind in kinds}
    made = []
    for pair, row in by_pair(rows, "pairwise_information").items():
        gaussian = amount_of(row)
        if gaussian is None:
            continue
        others = {kind: by_kind[kind].get(pair, {}) for kind in kinds}
        made.append(
            Pair(
                *pair,
                gaussian,
                **{kind: known(held.get("estimate")) for kind, held in others.items()},
                p=known(others["composite"].get("p_value")),
                n=int(row["n"]),
                components=_whole(row["components"]),
                seen_from=_whole(others["composite"].get("seen_from")),
            )
        )
    return tuple(made)


def _entropy(rows: Mapping[str, Sequence[Row]]) -> Row | None:
    """Return the row of the label's entropy: that which names no modality, if there is one."""
    entropies = sorted(rows.get("label_entropy", ()), key=lambda row: not pd.isna(row["modality"]))
    return entropies[0] if entropies else None


def information_view(
    information: pd.DataFrame,
    modalities: Sequence[str],
    plan: pd.DataFrame | None = None,
    complementarity: pd.DataFrame | None = None,
    samples: int | None = None,
) -> InformationView:
    """Make the view of information.

    Parameters
    ----------
    information
        The table of the contract.
    modalities
        Names in the cohort's order.
    plan
        Who taught whom, or None where nothing was pretrained.
    complementarity
        What distillation did beside what was predicted, or None where nothing was pretrained.
    samples
        Samples of the cohort, of which the estimates may have taken a part; None where unknown.
    """
    rows = rows_by_quantity(information)
    of_label = _entropy(rows)
    entropy = None if of_label is None else known(of_label["estimate"])
    drawn = None
    if of_label is not None and samples is not None and of_label["n"] < samples:
        drawn = int(of_label["n"]), samples
    order = {name: place for place, name in enumerate(modalities)}
    label = _label_rows(rows, "label", entropy)
    label.sort(key=lambda row: order.get(row.modality, len(order)))
    subsets = [
        replace(row, modality=combination(row.modality, modalities))
        for row in _label_rows(rows, "subset", entropy)
    ]
    subsets.sort(key=lambda row: -row.estimate)
    separated = _separate(label, rows.get("label_difference", ()))
    shares = shares_view(rows)
    contrasts = tuple(
        Contrast(*pair, amount, int(row["n"]))
        for pair, row in by_pair(rows, "label_difference").items()
        if (amount := amount_of(row)) is not None
    )
    standing = Standing(
        strongest=separated.strongest,
        separable=any(row.separable for row in contrasts),
        informative=any(row.exceeds is not False for row in label),
    )
    margins = margins_view(rows, complementarity, label)
    return InformationView(
        entropy=entropy,
        drawn=drawn,
        label=tuple(label),
        subsets=tuple(subsets),
        strongest=separated.strongest,
        weakest=separated.weakest,
        contrasts=contrasts,
        pairs=_pairs(rows),
        parts=parts_view(rows, modalities),
        shares=tuple(sorted(shares, key=lambda row: order.get(row.modality, len(order)))),
        balance=balance_view(rows, shares, standing),
        margins=margins,
        agreement=agreement_of(margins),
        lessons=None if plan is None else lessons_view(plan),
        refusals=refusals_view(information, modalities),
    )


def withhold(view: InformationView, reason: str, word: str) -> InformationView:
    """Return the view without its verdicts; numbers stay.

    Parameters
    ----------
    view
        The view.
    reason
        Why nothing is concluded, in a sentence.
    word
        What stands in the place of a verdict.
    """
    return replace(
        view,
        strongest=None,
        weakest=None,
        contrasts=tuple(replace(row, withheld=word) for row in view.contrasts),
        balance=view.balance and replace(view.balance, sentence=reason),
        margins=withhold_margins(view.margins, word),
        agreement=view.agreement and replace(view.agreement, withheld=reason),
    )
