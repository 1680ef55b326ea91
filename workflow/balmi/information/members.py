"""The classifiers whose held-out posteriors are pooled into an estimate of information.

scikit-learn is loaded by the members that take it: networks pool their experts as this pool does,
and need none of them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression

    from balmi.information.crossfit import Block, Parts

    Posterior = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]

TREES = 30
SMALLEST_LEAF = 5
LEADING = 20


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
        Posteriors of the held-out samples by the prior, the discriminant and the radial
        discriminant; (labellings, held out, classes) each.
    """
    train = labels[:, block.train]
    prior = np.array([class_prior(row, classes) for row in train])[:, None, :]
    return [
        np.broadcast_to(prior, (len(labels), len(block.test), classes)),
        *(
            discriminant_posteriors(learn, train, other, classes)
            for learn, other in (block.white_scores, block.radial_scores)
        ),
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


def _fitted(classifier: Callable[[], object], columns: int | None = None) -> Posterior:
    """Return the posteriors of a scikit-learn classifier on the leading columns."""

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
            model = classifier().fit(learn[:, :columns], labels)
        result[:, seen] = model.predict_proba(other[:, :columns])
        return result

    return posterior


@dataclass(frozen=True)
class Member:
    """A classifier of the pool.

    Parameters
    ----------
    view
        Which view of a `Block` it sees.
    posterior
        Given learned samples (n, columns), their labels (n,), other samples (m, columns) and the
        number of classes: posteriors of the other samples, (m, classes).
    """

    view: str
    posterior: Posterior

    def parts(self, block: Block) -> Parts:
        """Return what the member sees of a fold."""
        return getattr(block, self.view)


def _regression(inverse_penalty: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=inverse_penalty, max_iter=500)


def _trees() -> ExtraTreesClassifier:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        TREES, min_samples_leaf=SMALLEST_LEAF, max_features=0.5, random_state=0
    )


# The prior comes first: without it independent data would read less than nothing.
MEMBERS: dict[str, Member] = {
    "prior": Member("scores", prior_only),
    "discriminant": Member("white_scores", _discriminant),
    "radial": Member("radial_scores", _discriminant),
    "logistic": Member("scores", _fitted(partial(_regression, 1.0))),
    "logistic-strong": Member("scores", _fitted(partial(_regression, 0.05))),
    "radial-logistic": Member("radial_scores", _fitted(partial(_regression, 0.1))),
    "trees": Member("scores", _fitted(_trees, LEADING)),
}
# Cheap enough to be refitted inside every training part.
CHEAP_MEMBERS = tuple(MEMBERS[name] for name in ("prior", "discriminant", "radial"))
