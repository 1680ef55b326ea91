"""The view of robustness: worse test samples, fewer training samples, and negative controls."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from balmi.evaluation.at_chance import Reading, read_control
from balmi.evaluation.primary import NETWORK, POOL, STACKED
from balmi.evaluation.verdicts import verdict
from balmi.report.conclusions.robustness import at_chance, fewer, lost, noisy
from balmi.report.kit.amounts import Amount, amount_of
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import known, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.report.kit.metrics import Metric

DIFFERENCE = ("difference", "difference_lower", "difference_upper")
VALUE = ("value", "lower", "upper")
CONTROL_NAMES = {
    "leak": "noise that holds the labels of test samples alone",
    "labels": "permuted labels",
}
RUNS = {"probes": "worse test samples", "share": "fewer training samples", **CONTROL_NAMES}


@dataclass(frozen=True)
class Effect:
    """What one change does to a method's score.

    Parameters
    ----------
    metric
        The metric that verdicts follow.
    method
        The method.
    modality
        The modality that is changed; None for a share of the training samples.
    level
        Standard deviations of noise, or the share of the training samples; None for the others.
    value
        The score after the change.
    difference
        Paired difference from the same method on whole data.
    folds
        Test folds that they are of.
    """

    metric: Metric
    method: str
    modality: str | None
    level: float | None
    value: Amount
    difference: Amount
    folds: int

    @property
    def verdict(self) -> str | None:
        """The verdict on the difference, None where it has no interval."""
        lower, upper = self.difference.lower, self.difference.upper
        if lower is None or upper is None:
            return None
        return str(verdict(lower, upper, more_is_better=self.metric.more_is_better))

    @property
    def whole(self) -> bool:
        """Whether nothing was changed."""
        return self.level == (1 if self.modality is None else 0)


@dataclass(frozen=True)
class Sweep:
    """One method's score along the levels of a change, the lowest level first."""

    method: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Panel:
    """The sweeps of one modality; of the training samples where `modality` is None."""

    modality: str | None
    sweeps: tuple[Sweep, ...]

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels at which something was changed."""
        levels = {each.level for sweep in self.sweeps for each in sweep.effects if not each.whole}
        return tuple(sorted(level for level in levels if level is not None))

    @property
    def folds(self) -> int:
        """Test folds that were run, at most: a fold may leave a metric undefined."""
        return max(each.folds for sweep in self.sweeps for each in sweep.effects)


@dataclass(frozen=True)
class ControlRow:
    """A method's macro AUROC where nothing can be learned; .5 is chance.

    `lower99` is the lower limit of the 99 % interval, which decides; `folds` counts the test folds.
    """

    control: str
    method: str
    amount: Amount | None
    lower99: float | None
    folds: int

    @property
    def meaning(self) -> str:
        """What was done to the data."""
        return CONTROL_NAMES[self.control]

    @property
    def reading(self) -> Reading:
        """What its interval says."""
        held = self.amount
        ends = (None, None) if held is None else (held.lower, held.upper)
        lower, upper, strict = (nan if end is None else end for end in (*ends, self.lower99))
        return read_control(lower, upper, strict)


@dataclass(frozen=True)
class Unfinished:
    """A run of a method that gave no result, and why."""

    what: str
    method: str
    status: str
    reason: str | None


@dataclass(frozen=True)
class Told:
    """Rows of one part of the section with what they say, or why there are none."""

    sentences: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True)
class RobustnessView:
    """What the report tells about robustness.

    Parameters
    ----------
    metric
        The metric that verdicts follow.
    methods
        The methods that were probed or trained on fewer samples: the own one and stacking first.
    noise
        One panel per modality.
    share
        The panel of training shares, or None.
    dropped, shuffled
        Effects of a modality that is absent from, or permuted among, the test samples.
    controls
        The negative controls.
    unfinished
        Runs that gave no result.
    told
        By part (noise, dropped, shuffled, share, controls): sentences, or the reason of absence.
    skipped
        What was left out of runs that ended well.
    """

    metric: Metric
    methods: tuple[str, ...]
    noise: tuple[Panel, ...]
    share: Panel | None
    dropped: tuple[Effect, ...]
    shuffled: tuple[Effect, ...]
    controls: tuple[ControlRow, ...]
    unfinished: tuple[Unfinished, ...]
    told: dict[str, Told]
    skipped: tuple[str, ...] = ()

    @property
    def lost(self) -> tuple[tuple[str, str, Effect | None, Effect | None], ...]:
        """Modality, method, and what its absence and its permutation do, the worst first."""
        rows: dict[tuple[str, str], dict[str, Effect]] = {}
        for kind, effects in (("dropped", self.dropped), ("shuffled", self.shuffled)):
            for effect in effects:
                rows.setdefault((effect.modality or "", effect.method), {})[kind] = effect
        told = ((*key, row.get("dropped"), row.get("shuffled")) for key, row in rows.items())
        return tuple(sorted(told, key=lambda row: -harm(row[2] or row[3])))

    @property
    def noisy(self) -> tuple[tuple[str | None, Sweep], ...]:
        """Modality and sweep of every method, those first whom most noise harms most."""
        told = [(panel.modality, sweep) for panel in self.noise for sweep in panel.sweeps]
        return tuple(sorted(told, key=lambda row: -harm(row[1].effects[-1])))


def harm(effect: Effect | None) -> float:
    """Return how much worse a change makes a score."""
    if effect is None:
        return 0.0
    estimate = effect.difference.estimate
    return -estimate if effect.metric.more_is_better else estimate


def ordered_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of methods, the own one and stacking first."""
    first = [name for name in (POOL.own, NETWORK, STACKED) if name in names]
    return (*first, *sorted(set(names) - set(first)))


def _effect(row: Mapping[str, Any], metric: Metric) -> Effect | None:
    value, difference = amount_of(row, VALUE), amount_of(row, DIFFERENCE)
    if value is None or difference is None:
        return None
    modality = row["modality"] if isinstance(row["modality"], str) else None
    level, folds = known(row["level"]), int(row["folds"])
    return Effect(metric, row["method"], modality, level, value, difference, folds)


def _effects(
    robustness: pd.DataFrame, methods: Sequence[str], names: Sequence[str], metric: Metric
) -> dict[str, tuple[Effect, ...]]:
    """Return the effects on a metric by kind, in the order of modalities, methods and levels."""
    main = robustness[robustness["metric"] == metric.key]
    by_kind: dict[str, list[Effect]] = {}
    for row in main.to_dict("records"):
        effect = _effect(row, metric)
        if effect is not None:
            by_kind.setdefault(row["kind"], []).append(effect)
    places = {name: place for place, name in enumerate(names)}

    def order(each: Effect) -> tuple[int, int, float]:
        return places.get(each.modality or "", 0), methods.index(each.method), each.level or 0

    return {kind: tuple(sorted(rows, key=order)) for kind, rows in by_kind.items()}


def _panel(modality: str | None, effects: Sequence[Effect]) -> Panel:
    mine = [effect for effect in effects if effect.modality == modality]
    sweeps = (
        Sweep(method, tuple(effect for effect in mine if effect.method == method))
        for method in dict.fromkeys(effect.method for effect in mine)
    )
    return Panel(modality, tuple(sweeps))


def _controls(controls: pd.DataFrame, methods: Sequence[str]) -> tuple[ControlRow, ...]:
    rows = [
        ControlRow(
            row["control"],
            row["method"],
            amount_of(row, VALUE),
            known(row["lower99"]),
            int(row["folds"]),
        )
        for row in controls.to_dict("records")
    ]
    kinds = list(CONTROL_NAMES)
    return tuple(
        sorted(rows, key=lambda row: (kinds.index(row.control), methods.index(row.method)))
    )


def _unfinished(status: pd.DataFrame) -> tuple[Unfinished, ...]:
    rows = []
    for row in status[status["status"] != "ok"].to_dict("records"):
        level = known(row["level"])
        what = RUNS[row["kind"]] if level is None else f"{percent(level)} of the training samples"
        reason = row["reason"] if isinstance(row["reason"], str) else None
        rows.append(Unfinished(what, row["method"], row["status"].replace("_", " "), reason))
    return tuple(rows)


def _skipped(status: pd.DataFrame) -> tuple[str, ...]:
    """Return what was left out of runs that ended well, each once."""
    reasons = status.loc[status["status"] == "ok", "reason"]
    return tuple(dict.fromkeys(reason for reason in reasons if isinstance(reason, str)))


def missing_reasons(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return why a part was not run, by part, from the configuration.

    Parameters
    ----------
    settings
        The resolved configuration.
    """
    chosen = settings["robustness"]
    parts = ("noise", "dropped", "shuffled", "share", "controls", "contributions")
    if not chosen["methods"]:
        return dict.fromkeys(parts, "Not run: robustness.methods is empty.")
    if not set(chosen["methods"]) & set(settings["methods"]):
        reason = "Not run: none of robustness.methods is among methods."
        return dict.fromkeys(parts, reason)
    reasons = {}
    if not chosen["noise"]:
        reasons["noise"] = "Not run: robustness.noise is empty."
    if not chosen["shares"]:
        reasons["share"] = "Not run: robustness.shares is empty."
    if not chosen["controls"]:
        reasons["controls"] = "Not run: robustness.controls is false."
    return reasons


NO_RESULT = "No requested method gave a result; the logs say why."
NO_VALUE = "No result: {} has no value in the test folds, as where their samples are of one class."


def lacking(table: pd.DataFrame, metric: Metric) -> str:
    """Say why a table of scores has nothing of a metric."""
    valued = table["metric"] == metric.key
    return NO_RESULT if valued.any() or not len(table) else NO_VALUE.format(metric.name)


ALONE = "Not applicable: the only modality cannot be taken away."


def robustness_view(
    tables: Mapping[str, pd.DataFrame],
    modalities: Sequence[str],
    settings: Mapping[str, Any],
    quiet: str | None = None,
) -> RobustnessView:
    """Make the view of robustness.

    Parameters
    ----------
    tables
        ``robustness``, ``controls`` and ``robustness_status``, as in the contract.
    modalities
        Names in the cohort's order.
    settings
        The resolved configuration.
    quiet
        Why nothing is concluded, or None: then only what the controls found is put into words.
    """
    robustness, controls = tables["robustness"], tables["controls"]
    methods = ordered_methods([*robustness["method"], *controls["method"]])
    metric = metric_of(settings["primary_metric"])
    effects = _effects(robustness, methods, modalities, metric)
    noise = tuple(
        panel
        for panel in (_panel(name, effects.get("noise", ())) for name in modalities)
        if panel.levels
    )
    share = _panel(None, effects.get("share", ()))
    curve = share if share.levels else None
    dropped, shuffled = effects.get("dropped", ()), effects.get("shuffled", ())
    rows = _controls(controls, methods)
    sentences = {
        "noise": noisy(noise),
        "dropped": lost(dropped, "without", "losing"),
        "shuffled": lost(shuffled, "with permuted", "permuting"),
        "share": fewer(curve),
        "controls": at_chance(rows),
    }
    if quiet is not None:
        silenced = [part for part, lines in sentences.items() if lines and part != "controls"]
        sentences |= dict.fromkeys(silenced, (quiet,))
    reasons = missing_reasons(settings)
    if len(modalities) == 1:
        reasons = {"dropped": ALONE, **reasons}
    without = lacking(robustness, metric)
    texts = {
        part: Told(lines, None if lines else reasons.get(part, without))
        for part, lines in sentences.items()
    }
    status = tables["robustness_status"]
    return RobustnessView(
        metric,
        methods,
        noise,
        curve,
        dropped,
        shuffled,
        rows,
        _unfinished(status),
        texts,
        _skipped(status),
    )
