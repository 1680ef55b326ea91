"""Tasks whose signal lies in directions of much variance, of little, or of one of many alike.

Features are a rotation of independent Gaussian directions, so that nothing is lost and truths are
integrals in one or two dimensions. The variance of directions is equal (flat), falls as 1/k with
the signal first (decaying), or falls as 1/k with the signal last (rising).
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, xlogy

from pair_tasks import PAIR_CORRELATION, cross_information, gaussian_information, paired_covariance
from task import Task, Truth, fixed

if TYPE_CHECKING:
    from collections.abc import Callable

    Logits = Callable[[np.ndarray], np.ndarray]

SPECTRA = ("flat", "decaying", "rising")
WIDTHS = (25, 100, 1000)
SIGNAL = 2  # directions that hold it
STEEPNESS = 2.0
SHARED = 0.9


def deviations(spectrum: str, width: int) -> np.ndarray:
    """Return the standard deviation of every direction, those of the signal first; (width,)."""
    falling = 1 / np.sqrt(np.arange(1, width + 1))
    return {"flat": np.ones(width), "decaying": falling, "rising": falling[::-1]}[spectrum]


@lru_cache(maxsize=4)
def rotation(name: str, width: int) -> np.ndarray:
    """Return the rotation of a view; (width, width)."""
    return np.linalg.qr(fixed(name).normal(size=(width, width)))[0]


def linear(signal: np.ndarray) -> np.ndarray:
    """Return logits that are the sum of the signal's directions; (n,)."""
    return STEEPNESS * signal.sum(axis=-1) / np.sqrt(SIGNAL)


def curved(signal: np.ndarray) -> np.ndarray:
    """Return logits that are the product of the signal's directions; (n,)."""
    return STEEPNESS * signal.prod(axis=-1)


def label_truth(logits: Logits) -> Truth:
    """Return log 2 - E h(expit(logit)) over standard normal directions, on a grid."""
    axis, step = np.linspace(-7, 7, 701, retstep=True)
    weight = np.exp(-0.5 * axis**2) / np.sqrt(2 * np.pi) * step
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    p = expit(logits(grid))
    entropy = -(xlogy(p, p) + xlogy(1 - p, 1 - p))
    return Truth(float(np.log(2) - weight @ entropy @ weight))


def label_task(spectrum: str, width: int, shape: str, logits: Logits) -> Task:
    """Return features of a spectrum, and a class whose log-odds two directions decide."""
    name = f"label-{spectrum}-{width}-{shape}"

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        directions = rng.normal(size=(n, width))
        labels = (rng.random(n) < expit(logits(directions[:, :SIGNAL]))).astype(int)
        return directions * deviations(spectrum, width) @ rotation(name, width), labels

    return Task(name, spectrum, sample, partial(label_truth, logits))


def pair_task(spectrum: str, width: int, shape: str) -> Task:
    """Return two views that share two linear pairs of directions, or one that forms an X."""
    name = f"pair-{spectrum}-{width}-{shape}"

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        left, right = rng.normal(size=(2, n, width))
        shared, rho, sign = SIGNAL, PAIR_CORRELATION, 1.0
        if shape == "curved":
            shared, rho, sign = 1, SHARED, rng.choice([-1.0, 1.0], (n, 1))
        noise = np.sqrt(1 - rho**2) * right[:, :shared]
        right[:, :shared] = sign * rho * left[:, :shared] + noise
        scale = deviations(spectrum, width)
        return left * scale @ rotation(name, width), right * scale @ rotation(f"{name}'", width)

    if shape == "curved":
        return Task(name, spectrum, sample, partial(cross_information, SHARED))
    covariance = paired_covariance(SIGNAL, (PAIR_CORRELATION,) * SIGNAL)
    return Task(name, spectrum, sample, partial(gaussian_information, covariance, SIGNAL))


def spectrum_label_tasks() -> list[Task]:
    """Return label tasks of every spectrum and width, linear and curved."""
    shapes = (("linear", linear), ("curved", curved))
    return [
        label_task(spectrum, width, *shape)
        for shape in shapes
        for spectrum in SPECTRA
        for width in WIDTHS
    ]


def spectrum_pair_tasks() -> list[Task]:
    """Return pair tasks of every spectrum and width, linear and curved."""
    return [
        pair_task(spectrum, width, shape)
        for shape in ("linear", "curved")
        for spectrum in SPECTRA
        for width in WIDTHS
    ]
