"""The sections of the report below the verdict, in their order: the only list of them.

Each has a folder in `balmi.report.sections`: a view, figures where it draws any, and a template of
its own name, which finds the view as ``view.<name>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.report.kit.svg import unchecked
from balmi.report.sections.attribution.figures import attribution_figures
from balmi.report.sections.attribution.view import attribution_view
from balmi.report.sections.contributions.figures import contribution_figures
from balmi.report.sections.contributions.view import contributions_view
from balmi.report.sections.information.figures import information_figures
from balmi.report.sections.performance.figures import performance_figures
from balmi.report.sections.robustness.figures import robustness_figures
from balmi.report.sections.robustness.view import robustness_view
from balmi.report.sections.samples.figures import samples_figures
from balmi.report.sections.samples.view import samples_view
from balmi.report.sections.training.figures import training_figures
from balmi.report.sections.training.view import training_view
from balmi.report.sections.verdict.pictures import verdict_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.report.kit.figures import Drawn
    from balmi.report.sections.verdict.answers import Views
    from balmi.report.view import Summary, View


@dataclass(frozen=True)
class Material:
    """What the views of sections are made from.

    Parameters
    ----------
    tables
        The tables of the contract that are shown.
    cohort
        The cohort.
    settings
        The resolved configuration.
    views
        The views that the verdict rests on, which are there already.
    quiet
        Why nothing is concluded, or None where it is.
    """

    tables: Mapping[str, pd.DataFrame]
    cohort: Roster
    settings: Mapping[str, Any]
    views: Views
    quiet: str | None


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Parameters
    ----------
    number, title
        Its heading.
    view
        Makes what its template shows.
    figures
        Draws the figures for which that view has data, by name.
    """

    number: int
    title: str
    view: Callable[[Material], Any]
    figures: Callable[[Any, Summary], Drawn]


def _nothing(_: Material) -> None:
    return None


def _none(view: Any, summary: Summary) -> Drawn:
    return {}


def _training(view: Any, summary: Summary) -> Drawn:
    return {} if view is None else training_figures(view.panels, summary.modalities)


# The name is that of the folder and of the template.
_IN_ORDER: dict[str, tuple[str, Callable[[Material], Any], Callable[[Any, Summary], Drawn]]] = {
    "cohort": ("Cohort", lambda made: made.views.cohort, _none),
    "performance": (
        "Performance",
        lambda made: made.views.performance,
        lambda view, summary: performance_figures(view, summary.classes),
    ),
    "samples": (
        "Samples",
        lambda made: samples_view(
            made.tables["per_sample"],
            list(dict.fromkeys(made.tables["predictions"]["method"])),
            made.cohort,
        ),
        lambda view, summary: samples_figures(view),
    ),
    "information": (
        "Mutual information",
        lambda made: made.views.information,
        lambda view, summary: information_figures(view, summary.modalities),
    ),
    "training": (
        "Training dynamics",
        lambda made: training_view(
            made.tables["training"], made.tables["experts"], made.cohort.modalities
        ),
        _training,
    ),
    "robustness": (
        "Robustness",
        lambda made: robustness_view(
            made.tables, made.cohort.modalities, made.settings, made.quiet
        ),
        lambda view, summary: robustness_figures(view, summary.modalities),
    ),
    "contributions": (
        "Contributions and embedding",
        lambda made: contributions_view(made.tables, made.cohort, made.settings, made.quiet),
        lambda view, summary: contribution_figures(view, summary.modalities),
    ),
    "attribution": (
        "Feature attribution",
        lambda made: attribution_view(made.tables, made.cohort, made.settings),
        lambda view, summary: attribution_figures(view, summary.modalities, summary.classes),
    ),
    "provenance": ("Provenance and downloads", _nothing, _none),
}
SECTIONS = {
    name: Section(number, *parts) for number, (name, parts) in enumerate(_IN_ORDER.items(), start=1)
}


def views_of(material: Material) -> dict[str, Any]:
    """Make the view of every section, by its name."""
    return {name: section.view(material) for name, section in SECTIONS.items()}


@unchecked()
def figures_of(view: View) -> Drawn:
    """Draw all figures for which there are data, section by section, the first screen's first."""
    drawn = {
        name: figure
        for section, parts in SECTIONS.items()
        for name, figure in parts.figures(getattr(view, section), view.summary).items()
    }
    return verdict_figures(view) | drawn
