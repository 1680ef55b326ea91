"""Other estimators of mutual information, for comparison; all return nats.

Every function takes the arrays of a task and a seed and returns its values by name.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.extmath import randomized_svd

if TYPE_CHECKING:
    import torch
    from sklearn.base import ClassifierMixin

NEIGHBOURS = 3
COMPONENTS = 10
NORMAL_RANGE = 1.349
LARGEST = 10.0
STEPS = 600
STEPS_PER_LOOK = 10
BATCH = 128
HIDDEN = 64
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-4
PEER_FOLDS = 5
INVERSE_PENALTIES = (0.001, 0.03, 1.0)
PEER_TREES = 100
PEER_RIDGES = (0.01, 0.3, 10.0)
SMALLEST = 1e-6


def centre_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return median and interquartile range of columns, which heavy tails do not move.

    The range is that of a standard normal variable times the scale; columns without one take their
    standard deviation, and constant columns 1.
    """
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    scale = np.where(high > low, (high - low) / NORMAL_RANGE, values.std(axis=0))
    return centre, np.where(scale > 0, scale, 1.0)


def standardised(values: np.ndarray) -> np.ndarray:
    """Return columns of one centre and scale."""
    centre, scale = centre_and_scale(values)
    return (values - centre) / scale


def components_of(values: np.ndarray) -> np.ndarray:
    """Return the scores on at most 10 principal components of the standardised columns."""
    return PCA(min(COMPONENTS, *values.shape), random_state=0).fit_transform(standardised(values))


def univariate(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Return scikit-learn's estimate of each feature: their sum, and the best of them."""
    values = mutual_info_classif(x, y, n_neighbors=NEIGHBOURS, random_state=seed)
    return {"sum": float(values.sum()), "best": float(values.max())}


def _within(tree: cKDTree, values: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Count points nearer than the radius of each point, itself included."""
    return tree.query_ball_point(values, np.nextafter(radius, 0), p=np.inf, return_length=True)


def ross(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Return the nearest-neighbour estimate of Ross 2014 (PLOS ONE 9:e87357) on 10 components.

    I = digamma(n) + digamma(k) - <digamma(n_y)> - <digamma(m)> with n_y samples in the class and m
    samples nearer than the k-th neighbour of the class. A class of one sample is left out.
    """
    scores = components_of(x)
    counts = np.bincount(y)[y]
    scores, y, counts = scores[counts > 1], y[counts > 1], counts[counts > 1]
    k = np.minimum(NEIGHBOURS, counts - 1)
    radius = np.empty(len(y))
    for label in np.unique(y):
        rows = y == label
        nearest = min(NEIGHBOURS, rows.sum() - 1)
        distances = cKDTree(scores[rows]).query(scores[rows], nearest + 1, p=np.inf)[0]
        radius[rows] = distances[:, -1]
    near = np.maximum(_within(cKDTree(scores), scores, radius), 1)
    parts = digamma(len(y)) + digamma(k) - digamma(counts) - digamma(near)
    return {"ross": float(parts.mean())}


def _ksg(left: np.ndarray, right: np.ndarray) -> float:
    """Return the first estimator of Kraskov et al. 2004 (Phys. Rev. E 69:066138).

    I = digamma(k) + digamma(n) - <digamma(n_x + 1) + digamma(n_y + 1)>, counting samples nearer in
    each view than the k-th neighbour is in both.
    """
    both = np.hstack([left, right])
    radius = cKDTree(both).query(both, NEIGHBOURS + 1, p=np.inf)[0][:, -1]
    near = [np.maximum(_within(cKDTree(view), view, radius), 1) for view in (left, right)]
    return float(
        digamma(NEIGHBOURS) + digamma(len(left)) - np.mean(digamma(near[0]) + digamma(near[1]))
    )


def ksg(left: np.ndarray, right: np.ndarray, seed: int) -> dict[str, float]:
    """Return KSG-1 on the standardised views, and on 10 principal components of each."""
    return {
        "raw": _ksg(standardised(left), standardised(right)),
        "components": _ksg(components_of(left), components_of(right)),
    }


def _gain(model: ClassifierMixin, x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """Return what a classifier's held-out log-loss gains over that of class frequencies."""
    total = 0.0
    for train, test in KFold(PEER_FOLDS, shuffle=True, random_state=seed).split(x):
        said = model.fit(x[train], y[train]).predict_proba(x[test])
        shares = (np.bincount(y[train], minlength=said.shape[1]) + 0.5) / (
            len(train) + 0.5 * said.shape[1]
        )
        true = np.maximum(said[np.arange(len(test)), y[test]], SMALLEST)
        total += (np.log(true) - np.log(shares[y[test]])).sum()
    return float(total / len(y))


def regression(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Return the held-out gain of logistic regression on all features: the best of strengths.

    The best is chosen on what is held out, which favours it.
    """
    gains = [
        _gain(
            make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=300)),
            *(x, y, seed),
        )
        for inverse_penalty in INVERSE_PENALTIES
    ]
    return {"regression": max(gains)}


def forest(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Return the held-out gain of a random forest on all features."""
    model = RandomForestClassifier(PEER_TREES, min_samples_leaf=3, random_state=seed, n_jobs=1)
    return {"forest": _gain(model, x, y, seed)}


def ridge_cca(left: np.ndarray, right: np.ndarray, seed: int) -> dict[str, float]:
    """Return -1/2 sum log(1 - rho^2) of held-out canonical correlations of two components.

    Two are what the tasks share. The ridge is the best of three, chosen on what is held out, which
    favours it.
    """
    best = 0.0
    for ridge in PEER_RIDGES:
        scores = np.empty((2, len(left), 2))
        for train, test in KFold(PEER_FOLDS, shuffle=True, random_state=seed).split(left):
            views = [
                (x[train] - x[train].mean(axis=0), x[test] - x[train].mean(axis=0))
                for x in map(standardised, (left, right))
            ]
            roots = [_inverse_root(learn, ridge) for learn, _ in views]
            whites = [learn @ root for (learn, _), root in zip(views, roots, strict=True)]
            u, _, v = randomized_svd(whites[0].T @ whites[1], 2, random_state=0)
            for score, (_, other), root, axes in zip(scores, views, roots, (u, v.T), strict=True):
                score[test] = other @ root @ axes
        rho = [
            np.corrcoef(one, two)[0, 1] for one, two in zip(*scores.transpose(0, 2, 1), strict=True)
        ]
        best = max(best, -0.5 * float(np.log1p(-(np.maximum(rho, 0) ** 2)).sum()))
    return {"ridge-cca": best}


def _inverse_root(values: np.ndarray, ridge: float) -> np.ndarray:
    """Return (covariance + ridge times its mean variance)^(-1/2); (features, features)."""
    variances, axes = np.linalg.eigh(values.T @ values / len(values))
    return axes / np.sqrt(np.maximum(variances, 0) + ridge * variances.mean()) @ axes.T


def _parts(
    left: np.ndarray, right: np.ndarray, rng: np.random.Generator
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return both views in three parts: 2/5 to learn, 1/10 to stop at, the other half to judge."""
    import torch

    order = rng.permutation(len(left))
    learn, stop, judge = np.split(order, [2 * len(left) // 5, len(left) // 2])
    views = []
    for values in (left, right):
        centre, scale = centre_and_scale(values[learn])
        scaled = np.clip((values - centre) / scale, -LARGEST, LARGEST)
        views.append(torch.as_tensor(scaled, dtype=torch.float32))
    return [tuple(view[rows] for view in views) for rows in (learn, stop, judge)]


def _critics(left: int, right: int) -> list[torch.nn.Module]:
    """Return one network per view; the score of a pair is the product of what both give."""
    from torch import nn

    def network(features: int) -> nn.Module:
        return nn.Sequential(
            *(nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()),
            nn.Linear(HIDDEN, 16),
        )

    return [network(left), network(right)]


def _nce(scores: torch.Tensor) -> torch.Tensor:
    """Return the InfoNCE bound of a batch, never above log(batch) (arXiv:1807.03748)."""
    return scores.diagonal().mean() - scores.logsumexp(dim=1).mean() + np.log(len(scores))


def _donsker_varadhan(scores: torch.Tensor) -> torch.Tensor:
    """Return the Donsker-Varadhan bound of a batch, which MINE uses (arXiv:1801.04062)."""
    import torch

    count = len(scores)
    others = scores.masked_fill(torch.eye(count, dtype=torch.bool), -np.inf)
    return scores.diagonal().mean() - others.flatten().logsumexp(0) + np.log(count * (count - 1))


BOUNDS = MappingProxyType({"infonce": _nce, "mine": _donsker_varadhan})


def _neural(left: np.ndarray, right: np.ndarray, seed: int, bound: str) -> dict[str, float]:
    """Train both networks on half of the samples and return the bound on the other half."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    learn, stop, judge = _parts(left, right, rng)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critics = torch.nn.ModuleList(_critics(left.shape[1], right.shape[1]))
    rates = {"lr": LEARNING_RATE, "weight_decay": WEIGHT_DECAY}
    optimiser = torch.optim.AdamW(critics.parameters(), **rates)

    def value(views: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        codes = [critic(view) for critic, view in zip(critics, views, strict=True)]
        return BOUNDS[bound](codes[0] @ codes[1].T)

    best, kept = -np.inf, {}
    for step in range(STEPS):
        if step % STEPS_PER_LOOK == 0:
            with torch.no_grad():
                reached = float(value(stop))
            if reached > best:
                best = reached
                kept = {name: part.clone() for name, part in critics.state_dict().items()}
        rows = torch.as_tensor(rng.permutation(len(learn[0]))[:BATCH])
        loss = -value((learn[0][rows], learn[1][rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    critics.load_state_dict(kept)
    with torch.no_grad():
        return {bound: float(value(judge))}


def infonce(left: np.ndarray, right: np.ndarray, seed: int) -> dict[str, float]:
    """Return the InfoNCE bound on held-out samples."""
    return _neural(left, right, seed, "infonce")


def mine(left: np.ndarray, right: np.ndarray, seed: int) -> dict[str, float]:
    """Return the Donsker-Varadhan bound of MINE on held-out samples."""
    return _neural(left, right, seed, "mine")


PEERS = MappingProxyType(
    {
        "univariate": univariate,
        "ross": ross,
        "ksg": ksg,
        "infonce": infonce,
        "mine": mine,
        "regression": regression,
        "forest": forest,
        "ridge-cca": ridge_cca,
    }
)
