"""The view model of one dataset: every number that its report or the overview shows.

Numbers are computed here once. The report draws the whole `View`; the overview reads its `summary`,
which the report prints too, so the two cannot show different values for one number.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import balmi
from balmi.config.automatic import AUTO
from balmi.config.settings import PrimaryMetric
from balmi.evaluation.decision import decide
from balmi.report.conclusions.classes import hardest
from balmi.report.conclusions.combining import headline, silence, silent_word
from balmi.report.conclusions.distillation import prospect
from balmi.report.conclusions.questions import conclusions, keep
from balmi.report.conclusions.which import ranking
from balmi.report.contents import Material, views_of
from balmi.report.sections.cohort.view import cohort_view
from balmi.report.sections.information.decomposition import parts_of
from balmi.report.sections.information.view import information_view, withhold
from balmi.report.sections.performance.view import performance_view
from balmi.report.sections.verdict.answers import Views, answers, key_differences, tiles
from balmi.report.sections.verdict.trust import trust_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.evaluation.decision import Decision
    from balmi.report.conclusions.questions import Conclusion
    from balmi.report.kit.metrics import Metric
    from balmi.report.sections.information.decomposition import Parts
    from balmi.report.sections.information.distillation import Margin
    from balmi.report.sections.information.label import LabelInformation
    from balmi.report.sections.information.view import InformationView
    from balmi.report.sections.performance.access import AccessView
    from balmi.report.sections.performance.scores import Score
    from balmi.report.sections.performance.view import Difference, MethodStatus
    from balmi.report.sections.verdict.answers import Answer, Tile
    from balmi.report.sections.verdict.trust import TrustView

FORMAT = 8  # of what `Summary.as_json` gives


@dataclass(frozen=True)
class Summary:
    """What the overview shows of a dataset.

    Parameters
    ----------
    dataset
        Name of the dataset.
    title
        Its title for people, if it has one.
    samples, complete
        Samples, and those that have every modality.
    classes, modalities
        Their names.
    strongest, weakest
        Modalities whose information stands apart, or None.
    entropy
        Entropy of the label in nats, or None.
    information
        Information of each modality about the label.
    parts
        What of that is unique, shared with the others and synergistic, as far as it was estimated.
    margins
        Complementarity margins of teachers and students, and the gains observed.
    distillation
        For how many pairs distillation is predicted to help, in short, or None.
    differences
        The comparisons that answer whether combining helps.
    metric
        The metric that verdicts follow.
    best
        The best method by it, or None.
    hardest
        The class that the report's method fails most, with its score; empty where none is.
    scores
        Method -> its score.
    conclusions
        How the three questions are answered, as page, overview and terminal say it.
    keep
        Which modality to keep, which follows from two of them.
    headline
        Which case the cohort is, in a sentence.
    decision
        The case that the headline tells, and the comparison that it rests on.
    signal
        Where the signal lies, in a few words; None where no pools were compared, or nothing is
        concluded.
    silent
        What stands in the place of verdicts on modalities, or None where they are judged.
    supports
        What stands beside the headline: the strongest and weakest modality, and distillation.
    trust
        The checklist.
    answers, tiles
        The rest of the verdict block.
    not_ok
        Methods without a result.
    processor_seconds
        What the methods took together, None where it is not known.
    version
        The version of balmi that wrote this.
    """

    dataset: str
    title: str | None
    samples: int
    complete: int
    classes: tuple[str, ...]
    modalities: tuple[str, ...]
    strongest: str | None
    weakest: str | None
    entropy: float | None
    information: tuple[LabelInformation, ...]
    parts: tuple[Parts, ...]
    margins: tuple[Margin, ...]
    distillation: str | None
    differences: tuple[Difference, ...]
    metric: Metric
    best: str | None
    hardest: str
    scores: dict[str, Score]
    conclusions: tuple[Conclusion, ...]
    keep: Conclusion
    headline: str
    decision: Decision
    signal: str | None
    silent: str | None
    supports: tuple[str, ...]
    trust: TrustView
    answers: tuple[Answer, ...]
    tiles: tuple[Tile, ...]
    not_ok: tuple[MethodStatus, ...]
    processor_seconds: float | None
    version: str

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return asdict(self)


class View(SimpleNamespace):
    """Everything that one dataset's report shows: `summary`, and every section's view by its name.

    The names are those of `balmi.report.contents.SECTIONS`.
    """

    summary: Summary


def supports(views: Views) -> tuple[str, ...]:
    """Return what stands beside the headline; nothing where modalities are not judged."""
    if silence(views.decision) is not None:
        return ()
    ranked = ranking(views) if views.information.label else None
    distilled = prospect(views.information.margins)
    sentences = (ranked, distilled and distilled.sentence)
    return tuple(sentence for sentence in sentences if sentence is not None)


def concluded(view: InformationView, decision: Decision) -> InformationView:
    """Return the view of information with its verdicts where modalities are judged."""
    quiet, word = silence(decision), silent_word(decision)
    return view if quiet is None or word is None else withhold(view, quiet, word)


def _signal(access: AccessView | None) -> str | None:
    return None if access is None or access.quiet else str(access.found)


def _parts(views: Views) -> tuple[Parts, ...]:
    """Return what each modality shares with all others, itself the first."""
    view, rest = views.information, len(views.cohort.modalities) > 2
    found = (parts_of(view.parts, row.modality, rest=rest) for row in view.label)
    return tuple(each for each in found if each is not None)


def _processor_seconds(statuses: Sequence[MethodStatus]) -> float | None:
    known = [row.processor_seconds for row in statuses if row.processor_seconds is not None]
    return sum(known) if known else None


def _summary(dataset: str, title: str | None, views: Views) -> Summary:
    told = prospect(views.information.margins)
    return Summary(
        dataset=dataset,
        title=title,
        samples=views.cohort.samples,
        complete=views.cohort.complete,
        classes=tuple(row.name for row in views.cohort.classes),
        modalities=tuple(row.name for row in views.cohort.modalities),
        strongest=views.information.strongest,
        weakest=views.information.weakest,
        entropy=views.information.entropy,
        information=views.information.label,
        parts=_parts(views),
        margins=views.information.margins,
        distillation=told and told.short,
        differences=key_differences(views.performance),
        metric=views.performance.metric,
        best=next((row.name for row in views.performance.methods if row.folds), None),
        hardest=hardest(views.performance.closeup, short=True),
        scores={
            row.name: row.scores[views.performance.metric.key]
            for row in views.performance.methods
            if views.performance.metric.key in row.scores
        },
        conclusions=conclusions(views),
        keep=keep(views),
        headline=headline(views.decision),
        decision=views.decision,
        signal=_signal(views.performance.access),
        silent=silent_word(views.decision),
        supports=supports(views),
        trust=views.trust,
        answers=answers(views),
        tiles=tiles(views),
        not_ok=views.performance.not_ok,
        processor_seconds=_processor_seconds(views.performance.statuses),
        version=balmi.__version__,
    )


def build_view(
    dataset: str,
    cohort: Roster,
    tables: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any],
    title: str | None = None,
) -> View:
    """Compute the view model of a dataset.

    Parameters
    ----------
    dataset
        The dataset's name.
    cohort
        The cohort.
    tables
        The tables of the contract that are shown; ``plan``, ``complementarity`` and ``absence``
        where there are any.
    settings
        The resolved configuration.
    title
        The dataset's title for people.
    """
    trust = trust_view(tables["trust"])
    evaluation = settings["evaluation"]
    automatic = evaluation["repeats"] == AUTO
    decision = decide(tables, cohort, PrimaryMetric(settings["primary_metric"]))
    quiet = silence(decision)
    information = information_view(
        tables["information"],
        cohort.modalities,
        tables.get("plan"),
        tables.get("complementarity"),
        len(cohort.samples),
    )
    views = Views(
        cohort=cohort_view(cohort, tables.get("absence")),
        performance=performance_view(
            tables, cohort, evaluation["scheme"], decision, automatic, quiet
        ),
        information=concluded(information, decision),
        trust=trust,
        decision=decision,
    )
    quiet = quiet or views.performance.design.unjudged
    material = Material(tables, cohort, settings, views, quiet)
    summary = _summary(dataset, title, views)
    return View(summary=summary, **views_of(material))
