"""Where the signal lies, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.access import Access
from balmi.report.kit.words import brief, joined, limits, signed, with_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.information.decomposition import Parts
    from balmi.report.sections.performance.access import AccessView, Gain

FOUND = {
    Access.ONE: (
        "One modality suffices: what pools that see more may gain, as far as intervals reach, is"
        " not noticeable."
    ),
    Access.LINEAR: (
        "In several modalities that add up linearly: nothing noticeable is gained by anything else."
    ),
    Access.ADDITIVE: (
        "In several modalities, and not linearly within them: what each says adds up, and no"
        " interaction is noticeable."
    ),
    Access.JOINT: (
        "In how modalities go together: they interact, and no sum of what each says is as good."
    ),
    Access.NONE: "None of the answers is shown: these folds do not tell how modalities combine.",
}
RULE = (
    "Pools whose experts see more are compared with pools whose experts see less, in log-loss{}."
    " Each row below is a gain in nats (lower to upper), supported where its interval lies above 0"
    " and p, adjusted for all pairs (Holm), is at most .05."
)
SHOWN_SYNERGY = (
    "The decomposition of information shows synergy of {} as well: {} nats (lower to upper) are"
    " told only by both."
)
SYNERGY_WITHOUT_INTERACTION = (
    "The decomposition of information shows synergy of {}, {} nats (lower to upper), where no pool"
    " shows an interaction. The two are not the same: evidence that merely adds up is synergy too,"
    " as far as neither modality has it alone."
)
INTERACTION_WITHOUT_SYNERGY = (
    "The decomposition of information shows no synergy, although the pools show an interaction: its"
    " estimates are lower bounds, and here they miss it."
)


def gain_told(row: Gain) -> str:
    """Tell what a pool gains over one that sees less."""
    amount = f"{signed(row.gain)} ({limits(row.lower, row.upper, signed)})"
    return f"{row.more[0].upper()}{row.more[1:]} against {row.less}: {amount}"


def synergy_told(access: AccessView, parts: Sequence[Parts]) -> str | None:
    """Say what the decomposition shows of synergy beside the pools, and where the two disagree.

    Parameters
    ----------
    access
        Where the signal lies.
    parts
        The decomposition, of pairs and of a modality and the rest.
    """
    known = [(row, row.synergistic) for row in parts if row.synergistic is not None]
    shown = [pair for pair in known if pair[1].shown]
    interacts = access.found is Access.JOINT
    if not shown:
        return INTERACTION_WITHOUT_SYNERGY if interacts and known else None
    top, amount = max(shown, key=lambda pair: pair[1].estimate)
    told = with_limits(amount.estimate, amount.lower, amount.upper)
    text = SHOWN_SYNERGY if interacts else SYNERGY_WITHOUT_INTERACTION
    return text.format(joined([brief(top.first), brief(top.against)]), told)
