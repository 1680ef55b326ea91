"""Label tasks: one modality and a class, with I(X; Y) known.

Features that measure a few latent variables z through x = z L + e, with e independent Gaussian
noise of variance s^2, know exactly as much as the measurements z + N(0, s^2 (L L')^-1), their
sufficient statistic. Truths are therefore integrated in the few dimensions of z.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, log_softmax, softmax
from scipy.stats import multivariate_normal, norm

from task import TRUTH_DRAWS, Task, Truth, fixed, information_of_posteriors, monte_carlo

if TYPE_CHECKING:
    from collections.abc import Callable

    from task import Sample

    # (n, rng) -> latent values (n, d) and classes (n,)
    Latent = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]

# The subtypes of TCGA-BRCA: LumA, LumB, Basal, Her2 and Normal of 769 patients.
IMBALANCED = np.array([419, 140, 130, 46, 34]) / 769
BRCA = Path(__file__).parents[1] / "results" / "tcga-brca" / "cohort.h5mu"
COMPONENTS = 10


def _spread(log_densities: np.ndarray, shares: np.ndarray, labels: np.ndarray) -> Truth:
    """Return the mean of log p(x|y) - log p(x) over draws; log_densities is (draws, classes)."""
    evidence = np.logaddexp.reduce(log_densities + np.log(shares), axis=1)
    return monte_carlo(log_densities[np.arange(len(labels)), labels] - evidence)


def measured(latent: Latent, loadings: np.ndarray, noise: float = 1.0) -> Sample:
    """Return a sampler of features that measure latent variables.

    Parameters
    ----------
    latent
        Sampler of latent variables and classes.
    loadings
        L; (latent variables, features).
    noise
        Standard deviation of the noise of each feature.
    """

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values, labels = latent(n, rng)
        return values @ loadings + noise * rng.normal(size=(n, loadings.shape[1])), labels

    return sample


def measurement_covariance(loadings: np.ndarray, noise: float = 1.0) -> np.ndarray:
    """Return s^2 (L L')^-1, the error with which features measure latent variables."""
    return noise**2 * np.linalg.inv(loadings @ loadings.T)


def gaussian_latent(means: np.ndarray, covariances: np.ndarray, shares: np.ndarray) -> Latent:
    """Return a sampler of Gaussian classes: means (c, d), covariances (c, d, d), shares (c,)."""
    roots = np.linalg.cholesky(covariances)

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.choice(len(shares), n, p=shares)
        noise = np.einsum("nij,nj->ni", roots[labels], rng.normal(size=(n, means.shape[1])))
        return means[labels] + noise, labels

    return sample


def gaussian_truth(means: np.ndarray, covariances: np.ndarray, shares: np.ndarray) -> Truth:
    """Return I(X; Y) of Gaussian classes by Monte Carlo on their densities."""
    draw = gaussian_latent(means, covariances, shares)
    values, labels = draw(TRUTH_DRAWS, np.random.default_rng(0))
    parts = zip(means, covariances, strict=True)
    densities = [multivariate_normal(mean, cov).logpdf(values) for mean, cov in parts]
    return _spread(np.column_stack(densities), shares, labels)


def gaussian_task(
    name: str,
    family: str,
    shares: np.ndarray,
    features: int | None = None,
    separation: float = 1.0,
    dimensions: int = 5,
) -> Task:
    """Return Gaussian classes with one covariance, as they are or behind a factor model.

    Parameters
    ----------
    name, family
        As in `Task`.
    shares
        Probabilities of the classes.
    features
        Number of features that measure the latent variables, or None for the variables themselves.
    separation
        Standard deviation of the class means in every latent dimension.
    dimensions
        Number of latent dimensions.
    """
    rng = fixed(name)
    means = separation * rng.normal(size=(len(shares), dimensions))
    unit = np.tile(np.eye(dimensions), (len(shares), 1, 1))
    latent = gaussian_latent(means, unit, shares)
    if features is None:
        return Task(name, family, latent, partial(gaussian_truth, means, unit, shares))
    loadings = rng.normal(size=(dimensions, features)) / 2
    seen = unit + measurement_covariance(loadings)
    truth = partial(gaussian_truth, means, seen, shares)
    return Task(name, family, measured(latent, loadings), truth)


def covariance_task() -> Task:
    """Return two classes with one mean in five dimensions, told apart by their covariance."""
    covariances = np.stack([np.eye(5), np.diag([4.0, 4.0, 0.25, 1.0, 1.0])])
    covariances[1, 3, 4] = covariances[1, 4, 3] = 0.8
    parts = (np.zeros((2, 5)), covariances, np.full(2, 0.5))
    sample, truth = gaussian_latent(*parts), partial(gaussian_truth, *parts)
    return Task("covariance-only", "covariance", sample, truth)


def xor_task(features: int = 50) -> Task:
    """Return the XOR of the signs of two latent variables, each measured by half the features.

    A variable u ~ N(0, 1) measured as v = u + N(0, t^2) is positive with probability
    Phi(v / (t sqrt(1 + t^2))), the normal posterior having mean v / (1 + t^2) and variance
    t^2 / (1 + t^2).
    """
    loadings = np.kron(np.eye(2), np.ones(features // 2))
    error = np.sqrt(measurement_covariance(loadings)[0, 0])

    def latent(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values = rng.normal(size=(n, 2))
        return values, (values > 0).sum(axis=1) % 2

    def truth() -> Truth:
        rng = np.random.default_rng(0)
        seen = np.sqrt(1 + error**2) * rng.normal(size=(TRUTH_DRAWS, 2))
        first, second = norm.cdf(seen / (error * np.sqrt(1 + error**2))).T
        differ = first * (1 - second) + (1 - first) * second
        return information_of_posteriors(np.column_stack([1 - differ, differ]))

    return Task("xor-50", "interaction", measured(latent, loadings), truth)


def ring_task(classes: int = 3, width: float = 0.3) -> Task:
    """Return classes on concentric rings in the plane.

    The angle is uniform and independent, so the information is that of the radius |r|, with
    r ~ N(1 + class, width^2).
    """
    centres = 1.0 + np.arange(classes)
    shares = np.full(classes, 1 / classes)

    def radius(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.integers(classes, size=n)
        return centres[labels] + width * rng.normal(size=n), labels

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values, labels = radius(n, rng)
        angle = rng.uniform(0, 2 * np.pi, n)
        return values[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), labels

    def truth() -> Truth:
        values, labels = radius(TRUTH_DRAWS, np.random.default_rng(0))
        signs = np.stack([values, -values])[..., None]
        densities = np.logaddexp.reduce(norm.logpdf(signs, centres, width), axis=0)
        return _spread(densities, shares, labels)

    return Task("rings-2", "rings", sample, truth)


def student_task(freedom: int = 3, dimensions: int = 5, classes: int = 3) -> Task:
    """Return class means with multivariate Student-t noise."""
    name = "student-classes-5"
    means = fixed(name).normal(size=(classes, dimensions))
    shares = np.full(classes, 1 / classes)

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.integers(classes, size=n)
        scale = np.sqrt(freedom / rng.chisquare(freedom, n))[:, None]
        return means[labels] + scale * rng.normal(size=(n, dimensions)), labels

    def truth() -> Truth:
        values, labels = sample(TRUTH_DRAWS, np.random.default_rng(0))
        square = ((values[:, None] - means) ** 2).sum(axis=2)
        total = freedom + dimensions
        constant = gammaln(total / 2) - gammaln(freedom / 2)
        densities = constant - total / 2 * np.log1p(square / freedom)
        return _spread(densities, shares, labels)

    return Task(name, "Student-t", sample, truth)


def _softmax_labels(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a class for every row of logits (n, classes), by the Gumbel maximum."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def lognormal_task(dimensions: int = 20, classes: int = 3) -> Task:
    """Return skewed, correlated features, and labels from a softmax that is linear in their logs.

    The logs are Gaussian with standard deviation 1/2 and correlation 1/2^|i - j|.
    """
    name = "softmax-lognormal-20"
    weights = fixed(name).normal(size=(dimensions, classes))
    index = np.arange(dimensions)
    root = np.linalg.cholesky(0.25 * 0.5 ** np.abs(index[:, None] - index))

    def logs(n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=(n, dimensions)) @ root.T

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values = logs(n, rng)
        return np.exp(values), _softmax_labels(values @ weights, rng)

    def truth() -> Truth:
        values = logs(TRUTH_DRAWS, np.random.default_rng(0))
        return information_of_posteriors(softmax(values @ weights, axis=1))

    return Task(name, "softmax", sample, truth)


def real_task(path: Path = BRCA) -> Task:
    """Return real RNA features, and labels drawn from a known softmax of ten components of them.

    Rows are resampled with replacement, so that the distribution of x is the empirical one and the
    information is exact: H(mean p) - mean H(p) over all rows.

    Parameters
    ----------
    path
        The cohort of TCGA-BRCA as the workflow assembles it, with a modality ``rna``.
    """
    from balmi.data.cohort import read_cohort

    name, classes = "softmax-brca-rna", 4
    values = read_cohort(path).tables["rna"]
    values = values[~np.isnan(values).any(axis=1)]
    values = values[:, values.std(axis=0) > 0]
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    basis = np.linalg.svd(values, full_matrices=False)[0][:, :COMPONENTS]
    scores = basis * np.sqrt(len(values))
    logits = scores @ fixed(name).normal(size=(COMPONENTS, classes)) / 2

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        rows = rng.integers(len(values), size=n)
        return values[rows], _softmax_labels(logits[rows], rng)

    def truth() -> Truth:
        return Truth(information_of_posteriors(np.exp(log_softmax(logits, axis=1))).value)

    return Task(name, "softmax", sample, truth)


def independent_task(name: str, features: int, shares: np.ndarray) -> Task:
    """Return features with five factors behind them, and labels that know nothing of them."""
    loadings = fixed(name).normal(size=(5, features)) / 2

    def latent(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(n, 5)), rng.choice(len(shares), n, p=shares)

    sample = measured(latent, loadings)
    return Task(name, "independent", sample, lambda: Truth(0.0), independent=True)


def label_tasks(brca: Path = BRCA) -> list[Task]:
    """Return all label tasks; that of real features is left out where there is no cohort."""
    third, even = np.full(3, 1 / 3), np.full(4, 1 / 4)
    dependent = [
        gaussian_task("gaussian-5", "Gaussian classes", third, separation=0.7),
        gaussian_task("factors-1000", "factor model", even, 1000, separation=0.7),
        gaussian_task("imbalanced-200", "factor model", IMBALANCED, 200),
        xor_task(),
        ring_task(),
        student_task(),
        covariance_task(),
        lognormal_task(),
    ]
    if brca.is_file():
        dependent.append(real_task(brca))
    return dependent + [
        independent_task(f"independent-{kind}-{features}", features, shares)
        for features in (50, 1000)
        for kind, shares in (("balanced", third), ("imbalanced", IMBALANCED))
    ]
