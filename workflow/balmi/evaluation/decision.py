"""What a cohort's headline is: the only place that decides it, from tables.

One comparison, fixed in advance by `balmi.evaluation.primary`, decides whether combining gains; all
others are secondary, and their verdicts hold after Holm's adjustment only. Where absence tells of
the class, comparisons on the samples that have everything decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Any

from balmi.config.automatic import FEWEST_FOLDS
from balmi.evaluation.at_chance import CHANCE, RANKING
from balmi.evaluation.comparisons import ALL, COMPLETE
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.primary import SINGLE, STACKED, primary, roles
from balmi.evaluation.trust import State, withheld
from balmi.evaluation.verdicts import Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import pandas as pd

    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster
    from balmi.evaluation.primary import Roles

ABSENCE = "absence"  # the trust check of whether absence tells of the class
MASK = "absence-lr"  # the method that sees only who has which modality
# A metric that every test fold defines, which counts the folds that leave another one undefined.
ALWAYS = "macro_f1"

# With fewer complete samples a fold holds about two of them, and its score is a toss of coins.
FEWEST_COMPLETE = 20
# A posterior probability of being better that is at most this speaks for one modality.
UNLIKELY = 0.05

Row = dict[str, Any]


class Case(StrEnum):
    """What a cohort shows of combining its modalities."""

    WITHHELD = auto()
    FEW = auto()
    NOTHING = auto()
    ONLY_ABSENCE = auto()
    ALONE = auto()
    NOT_COMPARED = auto()
    NOT_SHARED = auto()
    UNDEFINED = auto()
    NETWORK_ADDS = auto()
    NETWORK_WINS = auto()
    STACK_BETTER = auto()
    STACK_ENOUGH = auto()
    STACK_LOSES = auto()
    STACK_OPEN = auto()
    NETWORK_GAINS = auto()
    STACK_GAINS = auto()
    ONLY_ALL = auto()
    ONLY_SECONDARY = auto()
    LOSS_BUT_SECONDARY = auto()
    LOSS = auto()
    UNLIKELY = auto()
    UNSHOWN = auto()


# Cases whose sentence says that a gain is shown.
GAINS = frozenset(
    {
        *(Case.NETWORK_ADDS, Case.NETWORK_WINS, Case.STACK_BETTER, Case.STACK_ENOUGH),
        *(Case.STACK_LOSES, Case.STACK_OPEN, Case.NETWORK_GAINS, Case.STACK_GAINS, Case.ONLY_ALL),
    }
)
# Cases where nothing that was measured is shown to predict the class.
NOTHING_LEARNED = frozenset({Case.NOTHING, Case.ONLY_ABSENCE})


@dataclass(frozen=True)
class Ground:
    """What turns a row of ``comparisons.csv`` into a verdict.

    Parameters
    ----------
    pair
        The primary comparison as method and reference, or None where it cannot be made.
    metric
        The metric that verdicts follow.
    failed
        Failed checks, which withhold every verdict.
    judged
        The samples whose comparisons are judged: all, complete, both or neither.
    """

    pair: tuple[str, str] | None
    metric: PrimaryMetric
    failed: tuple[str, ...] = ()
    judged: tuple[str, ...] = (ALL, COMPLETE)

    @property
    def followed(self) -> str:
        """The samples whose comparisons answer the report's questions."""
        return COMPLETE if self.judged == (COMPLETE,) else ALL

    def is_primary(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is of the primary comparison."""
        return (row["method"], row["reference"]) == self.pair and row["metric"] == self.metric

    def verdict(self, row: Mapping[str, Any]) -> Verdict | None:
        """Name what a row supports, None where it has no interval.

        A secondary difference is supported where its interval excludes 0 and its p, adjusted by
        Holm, is at most `HOLM_LEVEL` too. With fewer than `FEWEST_FOLDS` folds that differ, or on
        samples that are not judged, nothing is.
        """
        lower, upper = float(row["lower"]), float(row["upper"])
        if math.isnan(lower) or math.isnan(upper):
            return None
        return judged(
            lower,
            upper,
            folds=row["folds"] if row["samples"] in self.judged else 0,
            p_holm=0.0 if self.is_primary(row) else row["p_holm"],
            more_is_better=METRICS[row["metric"]].more_is_better,
            failed=self.failed,
        )


@dataclass(frozen=True)
class Decision:
    """What a cohort's headline is, and the row that it rests on.

    Parameters
    ----------
    case
        The case; `balmi.report.conclusions.combining` has a sentence for each.
    roles
        The predictor that the report is about.
    ground
        What verdicts rest on; where nothing predicts the class, no difference is judged.
    method, reference, samples
        The row of ``comparisons.csv``, of the metric that verdicts follow; None where the case
        rests on no comparison.
    folds, dealt
        Test folds that differ and count, and all that were dealt; of that row where there is one.
    undefined
        Of `folds`, those that leave the followed metric undefined.
    complete
        Samples that have every modality.
    lacking
        Samples that lack one.
    tells
        Whether absence may tell of the class: it is not shown by the trust checks that it does not.
    predicts
        Whether who has which modality alone is shown to predict the class.
    """

    case: Case
    roles: Roles
    ground: Ground
    method: str | None
    reference: str | None
    samples: str | None
    folds: int
    dealt: int
    undefined: int
    complete: int
    lacking: int
    tells: bool
    predicts: bool

    @property
    def gain(self) -> bool:
        """Whether the headline says that combining gains."""
        return self.case in GAINS


@dataclass(frozen=True)
class Evidence:
    """What is known of a cohort when its case is decided.

    Parameters
    ----------
    comparisons
        Rows of ``comparisons.csv`` of the metric that verdicts follow, of macro AUROC and of
        `ALWAYS`, by method, reference, metric and samples.
    ranks
        Method -> lower limit of its macro AUROC over all samples.
    roles
        The predictor that the report is about.
    ground
        What verdicts rest on.
    modalities, complete, lacking, tells
        Number of modalities, and as in `Decision`.
    """

    comparisons: dict[tuple[str, str, str, str], Row]
    ranks: dict[str, float]
    roles: Roles
    ground: Ground
    modalities: int
    complete: int
    lacking: int
    tells: bool

    def row(self, pair: tuple[str, str] | None, samples: str | None = None) -> Row | None:
        """Return the comparison of two methods that is followed, or None where it was not made."""
        if pair is None:
            return None
        return self.comparisons.get((*pair, self.ground.metric, samples or self.ground.followed))

    def word(self, pair: tuple[str, str] | None, samples: str | None = None) -> Verdict | None:
        """Return the verdict on that comparison."""
        row = self.row(pair, samples)
        return None if row is None else self.ground.verdict(row)

    @property
    def main(self) -> Row | None:
        """The primary comparison."""
        return self.row(self.ground.pair)

    @property
    def whole(self) -> Row | None:
        """The primary comparison by a metric that no fold leaves undefined."""
        pair = self.ground.pair
        return None if pair is None else self.comparisons.get((*pair, ALWAYS, self.ground.followed))

    @property
    def counts(self) -> tuple[int, int]:
        """Test folds that differ and count, and all that were dealt; 0 where none is known."""
        rows = [self.whole] if self.whole is not None else list(self.comparisons.values())
        folds = max((int(row["folds"]) for row in rows), default=0)
        return folds, max((int(row["dealt"]) for row in rows), default=0)

    @property
    def undefined(self) -> int:
        """Of the test folds that differ, those that leave the followed metric undefined."""
        if self.whole is None:
            return 0
        return int(self.whole["folds"]) - (0 if self.main is None else int(self.main["folds"]))

    @property
    def mask_predicts(self) -> bool:
        """Whether who has which modality alone is shown to predict the class."""
        return self.ranks.get(MASK, math.nan) > CHANCE


def _withheld(evidence: Evidence) -> Case | None:
    return Case.WITHHELD if evidence.ground.failed else None


def _undefined(evidence: Evidence) -> Case | None:
    """Ask whether folds that leave the metric undefined are what is missing."""
    folds, _ = evidence.counts
    short = folds >= FEWEST_FOLDS > folds - evidence.undefined
    return Case.UNDEFINED if short else None


def _few(evidence: Evidence) -> Case | None:
    return Case.FEW if 0 < evidence.counts[0] < FEWEST_FOLDS else None


def _without_methods(evidence: Evidence) -> Case | None:
    return None if evidence.ranks or evidence.comparisons else Case.NOT_COMPARED


def _nothing(evidence: Evidence) -> Case | None:
    known = [lower for name, lower in evidence.ranks.items() if name != MASK and lower == lower]
    if not known or max(known) > CHANCE:
        return None
    return Case.ONLY_ABSENCE if evidence.mask_predicts else Case.NOTHING


def _alone(evidence: Evidence) -> Case | None:
    return Case.ALONE if evidence.modalities < 2 else None


def _not_compared(evidence: Evidence) -> Case | None:
    return None if evidence.row(evidence.ground.pair, ALL) else Case.NOT_COMPARED


def _not_shared(evidence: Evidence) -> Case | None:
    return None if evidence.ground.judged else Case.NOT_SHARED


def _only_absence(evidence: Evidence) -> Case | None:
    """Ask whether any method ranks the complete samples better than their mere completeness does.

    Among them `absence-lr` knows nothing, so that its AUROC is that of chance.
    """
    rows = [
        row
        for (_, reference, metric, samples), row in evidence.comparisons.items()
        if (reference, metric, samples) == (MASK, RANKING, COMPLETE)
    ]
    if not (evidence.tells and evidence.mask_predicts and rows):
        return None
    shown = any(evidence.ground.verdict(row) is Verdict.GAIN for row in rows)
    return None if shown else Case.ONLY_ABSENCE


GAIN, NONE, LOSS = Verdict.GAIN, Verdict.NONE, Verdict.LOSS


@dataclass(frozen=True)
class Rule:
    """Verdicts that belong to a case; None stands for any, or for none.

    Parameters
    ----------
    main
        Of the primary comparison.
    stack
        Of stacked linear models against one modality, where that is secondary.
    over
        Of the report's predictor against the stack.
    case
        The case.
    """

    main: Verdict
    stack: Verdict | None
    over: Verdict | None
    case: Case

    def holds(self, words: tuple[Verdict | None, ...]) -> bool:
        """Whether the verdicts belong to the case."""
        wanted = (self.main, self.stack, self.over)
        return all(each in (None, found) for each, found in zip(wanted, words, strict=True))


# The first that holds decides.
RULES = (
    Rule(GAIN, GAIN, GAIN, Case.NETWORK_ADDS),
    Rule(GAIN, None, GAIN, Case.NETWORK_WINS),
    Rule(GAIN, None, LOSS, Case.STACK_BETTER),
    Rule(GAIN, GAIN, NONE, Case.STACK_ENOUGH),
    Rule(GAIN, LOSS, None, Case.STACK_LOSES),
    Rule(GAIN, NONE, None, Case.STACK_OPEN),
    Rule(GAIN, None, None, Case.NETWORK_GAINS),
    Rule(LOSS, GAIN, None, Case.LOSS_BUT_SECONDARY),
    Rule(LOSS, None, None, Case.LOSS),
    Rule(NONE, GAIN, None, Case.ONLY_SECONDARY),
)


def _by_verdicts(evidence: Evidence) -> Case:
    pair, own = evidence.ground.pair, evidence.roles.own
    method, _ = pair or ("", "")
    main = evidence.word(pair)
    secondary = (STACKED, SINGLE) if method == own else None
    words = (main, evidence.word(secondary), evidence.word((own, STACKED)) if secondary else None)
    if main == GAIN and _only_all(evidence):
        return Case.ONLY_ALL
    if main == GAIN and method == STACKED:
        return Case.STACK_GAINS
    found = next((rule.case for rule in RULES if rule.holds(words)), None)
    if found is not None:
        return found
    rows = [row for row in (evidence.main, evidence.row(secondary)) if row is not None]
    return Case.UNLIKELY if all(row["better"] <= UNLIKELY for row in rows) else Case.UNSHOWN


def _only_all(evidence: Evidence) -> bool:
    """Whether a gain over all samples is not shown among those that have everything."""
    if evidence.ground.followed == COMPLETE or not evidence.lacking:
        return False
    return evidence.word(evidence.ground.pair, COMPLETE) != GAIN


# What comes before any verdict; the first that holds decides.
STEPS: tuple[Callable[[Evidence], Case | None], ...] = (
    _withheld,
    _without_methods,
    _not_shared,
    _undefined,
    _few,
    _nothing,
    _alone,
    _not_compared,
    _only_absence,
)
NO_ROW = frozenset(
    {
        *(Case.WITHHELD, Case.NOTHING, Case.ONLY_ABSENCE, Case.ALONE, Case.NOT_COMPARED),
        *(Case.NOT_SHARED, Case.UNDEFINED),
    }
)


def _absence_tells(trust: pd.DataFrame, lacking: int) -> bool:
    """Return whether absence may tell of the class: only a passed check shows that it does not."""
    states = trust.loc[trust["check"] == ABSENCE, "state"]
    return bool(lacking) and not (states == State.PASS).any()


def _gathered(
    tables: Mapping[str, pd.DataFrame], cohort: Roster, metric: PrimaryMetric
) -> Evidence:
    comparisons, summary = tables["comparisons"], tables["summary"]
    rows = {
        (row["method"], row["reference"], row["metric"], row["samples"]): row
        for row in comparisons[comparisons["metric"].isin([metric, RANKING, ALWAYS])].to_dict(
            "records"
        )
    }
    ranked = summary[(summary["metric"] == RANKING) & summary["class"].isna()]
    ranks = dict(zip(ranked["method"], map(float, ranked["lower"]), strict=True))
    complete = int(cohort.available.all(axis=1).sum())
    lacking = len(cohort.samples) - complete
    tells = _absence_tells(tables["trust"], lacking)
    methods: Collection[str] = {*summary["method"], *comparisons["method"]}
    pair = primary(methods)
    judged: tuple[str, ...] = (COMPLETE,) if tells else (ALL, COMPLETE)
    made = [samples for samples in (ALL, COMPLETE) if (*(pair or ()), ALWAYS, samples) in rows]
    if lacking and (made == [ALL] or (made and complete < FEWEST_COMPLETE)):
        judged = ()
    ground = Ground(pair, metric, withheld(tables["trust"]), judged)
    told = roles(methods)
    return Evidence(rows, ranks, told, ground, len(cohort.modalities), complete, lacking, tells)


def decide(tables: Mapping[str, pd.DataFrame], cohort: Roster, metric: PrimaryMetric) -> Decision:
    """Decide what a cohort's headline is.

    Parameters
    ----------
    tables
        ``comparisons``, ``summary`` and ``trust``, as in the contract.
    cohort
        The cohort, for the number of its modalities and for who lacks one.
    metric
        The metric that verdicts follow, ``primary_metric`` of the configuration. Whether anything
        predicts the class at all is asked of macro AUROC, whose value by chance is known.
    """
    evidence = _gathered(tables, cohort, metric)
    found = (step(evidence) for step in STEPS)
    case = next((each for each in found if each is not None), None) or _by_verdicts(evidence)
    ground = replace(evidence.ground, judged=()) if case in NOTHING_LEARNED else evidence.ground
    main = None if case in NO_ROW else evidence.main
    keys = ("method", "reference", "samples")
    method, reference, samples = (None if main is None else main[key] for key in keys)
    folds, dealt = evidence.counts
    return Decision(
        case=case,
        roles=evidence.roles,
        ground=ground,
        method=method,
        reference=reference,
        samples=samples,
        folds=folds,
        dealt=dealt,
        undefined=evidence.undefined,
        complete=evidence.complete,
        lacking=evidence.lacking,
        tells=evidence.tells,
        predicts=evidence.mask_predicts,
    )
