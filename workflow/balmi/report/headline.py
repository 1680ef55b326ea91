"""The one sentence that heads a report: which case a cohort is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.verdicts import Verdict
from balmi.report.design import FEWEST_FOLDS
from balmi.report.performance import OWN, SINGLE, STACKED
from balmi.report.words import counted

if TYPE_CHECKING:
    from balmi.report.performance import PerformanceView
    from balmi.report.trust import TrustView

GAIN, NONE, LOSS = map(str, (Verdict.GAIN, Verdict.NONE, Verdict.LOSS))
CHANCE_METRIC, CHANCE = "macro_auroc", 0.5
# A posterior probability of being better that is at most this speaks for one modality.
UNLIKELY = 0.05

NOTHING = "Nothing predicts the class: no method is shown to rank samples better than chance."
ALONE = "There is one modality, so nothing can be combined."
NOT_COMPARED = "Neither the network nor the linear stack was compared with a single modality."


@dataclass(frozen=True)
class Case:
    """A case: verdicts that belong to it, and its sentence.

    None stands for any verdict, or for none: a method may not have been run.

    Parameters
    ----------
    network
        Of the balanced network against one modality.
    stack
        Of stacked linear models against one modality.
    over
        Of the network against the stack.
    """

    network: str | None
    stack: str | None
    over: str | None
    sentence: str

    def holds(self, verdicts: tuple[str | None, str | None, str | None]) -> bool:
        """Whether the verdicts belong to the case."""
        wanted = (self.network, self.stack, self.over)
        return all(each in (None, found) for each, found in zip(wanted, verdicts, strict=True))


ENOUGH = (
    "Combining by stacking helps, and the linear stack is enough: the network is not shown to add"
    " to it."
)
# The first that holds is told.
CASES = (
    Case(GAIN, GAIN, GAIN, "Combining helps, and the network adds to the linear stack."),
    Case(None, GAIN, LOSS, "Combining helps, and the linear stack does better than the network."),
    Case(None, GAIN, NONE, ENOUGH),
    Case(
        None,
        GAIN,
        GAIN,
        "Combining helps: the linear stack gains over one modality, the network over the stack.",
    ),
    Case(None, GAIN, None, "Combining helps: the linear stack gains over one modality."),
    Case(GAIN, None, GAIN, "The network wins where linear models fail: combining helps with it."),
    Case(
        GAIN,
        NONE,
        None,
        "Combining helps with the network; whether the linear stack would do is not decided.",
    ),
    Case(
        GAIN,
        LOSS,
        None,
        "Combining helps with the network, while the linear stack loses against one modality.",
    ),
    Case(GAIN, None, None, "Combining helps: the network gains over one modality."),
    Case(LOSS, LOSS, None, "One modality is enough: combining loses against it."),
    Case(LOSS, NONE, None, "One modality is enough: the network loses against it."),
    Case(NONE, LOSS, None, "One modality is enough: the linear stack loses against it."),
    Case(LOSS, None, None, "One modality is enough: the network loses against it."),
    Case(None, LOSS, None, "One modality is enough: the linear stack loses against it."),
)
SURE = "One modality is enough: combining is unlikely to be better by more than .01 macro-F1."
UNSURE = "One modality may be enough: no combination is shown to do better."


def _predicts(performance: PerformanceView) -> bool:
    """Whether a method ranks samples better than chance, or that cannot be told."""
    scores = [row.scores.get(CHANCE_METRIC) for row in performance.methods]
    lowers = [score.lower for score in scores if score is not None and score.lower is not None]
    return not lowers or max(lowers) > CHANCE


def _of_verdicts(performance: PerformanceView) -> str:
    pairs = ((OWN, SINGLE), (STACKED, SINGLE), (OWN, STACKED))
    rows = [performance.difference(*pair) for pair in pairs]
    against = [row for row in rows[:2] if row is not None and row.verdict is not None]
    if not against:
        return NOT_COMPARED
    verdicts = tuple(None if row is None else row.verdict for row in rows)
    case = next((case for case in CASES if case.holds(verdicts)), None)
    if case is not None:
        return case.sentence
    sure = all(row.better is not None and row.better <= UNLIKELY for row in against)
    return SURE if sure else UNSURE


def headline(performance: PerformanceView, modalities: int, trust: TrustView) -> str:
    """Return the sentence that heads the report.

    Parameters
    ----------
    performance
        The view of the methods.
    modalities
        Number of modalities.
    trust
        The checklist: a failed control withholds the answer.
    """
    if trust.reason is not None:
        return f"{trust.reason} Until that is mended, no difference on this page can be believed."
    if performance.design.few:
        folds = counted(performance.design.total, "test fold")
        verb = "is" if performance.design.total == 1 else "are"
        return f"Undecided: {folds} {verb} too few to answer; at least {FEWEST_FOLDS} are needed."
    if not performance.methods:
        return NOT_COMPARED
    if not _predicts(performance):
        return NOTHING
    return ALONE if modalities < 2 else _of_verdicts(performance)
