"""The pooled predictor, and its restriction to one modality, in one fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.methods import ANY_SUMS, LINEAR_SUMS
from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.information.mixing import evidence, fit_weights, pooled
from balmi.methods.deciding import Said, fit_rule
from balmi.methods.peers.choice import by_the_best, ranked
from balmi.methods.pooled.experts import Access, experts_of_all, experts_of_modality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.methods.deciding import Rule
    from balmi.methods.peers.side import TrainingSide
    from balmi.methods.pooled.experts import Expert
    from balmi.preprocess.fitted import Samples

# The pools of experts that see less than all that `pooled` does, by name.
RESTRICTED = {LINEAR_SUMS: Access.LINEAR, ANY_SUMS: Access.ADDITIVE}


@dataclass(frozen=True)
class Pool:
    """Experts that have learned, their weights, and the rule that decides on a class.

    Parameters
    ----------
    experts
        The experts.
    weights
        One per expert.
    prior
        Smoothed class frequencies of the training side.
    held_out
        What the pool says of the training side by experts that have not learned from a sample, with
        weights that have; (n, classes).
    judged
        The training samples of which every expert says something so; (n,), bool.
    rule
        The rule, chosen for what the pool says out of fold.
    """

    experts: tuple[Expert, ...]
    weights: np.ndarray
    prior: np.ndarray
    held_out: np.ndarray
    judged: np.ndarray
    rule: Rule

    @classmethod
    def of(cls, experts: Sequence[Expert], side: TrainingSide) -> Pool:
        """Weigh experts by what they say out of fold.

        Parameters
        ----------
        experts
            The experts; with none the pool says the class frequencies.
        side
            The training side that they learned from.
        """
        prior = side.smoothed_prior
        said = np.array([each.held_out for each in experts]).reshape(-1, len(side), side.classes)
        judged = ~np.isnan(said).any(axis=(0, 2))
        beyond = np.nan_to_num(_beyond(experts, said, side.samples, prior))
        weights = fit_weights(beyond[:, judged], side.labels[judged], prior)
        held_out = pooled(beyond, weights, prior)
        rule = fit_rule(held_out[judged], prior)
        return cls(tuple(experts), weights, prior, held_out, judged, rule)

    def predict(self, samples: Samples) -> Said:
        """Return what the pool says of samples."""
        return self.weigh(what_each_says(self.experts, samples), samples)

    def weigh(self, each_says: dict[str, np.ndarray], samples: Samples) -> Said:
        """Return what the pool says of samples, given what experts say.

        Parameters
        ----------
        each_says
            Name of an expert, of those of this pool at least -> probabilities; (n, classes).
        samples
            The samples.
        """
        said = np.array([each_says[expert.name] for expert in self.experts])
        said = said.reshape(-1, len(samples), len(self.prior))
        beyond = _beyond(self.experts, said, samples, self.prior)
        return Said(pooled(beyond, self.weights, self.prior), self.rule)


def what_each_says(experts: Iterable[Expert], samples: Samples) -> dict[str, np.ndarray]:
    """Return the probabilities of samples by every expert, by its name; (n, classes) each."""
    return {expert.name: expert.fitted.predict(samples) for expert in experts}


def _beyond(
    experts: Sequence[Expert], said: np.ndarray, samples: Samples, prior: np.ndarray
) -> np.ndarray:
    """Return the evidence of experts, none of those that cannot see a sample."""
    beyond = evidence(said, prior)
    for own, expert in zip(beyond, experts, strict=True):
        if expert.modality is not None:
            own[~samples.has(expert.modality)] = 0
    return beyond


def _check(side: TrainingSide) -> None:
    if not side.base_folds:
        raise MethodNotApplicable("there is only one group in a training part")


@dataclass(frozen=True)
class NestedPools:
    """The pool of all experts, and pools of those that see less.

    Parameters
    ----------
    whole
        The pool of all.
    restricted
        Name of a pool, one of `RESTRICTED` -> the pool.
    """

    whole: Pool
    restricted: dict[str, Pool]

    def predict(self, samples: Samples) -> dict[str, Said]:
        """Return what each pool says of samples."""
        each_says = what_each_says(self.whole.experts, samples)
        pools = {str(Method.POOLED): self.whole, **self.restricted}
        return {name: pool.weigh(each_says, samples) for name, pool in pools.items()}


def fit_pooled(side: TrainingSide) -> NestedPools:
    """Fit all experts and pool them.

    Raises
    ------
    MethodNotApplicable
        Where nothing can be held out.
    """
    _check(side)
    single = [each for name in side.modalities for each in experts_of_modality(side, name)]
    experts = [*single, *experts_of_all(side)]
    restricted = {
        name: Pool.of([each for each in experts if each.access <= access], side)
        for name, access in RESTRICTED.items()
    }
    return NestedPools(Pool.of(experts, side), restricted)


@dataclass(frozen=True)
class OnePool:
    """A pool per modality, and how good each is.

    Parameters
    ----------
    pools
        Modality -> the pool of the experts that see nothing else.
    ranking
        Names of the modalities, from the one that inner folds find best to the worst.
    rule
        The rule that decides where every sample is told by the best modality that it has.
    """

    pools: dict[str, Pool]
    ranking: tuple[str, ...]
    rule: Rule

    @classmethod
    def of(cls, pools: dict[str, Pool], side: TrainingSide) -> OnePool:
        """Rank pools, one per modality, by what they say of the training side out of fold."""
        said = {
            name: np.where(pool.judged[:, None], pool.held_out, np.nan)
            for name, pool in pools.items()
        }
        ranking = ranked(side, said)
        best = by_the_best(ranking, said, side.samples)
        judged = ~np.isnan(best).any(axis=1)
        return cls(pools, ranking, fit_rule(best[judged], side.smoothed_prior))

    def predict(self, samples: Samples) -> dict[str, Said]:
        """Return what is said of samples by the best modality of each, and by each modality."""
        said = {name: pool.predict(samples) for name, pool in self.pools.items()}
        probabilities = {name: each.probabilities for name, each in said.items()}
        best = Said(by_the_best(self.ranking, probabilities, samples), self.rule)
        named = {f"{Method.UNIMODAL_POOLED}/{name}": each for name, each in said.items()}
        return {str(Method.UNIMODAL_POOLED): best, **named}


def fit_unimodal_pooled(side: TrainingSide) -> OnePool:
    """Fit the pool of every modality, and rank them by what inner folds say.

    Raises
    ------
    MethodNotApplicable
        As `fit_pooled` does.
    """
    _check(side)
    pools = {name: Pool.of(list(experts_of_modality(side, name)), side) for name in side.modalities}
    return OnePool.of(pools, side)
