"""The sections of the report below the verdict, in their order: the only list of them.

Each has a folder in `balmi.report.sections`: a view, figures where it draws any, and a template of
its own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.report.sections.attribution.figures import attribution_figures
from balmi.report.sections.contributions.figures import contribution_figures
from balmi.report.sections.information.figures import information_figures
from balmi.report.sections.performance.figures import performance_figures
from balmi.report.sections.robustness.figures import robustness_figures
from balmi.report.sections.training.figures import training_figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.report.kit.figures import Drawn
    from balmi.report.view import View


def _none(_: View) -> Drawn:
    return {}


def _performance(view: View) -> Drawn:
    return performance_figures(view.performance, view.summary.classes)


def _information(view: View) -> Drawn:
    return information_figures(view.information, view.summary.modalities)


def _training(view: View) -> Drawn:
    if view.training is None:
        return {}
    return training_figures(view.training.panels, view.summary.modalities)


def _robustness(view: View) -> Drawn:
    return robustness_figures(view.robustness, view.summary.modalities)


def _contributions(view: View) -> Drawn:
    return contribution_figures(view.contributions, view.summary.modalities)


def _attribution(view: View) -> Drawn:
    return attribution_figures(view.attribution, view.summary.modalities)


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Parameters
    ----------
    number, title
        Its heading.
    figures
        Draws the figures for which a view has data, by name.
    """

    number: int
    title: str
    figures: Callable[[View], Drawn]


# The name is that of the folder and of the template.
_IN_ORDER = (
    ("cohort", "Cohort", _none),
    ("performance", "Performance", _performance),
    ("information", "Mutual information", _information),
    ("training", "Training dynamics", _training),
    ("robustness", "Robustness", _robustness),
    ("contributions", "Contributions and embedding", _contributions),
    ("attribution", "What the networks go by", _attribution),
    ("provenance", "Provenance and downloads", _none),
)
SECTIONS = {
    name: Section(number, title, figures)
    for number, (name, title, figures) in enumerate(_IN_ORDER, start=1)
}


def figures_of(view: View) -> Drawn:
    """Draw all figures for which there are data, section by section."""
    return {
        name: figure
        for section in SECTIONS.values()
        for name, figure in section.figures(view).items()
    }
