"""Where the signal lies, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.access import Access
from balmi.numerals import signed, with_limits
from balmi.report.kit.words import brief, joined, with_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.information.decomposition import Parts
    from balmi.report.sections.performance.access import AccessView, Gain

# By log-loss, which may differ from what verdicts follow: so each sentence says so.
LIES = {
    Access.ONE: "By log-loss, in one modality: pools that see more gain nothing noticeable.",
    Access.LINEAR: "By log-loss, in several modalities, whose linear contributions add up.",
    Access.ADDITIVE: (
        "By log-loss, in several modalities, whose contributions add up but are not linear."
    ),
    Access.JOINT: "By log-loss, in how modalities interact: no sum of contributions is as good.",
    Access.NONE: "Undecided: these folds do not show where the signal lies.",
}
RULE = (
    "Pools whose experts see more are compared with pools whose experts see less, in log-loss{}."
    " Each row is a gain in nats (lower to upper). It is supported where its interval lies above 0"
    " and its p, adjusted for all pairs (Holm), is at most .05."
)
SHOWN_SYNERGY = (
    "The decomposition of information shows synergy of {} as well: {} nats (lower to upper) come"
    " only from both together."
)
SYNERGY_WITHOUT_INTERACTION = (
    "The decomposition of information shows synergy of {}, {} nats (lower to upper). The pools show"
    " no interaction. Both can hold: evidence that merely adds up is synergy too, as far as each"
    " modality alone lacks it."
)
INTERACTION_WITHOUT_SYNERGY = (
    "The pools show an interaction, and the decomposition of information shows no synergy: its"
    " estimates are lower bounds, which miss it here."
)


def gain_told(row: Gain) -> str:
    """Tell what a pool gains over one that sees less."""
    amount = with_limits(row.gain, row.lower, row.upper, signed)
    pools = f"{row.more[0].upper()}{row.more[1:]} against {row.less}"
    return f"{pools}: {amount}, adjusted {with_p(row.p_holm)}"


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
