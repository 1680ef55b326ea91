"""Train the final model: on all labelled samples, with preprocessing that all of them set.

What weighs and calibrates its experts is said out of inner folds, as in the evaluation. No score of
the evaluation enters it, and none is computed of what it was fitted to.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.kernel_approximation import Nystroem

from balmi.config.kinds import Kind
from balmi.config.methods import NETWORKS
from balmi.config.settings import Method, PrimaryMetric
from balmi.data.measurements import dense
from balmi.data.subsample import FEWEST as FEWEST_OF_CLASS
from balmi.data.subsample import subsample
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.logs import followed
from balmi.methods.deciding import MOST_PROBABLE, Rule
from balmi.methods.outcome import attempt
from balmi.methods.peers.early import FittedMachine
from balmi.methods.peers.registry import NEEDS, PEERS, predicted
from balmi.methods.peers.side import TrainingSide
from balmi.methods.pooled.imputing import Donors
from balmi.methods.pooled.method import NestedPools, OnePool, Pool
from balmi.prediction.completing import LEVELS
from balmi.prediction.distribution import fit_envelope
from balmi.prediction.fingerprints import fingerprints
from balmi.prediction.masking import ENOUGH, FEWEST, HeldOut, Widening, measure
from balmi.prediction.model import (
    FinalModel,
    ModalityModel,
    TrainingRows,
    write_model,
    write_reason,
)
from balmi.prediction.units import Usual
from balmi.preprocess.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from balmi.config.settings import Settings
    from balmi.data.cohort import Cohort
    from balmi.methods.peers.registry import FittedPeer
    from balmi.preprocess.fitted import Fitted

logger = logging.getLogger("balmi")

OF_ROWS = (FittedMachine, Nystroem, Donors)
# Samples of which units, ways to vary and the harm of missing features are learned, where there are
# more: more of them tell no more.
LOOKED_AT = 1000


def holds_rows(thing: Any) -> bool:
    """Return whether something learned holds measurements of training samples."""
    if isinstance(thing, OF_ROWS):
        return True
    if isinstance(thing, tuple):
        return any(map(holds_rows, thing))
    if isinstance(thing, dict):
        return any(map(holds_rows, thing.values()))
    return is_dataclass(thing) and any(holds_rows(getattr(thing, f.name)) for f in fields(thing))


def _without_rows(pool: Pool, side: TrainingSide) -> Pool:
    """Return the pool of those experts that hold no training samples."""
    return Pool.of([expert for expert in pool.experts if not holds_rows(expert.fitted)], side)


def _one_without_rows(one: OnePool, side: TrainingSide) -> OnePool:
    return OnePool.of({name: _without_rows(pool, side) for name, pool in one.pools.items()}, side)


# What a fitted method is without measurements of training samples, where it may hold any.
_WITHOUT_ROWS: dict[type, Callable[[Any, TrainingSide], FittedPeer]] = {
    Pool: _without_rows,
    OnePool: _one_without_rows,
}


def learn(method: Method, side: TrainingSide, rows: bool = True) -> FittedPeer:
    """Fit a method, and keep of it what predicts.

    Parameters
    ----------
    method
        One of `balmi.config.settings.FINAL_METHODS` that trains no network.
    side
        What it learns from.
    rows
        Whether it may hold measurements of training samples.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As the method does.
    """
    if method in NEEDS:
        NEEDS[method](side.samples.available)
    peer = PEERS[method](side)
    kept = peer.whole if isinstance(peer, NestedPools) else peer
    without = _WITHOUT_ROWS.get(type(kept))
    return kept if rows or without is None else without(kept, side)


def _followed(predictor: FittedPeer, metric: PrimaryMetric, side: TrainingSide) -> FittedPeer:
    """Return what calls classes as `balmi.evaluation.held_out.as_followed` has it."""
    rules = {
        PrimaryMetric.ACCURACY: MOST_PROBABLE,
        PrimaryMetric.BALANCED_ACCURACY: Rule(1.0, side.smoothed_prior),
    }
    if isinstance(predictor, Pool | OnePool) and metric in rules:
        return replace(predictor, rule=rules[metric])
    return predictor


@dataclass(frozen=True)
class Trained:
    """A final model, and the training samples that its experts may need."""

    model: FinalModel
    rows: TrainingRows


@dataclass(frozen=True)
class LookedAt:
    """Samples that are looked at closely: their numbers, and all that is learned of them."""

    rows: np.ndarray
    side: TrainingSide


def train_final(cohort: Cohort, settings: Settings, about: Mapping[str, Any]) -> Trained:
    """Train the final model of a cohort.

    Parameters
    ----------
    cohort
        The cohort: all of its samples are learned from.
    settings
        The configuration; ``final`` says by which method.
    about
        What the model is to tell about its making.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As the method does.
    """
    method, rows, seed = settings.final.method, settings.final.rows, settings.evaluation.seed
    if method is None:
        raise MethodNotApplicable("final.method is null")
    features = Features(cohort, settings.preprocessing.max_features)
    everyone = np.arange(len(cohort.samples))
    fitted = features.fit(everyone)
    side = _side(cohort, features, fitted, everyone, seed)
    some = subsample(
        side.labels,
        side.samples.available,
        side.groups,
        LOOKED_AT,
        np.random.default_rng([seed, 4]),
        fewest=FEWEST_OF_CLASS,
    )
    looked = LookedAt(some, _side(cohort, features, fitted, some, seed))
    learned = _learned(settings, cohort, features, everyone, side)
    predictor = _followed(learned, settings.primary_metric, side)
    logger.info("%s has learned from %d samples", method, len(side))
    model = FinalModel(
        method=method,
        classes=cohort.classes,
        modalities={
            name: _modality(name, cohort, features, fitted, looked) for name in cohort.modalities
        },
        predictor=predictor,
        prior=side.smoothed_prior,
        widening=measure_missing(cohort, settings, looked),
        about={
            **about,
            "samples": len(side),
            "class_counts": np.bincount(side.labels, minlength=side.classes).tolist(),
            "label": cohort.provenance.get("label"),
            "rows_allowed": rows,
            "holds_rows": holds_rows(predictor),
        },
    )
    has = {name: side.samples.has(name) for name in cohort.modalities}
    scores = {name: values[has[name]] for name, values in side.samples.features.items()}
    measured = {
        name: dense(features.values[name].values[:, fitted.modalities[name].kept])
        for name in cohort.modalities
    }
    return Trained(model, TrainingRows(scores, measured))


def _learned(
    settings: Settings, cohort: Cohort, features: Features, rows: np.ndarray, side: TrainingSide
) -> FittedPeer:
    """Fit the method of the final model to the samples of a training side, whose rows these are."""
    method = Method(settings.final.method)
    if method not in NETWORKS:
        return learn(method, side, settings.final.rows)
    from balmi.prediction.network_training import fit_networks  # with torch, which no peer needs

    return fit_networks(method, cohort, features, rows, settings)


def _side(
    cohort: Cohort, features: Features, fitted: Fitted, rows: np.ndarray, seed: int
) -> TrainingSide:
    groups = None if cohort.groups is None else cohort.groups[rows]
    samples = features.apply(fitted, rows)
    return TrainingSide(samples, cohort.labels[rows], groups, len(cohort.classes), seed)


def _modality(
    name: str, cohort: Cohort, features: Features, fitted: Fitted, some: LookedAt
) -> ModalityModel:
    """Return what the model is to know of a modality."""
    kind, held = Kind(cohort.kinds[name]), fitted.modalities[name]
    names, raw = cohort.features[name], cohort.values[name]
    components = features.components(name, np.arange(len(cohort.samples)))
    # A transform of single values needs no features but those that are kept.
    whole = kind in LEVELS or components is not None
    looked = np.arange(len(names)) if whole else held.kept
    usual = None
    if components is None:
        own, transformed = raw.of(some.rows), features.values[name].of(some.rows)
        usual = Usual.of(dense(own[:, held.kept]), dense(transformed[:, held.kept]))
    return ModalityModel(
        kind=kind,
        features=tuple(names[column] for column in looked),
        kept=np.arange(len(looked)) if components is not None or not whole else held.kept,
        fitted=held.of_kept() if components is None else held,
        levels=LEVELS[kind](raw.values) if kind in LEVELS else None,
        components=components,
        usual=usual,
        envelope=fit_envelope(some.side, name),
        marks=fingerprints(raw.values[:, looked if components is not None else held.kept]),
        samples=len(raw.rows),
    )


def measure_missing(cohort: Cohort, settings: Settings, some: LookedAt) -> Widening:
    """Train without an inner fold, and take features from that fold's samples.

    Fold by fold, until `balmi.prediction.masking.ENOUGH` samples have been held out, and of every
    modality as many as something can be measured on.

    Parameters
    ----------
    cohort, settings
        As in `train_final`.
    some
        The samples that are looked at; their inner folds are held out.
    """
    seed = settings.evaluation.seed
    features = Features(cohort, settings.preprocessing.max_features)
    parts: list[HeldOut] = []
    for rest, here in followed(some.side.base_folds, "missing features", "training"):
        if _suffice(parts):
            break
        ends = np.sort(some.rows[rest]), np.sort(some.rows[here])
        try:
            parts.append(_held_out(cohort, settings, features, *ends, seed))
        except (MethodNotApplicable, MethodFailed) as error:
            logger.warning("what missing features do is not measured on a fold: %s", error)
    return measure(parts, seed)


def _suffice(parts: Sequence[HeldOut]) -> bool:
    """Return whether held-out samples are enough, of every modality too."""
    available = [part.samples.available for part in parts]
    having = np.concatenate(available) if available else np.zeros((0, 1), dtype=bool)
    return len(having) >= ENOUGH and bool((having.sum(axis=0) >= FEWEST).all())


def _held_out(
    cohort: Cohort,
    settings: Settings,
    features: Features,
    rest: np.ndarray,
    here: np.ndarray,
    seed: int,
) -> HeldOut:
    """Return samples, and what has learned from the rest."""
    method, fitted = Method(settings.final.method), features.fit(rest)
    side = _side(cohort, features, fitted, rest, seed)
    predictor = _learned(settings, cohort, features, rest, side)
    return HeldOut(
        lambda samples: predicted(method, predictor, samples)[str(method)].probabilities,
        features.apply(fitted, here),
        cohort.labels[here],
        side.smoothed_prior,
    )


def write_final(dataset: str, cohort: Cohort, settings: Settings, folder: Path) -> None:
    """Train the final model of a cohort and write it, or why there is none.

    Parameters
    ----------
    dataset
        The dataset's name.
    cohort, settings
        As in `train_final`.
    folder
        Where it is written.
    """
    about = {
        "dataset": dataset,
        "cohort": cohort.checksum,
        "settings": settings.model_dump(mode="json"),
    }
    method = Method(settings.final.method)
    status, trained = attempt(f"final {method}", lambda: train_final(cohort, settings, about), None)
    if trained is None:
        write_reason(method, status.reason or status.status, about, folder)
    else:
        write_model(trained.model, trained.rows, folder)
