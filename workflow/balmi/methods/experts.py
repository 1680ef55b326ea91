"""Experts of a network method, pooled by weights that out-of-fold predictions decide.

The members of a fold hold out different inner folds of its training side, so that together they say
something of every training sample that none of them has learned from. On those samples each expert
gets its temperature and its weight in a linear pool. One of the experts may be stacked logistic
regression: the pool then contains the linear model, and leaves it only as far as held-out
likelihood asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Expert
from balmi.errors import MethodNotApplicable
from balmi.information.pool import best_temperature, pool_weights, tempered
from balmi.methods.peers.logistic import logistic
from balmi.methods.peers.stacking import meta_features, stacked_out_of_fold
from balmi.methods.peers.task import FoldTask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.data.splits import Split
    from balmi.networks.data import ReplicaData


@dataclass(frozen=True)
class HeldOut:
    """What an expert says of the samples of one fold.

    Parameters
    ----------
    inner
        Probabilities of the training side, each by a model that has not learned from the sample;
        NaN where there is none; (fit, classes).
    test
        Probabilities of the test samples; (test, classes).
    """

    inner: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Pool:
    """The experts of one fold, pooled.

    Parameters
    ----------
    temperatures, weights
        One per expert.
    test
        Pooled probabilities of the test samples; (test, classes).
    """

    temperatures: np.ndarray
    weights: np.ndarray
    test: np.ndarray


def join_members(members: Sequence[Split], probabilities: np.ndarray) -> HeldOut:
    """Put together what the members of a fold say: held-out where it can be, the mean on tests.

    Parameters
    ----------
    members
        The members of one fold.
    probabilities
        Of all samples of the cohort, by every member; (members, n, ..., classes).

    Returns
    -------
    HeldOut
        With the axes between samples and classes kept.
    """
    fit, test = members[0].fit, members[0].test
    inner = np.full((len(fit), *probabilities.shape[2:]), np.nan)
    for split, own in zip(members, probabilities, strict=True):
        inner[np.searchsorted(fit, split.validation)] = own[split.validation]
    return HeldOut(inner, probabilities[:, test].mean(axis=0))


def linear_expert(task: FoldTask, inner: np.ndarray) -> HeldOut:
    """Return what stacked logistic regression says.

    Parameters
    ----------
    task
        The fold.
    inner
        Inner fold of every training-side sample; (fit,).
    """
    return HeldOut(*stacked_out_of_fold(task, inner))


def learned_expert(unimodal: HeldOut, task: FoldTask, inner: np.ndarray) -> HeldOut:
    """Return what a logistic regression on the modalities' heads says.

    Parameters
    ----------
    unimodal
        Probabilities of the modalities' heads, of the class frequencies where a sample lacks the
        modality; (samples, modalities, classes).
    task
        The fold, for labels and number of classes.
    inner
        Inner fold of every training-side sample; (fit,).

    Raises
    ------
    MethodNotApplicable
        Where there is one member alone: it says nothing of its own stack.
    """
    labels = task.labels[task.fit]
    known = ~np.isnan(unimodal.inner).any(axis=(1, 2))
    learn = meta_features(list(np.moveaxis(unimodal.inner, 1, 0)))
    test = logistic(
        learn[known],
        labels[known],
        meta_features(list(np.moveaxis(unimodal.test, 1, 0))),
        task.classes,
    )
    found = np.full((len(labels), task.classes), np.nan)
    for number in np.unique(inner[known]):
        here, rest = known & (inner == number), known & (inner != number)
        if not rest.any():
            raise MethodNotApplicable(
                "the expert 'learned' needs two members per fold, with an inner fold each"
            )
        found[here] = logistic(learn[rest], labels[rest], learn[here], task.classes)
    return HeldOut(found, test)


def task_of_replica(data: ReplicaData, groups: np.ndarray | None, replica: int) -> FoldTask:
    """Return the fold of a replica as the peers see it.

    Parameters
    ----------
    data
        The replicas' data.
    groups
        Group of every sample, or None; (n,).
    replica
        Any member of the fold.
    """
    split, fold = data.splits[replica], int(data.folds[replica])
    features = {
        name: values[fold, :, : widths[replica]].double().cpu().numpy()
        for name, values, widths in zip(data.modalities, data.inputs, data.widths, strict=True)
    }
    return FoldTask(
        features=features,
        available=data.available[replica].cpu().numpy(),
        labels=data.labels.cpu().numpy(),
        groups=groups,
        classes=data.classes,
        fit=split.fit,
        test=split.test,
        seed=split.repeat,
    )


def what_experts_say(
    experts: Sequence[Expert], heads: HeldOut, task: FoldTask, inner: np.ndarray
) -> list[HeldOut]:
    """Return what every expert says of a fold.

    Parameters
    ----------
    experts
        The experts.
    heads
        Probabilities of all heads of the network, the joint ones last and in the experts' order;
        (samples, heads, classes).
    task
        The fold.
    inner
        Inner fold of every training-side sample; (fit,).
    """
    joint = [expert for expert in experts if expert.is_head]
    modalities = heads.test.shape[1] - len(joint)
    said = {expert: modalities + place for place, expert in enumerate(joint)}
    return [
        HeldOut(heads.inner[:, said[expert]], heads.test[:, said[expert]])
        if expert in said
        else REGRESSIONS[expert](heads, task, inner)
        for expert in experts
    ]


def _linear(heads: HeldOut, task: FoldTask, inner: np.ndarray) -> HeldOut:
    return linear_expert(task, inner)


def _learned(heads: HeldOut, task: FoldTask, inner: np.ndarray) -> HeldOut:
    """Return what the learned expert says, who reads class frequencies of absent modalities."""
    has = task.available
    inside, outside = (
        np.where(has[rows][..., None], said[:, : has.shape[1]], task.prior)
        for rows, said in ((task.fit, heads.inner), (task.test, heads.test))
    )
    return learned_expert(HeldOut(inside, outside), task, inner)


REGRESSIONS: dict[Expert, Callable[[HeldOut, FoldTask, np.ndarray], HeldOut]] = {
    Expert.LINEAR: _linear,
    Expert.LEARNED: _learned,
}


def pool_experts(experts: Sequence[HeldOut], labels: np.ndarray) -> Pool:
    """Temper every expert and pool them, by their likelihood on held-out training samples.

    Parameters
    ----------
    experts
        At least one.
    labels
        Class codes of the training side; (fit,).
    """
    known = ~np.any([np.isnan(expert.inner).any(axis=1) for expert in experts], axis=0)
    seen, rows = labels[known], np.arange(known.sum())
    temperatures = np.array([best_temperature(expert.inner[known], seen) for expert in experts])
    inner = [
        tempered(expert.inner[known], temperature)
        for expert, temperature in zip(experts, temperatures, strict=True)
    ]
    weights = pool_weights(np.column_stack([each[rows, seen] for each in inner]))
    test = pooled([expert.test for expert in experts], temperatures, weights)
    return Pool(temperatures, weights, test)


def pooled(said: Sequence[np.ndarray], temperatures: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return what experts say together; (samples, classes).

    Parameters
    ----------
    said
        Probabilities by every expert; (samples, classes) each.
    temperatures, weights
        One per expert.
    """
    each = [tempered(own, temperature) for own, temperature in zip(said, temperatures, strict=True)]
    total = np.tensordot(weights, np.array(each), axes=1)
    return total / total.sum(axis=1, keepdims=True)


def expert_rows(method: str, split: Split, names: Sequence[Expert], pool: Pool) -> pd.DataFrame:
    """Return a fold's rows of ``tables/experts.csv``."""
    return pd.DataFrame(
        {
            "method": str(method),
            "repeat": split.repeat,
            "fold": split.fold,
            "expert": [str(name) for name in names],
            "temperature": pool.temperatures,
            "weight": pool.weights,
        }
    )
