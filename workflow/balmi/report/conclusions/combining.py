"""Whether combining helps: for each case the short answer, the headline, and what to keep."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.decision import COMPLETE, FEWEST_FOLDS, NOTHING_LEARNED, Case
from balmi.evaluation.primary import BALANCED, NETWORK, POOL
from balmi.evaluation.verdicts import Verdict
from balmi.numerals import counted
from balmi.report.conclusions.trust import reason_of
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import too_few

if TYPE_CHECKING:
    from balmi.evaluation.decision import Decision
    from balmi.evaluation.primary import Roles

NOT_LEARNED = "Left open: no method is shown to predict the class from what was measured."


class Keep(StrEnum):
    """What follows for the modalities that are worth their measurement."""

    WITHHELD = auto()
    NOTHING = auto()
    ALONE = auto()
    OPEN = auto()
    SEVERAL = auto()
    FOR_GAPS = auto()
    ONE = auto()
    MAYBE_ONE = auto()


@dataclass(frozen=True)
class Wording:
    """How a case is told.

    Parameters
    ----------
    short
        The answer of the first screen, of at most `balmi.report.conclusions.questions.MOST_WORDS`
        words.
    full
        The headline: the same answer with what qualifies it.
    keep
        What follows for the modalities.
    """

    short: str
    full: str
    keep: Keep


# {own} is the predictor; the primary comparison comes first, what is secondary after it.
CASES: dict[Case, Wording] = {
    Case.WITHHELD: Wording(
        "No answer: a decisive check failed, so every verdict is withheld.",
        "{reason} Until that is mended, no difference on this page can be believed.",
        Keep.WITHHELD,
    ),
    Case.FEW: Wording(
        "Undecided: {folds}, and at least {needed} are needed.",
        "Undecided: {few}.",
        Keep.OPEN,
    ),
    Case.NOTHING: Wording(
        "Unanswered: no method is shown to predict better than chance.",
        "No method is shown to rank samples better than chance.",
        Keep.NOTHING,
    ),
    Case.ONLY_ABSENCE: Wording(
        "Unanswered: only who has which modality is shown to predict the class.",
        "Who has which modality predicts the class. The measurements are not shown to, so whether"
        " combining gains stays open.",
        Keep.NOTHING,
    ),
    Case.ALONE: Wording(
        "There is one modality, so nothing can be combined.",
        "There is one modality, so nothing can be combined.",
        Keep.ALONE,
    ),
    Case.NOT_COMPARED: Wording(
        "Unanswered: no combination was compared with a single modality.",
        "Neither {own} nor the linear stack was compared with a single modality: name {single}"
        " among the methods.",
        Keep.OPEN,
    ),
    Case.NOT_SHARED: Wording(
        "Unanswered: too few samples have all modalities to compare methods.",
        "Whether combining gains cannot be judged: {who} all modalities, and methods are compared"
        " on samples that do.",
        Keep.OPEN,
    ),
    Case.UNDEFINED: Wording(
        "Undecided: {metric} has no value in {undefined} of {folds}.",
        "Undecided: {metric} has no value in {undefined} of {counted}, whose samples are of one"
        " class. Choose accuracy, log_loss or brier as primary_metric, or folds that hold every"
        " class.",
        Keep.OPEN,
    ),
    Case.NETWORK_ADDS: Wording(
        "Yes: combining helps, and {own} adds to the linear stack.",
        "Combining helps, and {own} adds to the linear stack.",
        Keep.SEVERAL,
    ),
    Case.NETWORK_WINS: Wording(
        "Yes: combining helps with {own}, which gains over the linear stack too.",
        "Combining helps with {own}, which gains over one modality and over the linear stack; of"
        " the stack alone no gain is shown.",
        Keep.SEVERAL,
    ),
    Case.STACK_BETTER: Wording(
        "Yes: combining helps, and the linear stack does better than {own}.",
        "Combining helps, and the linear stack does better than {own}.",
        Keep.SEVERAL,
    ),
    Case.STACK_ENOUGH: Wording(
        "Yes: combining helps, and the linear stack is enough.",
        "Combining helps, and the linear stack is enough: {own} is not shown to add to it.",
        Keep.SEVERAL,
    ),
    Case.STACK_LOSES: Wording(
        "Yes: combining helps with {own}, while the linear stack loses.",
        "Combining helps with {own}, while the linear stack loses against one modality.",
        Keep.SEVERAL,
    ),
    Case.STACK_OPEN: Wording(
        "Yes: combining helps with {own}; of the linear stack it is open.",
        "Combining helps with {own}; whether the linear stack would do is not decided.",
        Keep.SEVERAL,
    ),
    Case.NETWORK_GAINS: Wording(
        "Yes: combining helps, as {own} gains over one modality.",
        "Combining helps: {own} gains over one modality.",
        Keep.SEVERAL,
    ),
    Case.STACK_GAINS: Wording(
        "Yes: combining helps, as the linear stack gains over one modality.",
        "Combining helps: the linear stack gains over one modality.",
        Keep.SEVERAL,
    ),
    Case.ONLY_ALL: Wording(
        "Over all samples, but no gain is shown among those with every modality.",
        "Combining gains over one modality across all samples, but among the {complete:,} that"
        " have all modalities no gain is shown: what is gained lies with samples that lack a"
        " modality.",
        Keep.FOR_GAPS,
    ),
    Case.ONLY_SECONDARY: Wording(
        "Not shown: only a secondary comparison gains, to be confirmed elsewhere.",
        "No gain is shown: the comparison that was fixed in advance, of {own} with one modality,"
        " shows no difference. That the linear stack gains over one modality is a secondary"
        " result, to be confirmed on other samples.",
        Keep.MAYBE_ONE,
    ),
    Case.LOSS_BUT_SECONDARY: Wording(
        "No: {own} loses; a secondary gain is to be confirmed elsewhere.",
        "{Own} loses against one modality. That the linear stack gains over it is a secondary"
        " result, to be confirmed on other samples.",
        Keep.MAYBE_ONE,
    ),
    Case.LOSS: Wording(
        "No: combining loses against one modality.",
        "One modality is enough: combining loses against it.",
        Keep.ONE,
    ),
    Case.UNLIKELY: Wording(
        "No: a gain of more than .01 {amount} is unlikely.",
        "One modality is enough: combining is unlikely to be better by more than .01 {amount}.",
        Keep.ONE,
    ),
    Case.UNSHOWN: Wording(
        "Not shown: one modality may be enough.",
        "One modality may be enough: combining is not shown to do better.",
        Keep.MAYBE_ONE,
    ),
}


MADE_OF = {
    POOL: (
        f"{POOL.own} weighs experts that see one modality and experts that see all."
        f" {POOL.single} has the same kinds of experts of one modality alone: of those that a"
        " sample has, the best one in inner folds. Kinds of learners and missing modalities are the"
        " same in both, so their difference is due to combining."
    ),
    BALANCED: (
        f"{NETWORK} pools networks with the linear stack, as the section on training dynamics"
        " shows: its difference from one modality is not that of the networks alone."
    ),
}
# Not where the metric that verdicts follow is accuracy: then all call the most probable class.
OF_RULE = (
    " Both call classes by a rule that is made for {made_for}, and other methods lack it. In"
    " metrics of the called class, a part of their gain over other methods may be due to that rule."
)


def made_of(roles: Roles, metric: str) -> str:
    """Say to what the difference from one modality is due, by what the two methods are made of.

    Parameters
    ----------
    roles
        The predictor that the report is about.
    metric
        The metric that verdicts follow.
    """
    ruled = roles == POOL and metric != PrimaryMetric.ACCURACY
    balanced = metric == PrimaryMetric.BALANCED_ACCURACY
    told = OF_RULE.format(made_for="balanced accuracy" if balanced else "macro-F1")
    return MADE_OF[roles] + told * ruled


def _filled(text: str, decision: Decision) -> str:
    """Return a sentence of a case with the numbers and names of a cohort."""
    metric, noun = metric_of(decision.ground.metric), decision.roles.noun
    return text.format(
        own=noun,
        Own=noun.capitalize(),
        single=decision.roles.single,
        folds=counted(decision.folds, "distinct test fold"),
        counted=counted(decision.folds, "test fold"),
        few=too_few(decision.dealt, decision.folds, FEWEST_FOLDS),
        needed=FEWEST_FOLDS,
        metric=metric.name,
        amount=metric.amount,
        undefined=decision.undefined,
        complete=decision.complete,
        who=f"only {decision.complete} have" if decision.complete else "no sample has",
        reason=reason_of(decision.ground.failed),
    )


def helped(decision: Decision) -> str:
    """Say in a short sentence whether combining helps.

    Parameters
    ----------
    decision
        What the cohort's tables decide.
    """
    return _filled(CASES[decision.case].short, decision)


def among(decision: Decision) -> str | None:
    """Say on which samples verdicts rest where that is not all of them, and why; else None."""
    if decision.samples != COMPLETE:
        return None
    which = counted(decision.complete, "sample")
    return f"among the {which} with all modalities alone, since lacking one may predict the class"


def headline(decision: Decision) -> str:
    """Return the sentence that heads the report.

    Parameters
    ----------
    decision
        What the cohort's tables decide.
    """
    sentence, where = _filled(CASES[decision.case].full, decision), among(decision)
    return sentence if where is None else f"Judged {where}. {sentence}"


def silence(decision: Decision) -> str | None:
    """Say why nothing is concluded of modalities, or None where something is.

    A withheld verdict withholds this too, and where no method predicts the class, estimates of who
    knows most of it are confirmed by none.
    """
    if decision.case is Case.WITHHELD:
        return reason_of(decision.ground.failed)
    return NOT_LEARNED if decision.case in NOTHING_LEARNED else None


def silent_word(decision: Decision) -> str | None:
    """Return what stands in the place of a verdict on modalities, or None where they are judged."""
    if silence(decision) is None:
        return None
    return str(Verdict.WITHHELD if decision.case is Case.WITHHELD else Verdict.UNJUDGED)
