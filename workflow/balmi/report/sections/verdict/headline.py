"""The one sentence that heads a report: which case a cohort is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.decision import COMPLETE, FEWEST_FOLDS, NOTHING_LEARNED, Case, Decision
from balmi.evaluation.verdicts import Verdict
from balmi.numerals import counted
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import test_folds
from balmi.report.sections.verdict.trust import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = "Nothing predicts the class: no method is shown to rank samples better than chance."
NOT_LEARNED = (
    "Nothing is concluded here: no method is shown to predict the class from what was measured."
)
ONLY_ABSENCE = (
    "Who has which modality predicts the class, and nothing that was measured is shown to: whether"
    " combining gains has no answer here."
)
ALONE = "There is one modality, so nothing can be combined."
NOT_COMPARED = (
    "Neither {own} nor the linear stack was compared with a single modality: name {single} among"
    " the methods."
)

# What the comparisons show, {own} being the predictor; the primary one first, what is secondary
# after it.
SHOWN = {
    Case.NETWORK_ADDS: "Combining helps, and {own} adds to the linear stack.",
    Case.NETWORK_WINS: (
        "Combining helps with {own}, which gains over one modality and over the linear stack;"
        " of the stack alone no gain is shown."
    ),
    Case.STACK_BETTER: "Combining helps, and the linear stack does better than {own}.",
    Case.STACK_ENOUGH: (
        "Combining helps, and the linear stack is enough: {own} is not shown to add to it."
    ),
    Case.STACK_LOSES: (
        "Combining helps with {own}, while the linear stack loses against one modality."
    ),
    Case.STACK_OPEN: (
        "Combining helps with {own}; whether the linear stack would do is not decided."
    ),
    Case.NETWORK_GAINS: "Combining helps: {own} gains over one modality.",
    Case.STACK_GAINS: "Combining helps: the linear stack gains over one modality.",
    Case.ONLY_SECONDARY: (
        "No gain is shown: the comparison that was fixed in advance, of {own} with one"
        " modality, shows no difference. That the linear stack gains over one modality is a"
        " secondary finding, to be confirmed on other samples."
    ),
    Case.LOSS_BUT_SECONDARY: (
        "{Own} loses against one modality. That the linear stack gains over it is a"
        " secondary finding, to be confirmed on other samples."
    ),
    Case.LOSS: "One modality is enough: combining loses against it.",
    Case.UNSHOWN: "One modality may be enough: combining is not shown to do better.",
}


def _withheld(decision: Decision) -> str:
    reason = reason_of(decision.ground.failed)
    return f"{reason} Until that is mended, no difference on this page can be believed."


def _few(decision: Decision) -> str:
    folds = test_folds(decision.dealt, decision.folds)
    if decision.folds == decision.dealt:
        folds += f" {'is' if decision.folds == 1 else 'are'} too few to answer"
    return f"Undecided: {folds}; at least {FEWEST_FOLDS} are needed."


def _undefined(decision: Decision) -> str:
    metric = metric_of(decision.ground.metric).name
    folds = counted(decision.folds, "test fold")
    return (
        f"Undecided: {metric} has no value in {decision.undefined} of {folds}, whose samples are of"
        " one class. Choose accuracy, log_loss or brier as primary_metric, or folds that hold every"
        " class."
    )


def _not_shared(decision: Decision) -> str:
    who = f"only {decision.complete} have" if decision.complete else "no sample has"
    return (
        f"Whether combining gains cannot be judged: {who} all modalities, so that methods cannot be"
        " compared on the same measurements."
    )


def _unlikely(decision: Decision) -> str:
    amount = metric_of(decision.ground.metric).amount
    return f"One modality is enough: combining is unlikely to be better by more than .01 {amount}."


def _only_all(decision: Decision) -> str:
    return (
        "Combining gains over one modality across all samples, but among the"
        f" {decision.complete:,} that have all modalities no gain is shown: what is gained lies"
        " with samples that lack a modality."
    )


SENTENCES: dict[Case, Callable[[Decision], str]] = {
    Case.WITHHELD: _withheld,
    Case.FEW: _few,
    Case.NOT_SHARED: _not_shared,
    Case.UNDEFINED: _undefined,
    Case.ONLY_ALL: _only_all,
    Case.UNLIKELY: _unlikely,
}
FIXED = SHOWN | {
    Case.NOTHING: NOTHING,
    Case.ONLY_ABSENCE: ONLY_ABSENCE,
    Case.ALONE: ALONE,
    Case.NOT_COMPARED: NOT_COMPARED,
}


def among(decision: Decision) -> str | None:
    """Say on which samples verdicts rest where that is not all of them, and why; else None."""
    if decision.samples != COMPLETE:
        return None
    which = counted(decision.complete, "sample")
    return f"among the {which} with all modalities alone, since who lacks one may tell of the class"


def headline(decision: Decision) -> str:
    """Return the sentence that heads the report.

    Parameters
    ----------
    decision
        What the cohort's tables decide.
    """
    make = SENTENCES.get(decision.case)
    noun = decision.roles.noun
    fixed = FIXED.get(decision.case, "").format(
        own=noun, Own=noun.capitalize(), single=decision.roles.single
    )
    sentence = fixed if make is None else make(decision)
    where = among(decision)
    if where is None:
        return sentence
    return f"Judged {where}. {sentence}"


def silence(decision: Decision) -> str | None:
    """Say why nothing is concluded of modalities, or None where something is.

    A withheld verdict withholds this too, and where no method predicts the class, estimates of who
    knows most of it are confirmed by none.
    """
    if decision.case is Case.WITHHELD:
        return reason_of(decision.ground.failed)
    if decision.case in NOTHING_LEARNED:
        return NOT_LEARNED
    return None


def silent_word(decision: Decision) -> str | None:
    """Return what stands in the place of a verdict on modalities, or None where they are judged."""
    if silence(decision) is None:
        return None
    return str(Verdict.WITHHELD if decision.case is Case.WITHHELD else Verdict.UNJUDGED)
