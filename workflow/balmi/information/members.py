"""The classifiers whose held-out posteriors are pooled into an estimate of information.

scikit-learn is loaded by the members that take it: networks pool their experts as this pool does,
and need none of them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from balmi.information.directions import (
    drawn,
    linear_system,
    many_wide_posteriors,
    radial_system,
    wide_posteriors,
)
from balmi.information.machines import fit_machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    from balmi.information.crossfit import Block, Parts

    Posterior = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
    Forest = ExtraTreesClassifier | RandomForestClassifier
    Bagged = Callable[[np.ndarray, np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]

# Trees of a forest of the leading components, and of one of all features.
TREES = 50
FOREST = 60
SMALLEST_LEAF = 5
# C of the kernel machine, as in the pool of experts that predicts; samples that it learns from at
# most: a fit compares every two of them.
COST = 10.0
MOST_OF_MACHINE = 1000
LEADING = 20
# Samples from which members serve that see what others see as well. Of fewer, their weights cost
# more than they add, while a regression on all directions tells classes that are nearly separable:
# on 17 kinds of simulated modalities of 50 to 80 samples the pool reads .004 nats more without the
# former and with the latter (seeds 2 and 3; chosen at 0 and 1, where it was .006). C of that
# regression, where the total variance is 1.
MANY = 150
INVERSE_PENALTY = 100.0
# Share of the samples that a tree draws, and their largest number.
SHARE_PER_TREE = 0.6
MOST_PER_TREE = 2000


def class_prior(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return smoothed class frequencies (one half added per class); shape (classes,)."""
    counts = np.bincount(labels, minlength=classes) + 0.5
    return counts / counts.sum()


def discriminant_posteriors(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, classes: int
) -> np.ndarray:
    """Posteriors of shrunken linear discriminant analysis, for many labellings at once.

    With the second moments T = X^T X / n, the same for every labelling, the covariance within
    classes is W = T - sum_c pi_c m_c m_c^T, and a refit on permuted labels costs one small solve.
    In white coordinates T is the identity I, in a part of them nearly. W is shrunk towards I by
    k / (n + k).

    Parameters
    ----------
    train
        White scores of the training part; (n, k).
    labels
        Class codes, one row per labelling; (labellings, n).
    test
        Scores of the other part; (m, k).
    classes
        Number of classes; a class that a labelling lacks gets the smoothed prior's mass only.

    Returns
    -------
    numpy.ndarray
        Posteriors; (labellings, m, classes).
    """
    count, width = train.shape
    member = np.eye(classes)[labels]
    sizes = member.sum(axis=1)
    prior = (sizes + 0.5) / (count + 0.5 * classes)
    means = np.einsum("lnc,nk->lck", member, train) / np.maximum(sizes, 1)[..., None]
    weighted = means * (sizes / count)[..., None]
    within = train.T @ train / count - np.einsum("lck,lcj->lkj", weighted, means)
    shrinkage = width / (count + width)
    within = (1 - shrinkage) * within + shrinkage * np.eye(width)
    slopes = np.linalg.solve(within, means.transpose(0, 2, 1))
    offsets = np.log(prior) - 0.5 * np.einsum("lck,lkc->lc", means, slopes)
    logits = test @ slopes + offsets[:, None, :]
    logits -= logits.max(axis=2, keepdims=True)
    posterior = np.exp(logits)
    return posterior / posterior.sum(axis=2, keepdims=True)


def cheap_posteriors(block: Block, labels: np.ndarray, classes: int) -> list[np.ndarray]:
    """Fit the members that are cheap to refit on a fold, for many labellings at once.

    Parameters
    ----------
    block
        A fold of the cross-fitting.
    labels
        Class codes of all samples, one row per labelling; (labellings, n).
    classes
        Number of classes.

    Returns
    -------
    list of numpy.ndarray
        Posteriors of the held-out samples by the prior, the discriminant, the radial discriminant
        and those of all directions, one per penalty; (labellings, held out, classes) each.
    """
    train = labels[:, block.train]
    prior = np.array([class_prior(row, classes) for row in train])[:, None, :]
    learned, others = block.all_normal
    return [
        np.broadcast_to(prior, (len(labels), len(block.test), classes)),
        *(
            discriminant_posteriors(learn, train, other, classes)
            for learn, other in (block.white_scores, block.radial_scores)
        ),
        *many_wide_posteriors(linear_system, learned, train, others, classes),
    ]


def prior_only(
    learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
) -> np.ndarray:
    """Give every sample the smoothed class frequencies; (m, classes)."""
    return np.tile(class_prior(labels, classes), (len(other), 1))


def _discriminant(
    learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
) -> np.ndarray:
    return discriminant_posteriors(learn, labels[None], other, classes)[0]


def _fitted(classifier: Callable[[], object]) -> Posterior:
    """Return the posteriors of a scikit-learn classifier."""

    def posterior(
        learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
    ) -> np.ndarray:
        seen = np.unique(labels)
        if len(seen) < 2 or not learn.shape[1]:
            return prior_only(learn, labels, other, classes)
        result = np.zeros((len(other), classes))
        with warnings.catch_warnings():
            # As many classes as that are unusual, and not for a classifier of the pool to judge.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            model = classifier().fit(learn, labels)
        result[:, seen] = model.predict_proba(other)
        return result

    return posterior


def calibrated(
    scores: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
) -> np.ndarray:
    """Return posteriors by a regression on scores (Platt 1999), (m, classes).

    Parameters
    ----------
    scores, other
        Scores of learned samples, by what has not learned from them, and of others; (n, classes)
        and (m, classes).
    labels
        Class codes of the learned samples; (n,).
    classes
        Number of classes.
    """
    return _fitted(partial(_regression, 1.0))(scores, labels, other, classes)


def _machine_scores(
    learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
) -> np.ndarray:
    """Return the mean margins of other samples by a radial kernel machine; (m, classes)."""
    rows = drawn(learn, MOST_OF_MACHINE, kernel=True)
    return fit_machine(learn[rows], labels[rows], classes, cost=COST).scores(other)


def _bagged(grow: Callable[[int], Forest], columns: int | None = None) -> Bagged:
    """Return what gives a forest's posteriors: of learned samples out of its bags, and of others.

    Both count the prior as one tree more, so that no class seen is impossible.

    Parameters
    ----------
    grow
        Given the samples that a tree draws: a forest that keeps what is said out of its bags.
    columns
        The leading columns that it sees; all where None.
    """

    def posteriors(
        learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
    ) -> tuple[np.ndarray, np.ndarray]:
        prior, seen = class_prior(labels, classes), np.unique(labels)
        if len(seen) < 2 or not learn.shape[1]:
            return np.tile(prior, (len(learn), 1)), np.tile(prior, (len(other), 1))
        draw = max(2, min(int(SHARE_PER_TREE * len(learn)), MOST_PER_TREE))
        with warnings.catch_warnings():
            # A sample that every tree has drawn is told by the prior: no cause for a warning.
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning)
            forest = grow(draw).fit(learn[:, :columns], labels)
        out_of_bag = np.nan_to_num(forest.oob_decision_function_.reshape(len(learn), -1))
        trees = len(forest.estimators_)
        left = (1 - 1 / len(learn)) ** draw * trees  # trees that have not drawn a sample
        found = []
        for votes, count in ((out_of_bag, left), (forest.predict_proba(other[:, :columns]), trees)):
            result = np.tile(prior, (len(votes), 1))
            result[:, seen] += count * votes
            found.append(result / result.sum(axis=1, keepdims=True))
        return found[0], found[1]

    return posteriors


@dataclass(frozen=True)
class Member:
    """A classifier of the pool.

    Parameters
    ----------
    view
        Which view of a `Block` it sees.
    posterior
        Given learned samples (n, columns), their labels (n,), other samples (m, columns) and the
        number of classes: posteriors of the other samples, (m, classes), or one such array per
        penalty, of which the pool takes the one that inner folds prefer.
    bagged
        Given the same, posteriors of the learned samples, each by what has not learned from it, and
        of the other samples. It spares the inner folds. None where there is no such thing.
    judging
        What takes the place of `posterior` on inner folds, in less time; None where nothing does.
    is_scored
        Whether `posterior` gives scores, which inner folds calibrate.
    fewest, most
        Samples of a pool that the member serves.
    """

    view: str
    posterior: Posterior
    bagged: Bagged | None = None
    judging: Posterior | None = None
    is_scored: bool = False
    fewest: int = 0
    most: float = np.inf

    def serves(self, samples: int) -> bool:
        """Return whether it is a member of the pool of so many samples."""
        return self.fewest <= samples <= self.most

    def parts(self, block: Block) -> Parts:
        """Return what the member sees of a fold."""
        return getattr(block, self.view)


def _regression(inverse_penalty: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=inverse_penalty, max_iter=500)


def _trees(draw: int, share: float = 1.0) -> ExtraTreesClassifier:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        round(share * TREES),
        min_samples_leaf=SMALLEST_LEAF,
        max_features=0.5,
        bootstrap=True,
        max_samples=draw,
        oob_score=True,
        random_state=0,
    )


def _forest(draw: int, share: float = 1.0) -> RandomForestClassifier:
    from sklearn.ensemble import RandomForestClassifier

    count = round(share * FOREST)
    return RandomForestClassifier(count, max_samples=draw, oob_score=True, random_state=0)


def _grown(
    grow: Callable[..., Forest], view: str, columns: int | None = None, fewest: int = 0
) -> Member:
    """Return a forest as a member, judged out of its bags where that is fair.

    On inner folds, as many trees judge a sample as have not drawn it there.
    """
    bagged = _bagged(grow, columns)
    judging = _bagged(partial(grow, share=np.exp(-SHARE_PER_TREE)), columns)
    return Member(
        *(view, lambda *given: bagged(*given)[1], bagged, lambda *given: judging(*given)[1]),
        fewest=fewest,
    )


_LINEAR, _RADIAL = partial(wide_posteriors, linear_system), partial(wide_posteriors, radial_system)

# The prior comes first: without it independent data would read less than nothing.
MEMBERS: dict[str, Member] = {
    "prior": Member("scores", prior_only),
    "discriminant": Member("white_scores", _discriminant, fewest=MANY),
    "radial": Member("radial_scores", _discriminant),
    "logistic": Member("scores", _fitted(partial(_regression, 1.0)), fewest=MANY),
    "trees": _grown(_trees, "scores", LEADING, fewest=MANY),
    "wide": Member("all_measured", _LINEAR, fewest=MANY),
    "wide-normal": Member("all_normal", _LINEAR),
    "kernel": Member("all_measured", _RADIAL),
    "forest": _grown(_forest, "all_features"),
    "machine": Member("all_measured", _machine_scores, is_scored=True),
    "wide-logistic": Member(
        "all_measured", _fitted(partial(_regression, INVERSE_PENALTY)), most=MANY - 1
    ),
}
ALONE = frozenset({"logistic", "forest", "machine", "wide-logistic"})
# Of several modalities together: what each says alone is in the pool already, and so is the product
# of that, so that what takes long and sees no interaction is left out.
TOGETHER = tuple(MEMBERS[name] for name in MEMBERS if name not in ALONE)
# Where many sets are asked for their amounts alone: trees take half of the time of a set.
SWIFT = tuple(MEMBERS[name] for name in MEMBERS if name not in {*ALONE, "trees"})
# Cheap enough to be refitted inside every training part.
CHEAP_MEMBERS = tuple(
    replace(MEMBERS[name], fewest=0) for name in ("prior", "discriminant", "radial", "wide-normal")
)
