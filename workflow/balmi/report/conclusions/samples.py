"""Which samples are missed, and which of them to look at first."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.numerals import counted, inflected
from balmi.report.kit.words import brief, joined, percent

if TYPE_CHECKING:
    from balmi.report.sections.samples.view import SamplesView

MAX_NAMED = 20  # samples that everything takes for one other class, in a sentence


class Missed(StrEnum):
    """Of how many classes there are samples that every method misses."""

    NONE = auto()
    ONE_CLASS = auto()
    MORE = auto()


MISSED = {
    Missed.NONE: "Each of the {whole} is right by at least one method.",
    Missed.ONE_CLASS: "{hard:,} of {whole} ({share}) {are} missed by {everyone}; {all_are} of"
    " {most}: {of_most} of {in_most}.",
    Missed.MORE: (
        "{hard:,} of {whole} ({share}) {are} missed by {everyone}; the largest share is of {most}:"
        " {of_most} of {in_most}."
    ),
}
LOOK = (
    "{found} of {listed} {are} called one and the same other class by all methods and by every"
    " modality alone{named}"
)
# By whether they are few enough to be named.
NAMED = {
    True: ": {}. Look at these first.",
    False: ". Look at these first: the table below begins with them.",
}


def missed(view: SamplesView) -> str:
    """Say how many samples every method misses, and of which class most.

    Parameters
    ----------
    view
        The view of samples.
    """
    holding = [lane for lane in view.lanes if lane.hard]
    case = (Missed.NONE, Missed.ONE_CLASS, Missed.MORE)[min(len(holding), 2)]
    most = max(view.lanes, key=lambda lane: lane.hard / lane.samples)
    return MISSED[case].format(
        hard=view.hard_samples,
        whole=counted(view.samples, "sample"),
        share=percent(view.hard_samples / view.samples),
        are=inflected(view.hard_samples, "is", "are"),
        all_are=inflected(view.hard_samples, "it is", "all are"),
        everyone=view.everyone,
        most=brief(most.name),
        of_most=most.hard,
        in_most=most.samples,
    )


def first_to_look_at(view: SamplesView) -> str | None:
    """Name the samples that all methods and modalities call one other class; None without any.

    Parameters
    ----------
    view
        The view of samples.
    """
    found = [row for row in view.hard if row.unanimous]
    if not found:
        return None
    names = joined([brief(row.name) for row in found])
    whole = len(view.hard) == view.hard_samples
    return LOOK.format(
        found=len(found),
        listed="them" if whole else f"the {len(view.hard)} listed",
        are=inflected(len(found), "is", "are"),
        named=NAMED[len(found) <= MAX_NAMED].format(names),
    )
