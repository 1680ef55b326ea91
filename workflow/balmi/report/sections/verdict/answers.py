"""The questions of the report, answered in plain words from the views and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.data.usable import UNLABELLED
from balmi.evaluation.decision import COMPLETE, MASK, RANKING
from balmi.evaluation.primary import BALANCED, NETWORK, POOL, SINGLE, STACKED
from balmi.evaluation.trust import LABEL_SOURCE
from balmi.numerals import (
    beside,
    counted,
    counted_samples,
    decimal,
    inflected,
    limits,
    signed,
    with_limits,
)
from balmi.report.conclusions.combining import headline, made_of, silence
from balmi.report.conclusions.differences import BESIDE, KINDS, adjusted_p, resolution, rule
from balmi.report.conclusions.distillation import distilled, expected, prospect
from balmi.report.conclusions.questions import ANSWERS, Question
from balmi.report.conclusions.sharing import above_chance, redundancy
from balmi.report.conclusions.signal import LIES, gain_told, synergy_told
from balmi.report.conclusions.signal import RULE as SIGNAL_RULE
from balmi.report.conclusions.trust import absence_predicts, checked
from balmi.report.conclusions.which import carries, ranking
from balmi.report.kit.words import brief, joined, percent
from balmi.report.sections.information.decomposition import parts_of
from balmi.report.sections.information.refusals import LABEL_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.evaluation.decision import Decision
    from balmi.evaluation.primary import Roles
    from balmi.report.kit.metrics import Metric
    from balmi.report.sections.cohort.view import CohortView
    from balmi.report.sections.information.view import InformationView
    from balmi.report.sections.performance.view import Difference, PerformanceView
    from balmi.report.sections.verdict.trust import TrustView

# What the predictor of each role is called as a subject, and what it is compared with.
TITLES = {POOL: "The pool of experts", BALANCED: "The balanced network"}
ALONE = {
    POOL: "the experts of one modality alone",
    BALANCED: "one modality alone",
}
SIMPLE = {
    POOL: {
        NETWORK: "the balanced network",
        "concat-lr": "a linear model on all features",
        "concat-forest": "a forest on all features",
    },
    BALANCED: {
        "concat-lr": "a linear model on all features",
        "concat-mlp": "a plain network on all features",
    },
}


def meanings(roles: Roles) -> dict[tuple[str, str], str]:
    """Return the pairs that answer whether combining helps, in the order in which they are told.

    Parameters
    ----------
    roles
        The predictor that the report is about.

    Returns
    -------
    dict of tuple to str
        Method and reference -> what their difference is of.
    """
    title = TITLES[roles]
    return {
        (roles.own, roles.single): f"{title} against {ALONE[roles]}",
        (STACKED, SINGLE): "Stacking linear models against one modality alone",
        (roles.own, STACKED): f"{title} against stacking linear models",
        **{(roles.own, name): f"{title} against {what}" for name, what in SIMPLE[roles].items()},
    }


UNDERESTIMATED = "information"  # the trust check of whether estimates are too low


@dataclass(frozen=True)
class Statement:
    """A sentence, with the verdict that it rests on where it reports a difference."""

    text: str
    verdict: str | None = None


@dataclass(frozen=True)
class Answer:
    """A question, the short answer, and what it rests on."""

    question: str
    headline: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Tile:
    """A number for the top of the page, with what it is and what qualifies it."""

    label: str
    value: str
    note: str
    verdict: str | None = None


@dataclass(frozen=True)
class Views:
    """The views that the answers are made from."""

    cohort: CohortView
    performance: PerformanceView
    information: InformationView
    trust: TrustView
    decision: Decision


def key_differences(performance: PerformanceView) -> tuple[Difference, ...]:
    """Return the comparisons that answer whether combining helps, as far as they were made."""
    differences = (performance.difference(*pair) for pair in meanings(performance.roles))
    return tuple(row for row in differences if row is not None)


def _concluding(question: Question, views: Views, statements: Sequence[Statement]) -> Answer:
    """Answer a question of the registry as it says, and with what that rests on."""
    return Answer(str(question), ANSWERS[question](views).sentence, tuple(statements))


def _not_estimated(view: InformationView) -> list[Statement]:
    """Say why no modality was estimated; nothing where the table does not name them."""
    rows = [row for row in view.refusals if row.topic == LABEL_TOPIC]
    return [
        Statement(f"{joined([brief(name) for name in row.which])}: {row.reason}.") for row in rows
    ]


def _which_modality(views: Views) -> Answer | None:
    view = views.information
    if not view.label:
        refused = _not_estimated(view)
        return _concluding(Question.WHICH, views, refused) if refused else None
    statements = [Statement(ranking(views))]
    for row in sorted(view.label, key=lambda row: -row.estimate):
        amount = with_limits(row.estimate, row.lower, row.upper)
        share = "" if row.share is None else f", {percent(row.share)} of the label's entropy"
        statements.append(Statement(f"{brief(row.modality)}: {amount} nats{share}."))
    warned = (views.trust.caution(name) for name in (LABEL_SOURCE, UNDERESTIMATED))
    statements += [Statement(text) for text in warned if text is not None]
    if silence(views.decision) is None:
        statements += _concluded(views)
    return _concluding(Question.WHICH, views, statements)


def _concluded(views: Views) -> list[Statement]:
    """Say what follows from the estimates: which are above chance, and how they share."""
    view, modalities = views.information, len(views.cohort.modalities)
    top = max(view.label, key=lambda row: row.estimate)
    sentences = (
        above_chance(view.label, modalities),
        view.balance and view.balance.sentence,
        redundancy(top, parts_of(view.parts, top.modality, rest=modalities > 2)),
    )
    return [Statement(sentence) for sentence in sentences if sentence is not None]


def _where(row: Difference, decision: Decision) -> str:
    """Name the samples that a comparison is made on, where some sample lacks a modality."""
    if not decision.lacking:
        return ""
    which = counted_samples(decision.complete, "samples with all modalities")
    complete = f", among the {which}"
    return complete if row.samples == COMPLETE else ", over all samples"


def _told(row: Difference, decision: Decision, kind: str) -> Statement:
    amount = with_limits(row.difference, row.lower, row.upper, signed)
    meaning = meanings(decision.roles)[row.method, row.reference]
    text = f"{kind}: {meaning} ({row.method} − {row.reference}){_where(row, decision)}: {amount}"
    return Statement(text + adjusted_p(row), row.verdict)


def _told_differences(views: Views, rows: Sequence[Difference]) -> list[Statement]:
    """Tell the comparisons, the primary one on the other samples too."""
    other = [views.performance.other(row) for row in rows if row.primary]
    fixed = [_told(row, views.decision, KINDS[row.primary]) for row in rows]
    beside = [_told(row, views.decision, BESIDE) for row in other if row is not None]
    return [*fixed[:1], *beside, *fixed[1:]]


def _does_combining_help(views: Views) -> Answer | None:
    performance = views.performance
    if not performance.methods or len(views.cohort.modalities) < 2:
        return None
    rows = key_differences(performance)
    statements = [Statement(headline(views.decision))]
    statements += [Statement(rule(performance.metric))] if rows else []
    statements += _told_differences(views, rows)
    roles = performance.roles
    wanted = {roles.own, roles.single, STACKED, SINGLE}
    lacking = [row for row in performance.not_ok if row.name in wanted]
    statements += [
        Statement(f"{row.name} gave no result and is left out of comparisons.") for row in lacking
    ]
    if roles.own in {row.method for row in rows}:
        statements.append(Statement(made_of(roles, performance.metric.key)))
    if performance.log_loss is not None:
        row = performance.log_loss
        amount = with_limits(row.difference, row.lower, row.upper, signed)
        text = f"In log-loss, where less is better ({row.method} − {row.reference})"
        text += f"{_where(row, views.decision)}: {amount}{adjusted_p(row)}"
        statements.append(Statement(text, row.verdict))
    return _concluding(Question.HELPS, views, statements)


def _where_does_the_signal_lie(views: Views) -> Answer | None:
    question, access = "Where does the signal lie?", views.performance.access
    if access is None:
        return None
    if access.quiet:
        return Answer(question, access.quiet, ())
    where = _among_complete(views.decision)
    statements = [Statement(SIGNAL_RULE.format(where))]
    statements += [Statement(gain_told(row), row.verdict) for row in access.told]
    synergy = synergy_told(access, views.information.parts)
    if synergy is not None:
        statements.append(Statement(synergy))
    return Answer(question, LIES[access.found], tuple(statements))


def _among_complete(decision: Decision) -> str:
    return (
        f", among the {counted(decision.complete, 'complete sample')}" if decision.lacking else ""
    )


def _sample_statements(cohort: CohortView) -> list[Statement]:
    statements = []
    lacking = cohort.samples - cohort.complete
    if lacking:
        share = percent(lacking / cohort.samples)
        verb = inflected(lacking, "lacks", "lack")
        text = f"{counted(lacking, 'sample')} ({share}) {verb} at least one modality."
        statements.append(Statement(text))
    lost = joined([counted_samples(count, what) for what, count in cohort.dropped if count])
    if lost:
        unmatched = any(count for what, count in cohort.dropped if what != UNLABELLED)
        question = " Do the ids of all tables agree?" if unmatched else ""
        statements.append(Statement(f"Left out: {lost}.{question}"))
    return statements


def _can_it_be_trusted(views: Views) -> Answer:
    cohort, performance = views.cohort, views.performance
    failed = [row.name for row in performance.not_ok if row.status == "failed"]
    statements = [Statement(checked(views.trust, failed))]
    statements += _sample_statements(cohort)
    if performance.design.total:
        shared = "Folds share training samples; the intervals are widened for it."
        statements.append(Statement(f"{performance.design.sentence} {shared}"))
    mask = next((row for row in performance.methods if row.name == MASK), None)
    told = (
        resolution(key_differences(performance), performance.metric.amount),
        mask and absence_predicts(views.decision, mask.scores[RANKING]),
    )
    statements += [Statement(text) for text in told if text is not None]
    for row in performance.not_ok:
        state = row.status.replace("_", " ")
        statements.append(Statement(f"{row.name} ({state}): {row.reason or 'no reason given'}"))
    return _concluding(Question.TRUST, views, statements)


def _does_distillation_help(views: Views) -> Answer | None:
    view = views.information
    advice = prospect(view.margins)
    if advice is None:
        return None
    quiet = silence(views.decision)
    statements = []
    if quiet is None:
        statements = [Statement(text) for text in (*advice.grounds, *expected(view.margins))]
    if view.agreement is not None and quiet is None:
        statements.append(Statement(view.agreement.sentence))
    statements += [Statement(text) for text in distilled(view.lessons)]
    return Answer("Is distillation predicted to help?", quiet or advice.sentence, tuple(statements))


QUESTIONS: tuple[Callable[[Views], Answer | None], ...] = (
    _which_modality,
    _does_combining_help,
    _where_does_the_signal_lie,
    _can_it_be_trusted,
    _does_distillation_help,
)


def answers(views: Views) -> tuple[Answer, ...]:
    """Answer the questions for which there are data."""
    replies = (question(views) for question in QUESTIONS)
    return tuple(answer for answer in replies if answer is not None)


def _strongest_tile(views: Views) -> Tile:
    view, (_, state) = views.information, carries(views)
    row = next((row for row in view.label if row.modality == view.strongest), None)
    if row is None:
        top = max(view.label, key=lambda row: row.estimate)
        note = f"highest estimate: {brief(top.modality)}, {decimal(top.estimate)} nats"
        return Tile("Strongest modality", str(state), note)
    share = "" if row.share is None else f", {percent(row.share)} of the entropy"
    note = f"{with_limits(row.estimate, row.lower, row.upper)} nats{share}"
    return Tile("Strongest modality", brief(row.modality), note)


def _difference_tile(row: Difference, decision: Decision, metric: Metric) -> Tile:
    note = f"{metric.title}{metric.aside}, from {limits(row.lower, row.upper, signed)}"
    note += adjusted_p(row)
    label = f"{row.method} − {row.reference}"
    if decision.lacking:
        label += ", complete samples" if row.samples == COMPLETE else ", all samples"
    return Tile(label, beside(row.difference, row.lower, row.upper, signed), note, row.verdict)


def tiles(views: Views) -> tuple[Tile, ...]:
    """Return the four tiles; where a comparison was not made, the next best fact."""
    cohort, performance, metric = views.cohort, views.performance, views.performance.metric
    rarest = cohort.rarest
    modalities = counted(len(cohort.modalities), "modality", "modalities")
    classes = counted(len(cohort.classes), "class", "classes")
    note = f"{classes}, {modalities}; rarest class {brief(rarest.name)}: {rarest.count}"
    result = [Tile("Samples", f"{cohort.samples:,}", note)]
    if len(views.information.label) > 1:
        result.append(_strongest_tile(views))
    # With one modality there is nothing to combine, and no difference that says whether it helps.
    several = len(cohort.modalities) > 1
    differences = [
        row
        for row in key_differences(performance)
        if several and row.method == performance.roles.own
    ]
    result += [_difference_tile(row, views.decision, metric) for row in differences]
    for row in performance.methods:
        score = row.scores.get(metric.key)
        if score is not None and score.mean is not None:
            note = f"from {limits(score.lower, score.upper)}{metric.aside}"
            value = beside(score.mean, score.lower, score.upper)
            result.append(Tile(f"{metric.title} of {row.name}", value, note))
    return tuple(result[:4])
