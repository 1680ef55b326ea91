"""Simulated cohorts whose information is known because it was planted.

Planted: three classes, and four modalities. Two latent vectors lie behind them: u carries the
class, v does not. ``strong`` measures u well; ``redundant`` measures the same u with more noise, so
that all it knows of the class ``strong`` knows too; ``weak`` measures one further, faint copy of
the class; ``noise`` measures v. Samples come in pairs of one patient, and a share of them lacks
``weak``.

Gaussian: two classes, a ``teacher`` and a ``student``, made for the complementarity hypothesis
(arXiv:2510.13182), which is proved for jointly Gaussian variables. The proof is known here by its
abstract only; the argument below is this project's own. Scalars T, S and Y are jointly Gaussian
with variance 1, corr(T, Y) = r_T, corr(S, Y) = r_S and corr(T, S) = rho; the class is the sign of
Y. ``teacher`` measures T in every feature, so that it is learned from few samples. S is one
direction of the student's d features, which all vary alike: it could be read off without error if
the direction were known, but the direction has to be learned. Least squares on n samples find it
with an error of (d / n) (1 - r^2) / r^2, where r is the correlation of S and the target (the
squared tangent of the angle between the true and the estimated direction). A distilled student
learns from E[Y|T], a multiple of T, with r = rho instead of r = corr(S, Y) = r_S. So it learns
better exactly where rho > r_S, that is where I(T; S) = -log(1 - rho^2) / 2 exceeds I(S; Y) =
-log(1 - r_S^2) / 2: the gain changes its sign at margin 0. With classes instead of Y the student
alone has r = corr(S, sign Y) = sqrt(2 / pi) r_S, and I(S; sign Y) equals -log(1 - 2 r_S^2 / pi) / 2
to 0.0004 nats at the r_S used here, so that the same holds for the margin I(T; S) - I(S; sign Y).
The shared information is a dial; r_T and r_S are fixed.

Interaction: two classes, and modalities ``first`` and ``second``. Behind each lies one standard
normal factor of its own; the class says whether both have the same sign. Every feature is the
factor times a loading, plus standard normal noise; squared loadings have the mean
`SIGNAL_TO_NOISE`. Either factor alone is independent of the class: given it, the sign of the other
is still a fair coin. Both factors together determine the class.

Cite-seq: single cells, in `balmi.data.citeseq`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr

from balmi.config.settings import Design
from balmi.data.citeseq import simulate_citeseq

if TYPE_CHECKING:
    from collections.abc import Callable

    from anndata import AnnData

    from balmi.config.settings import Simulation

CLASSES = ("alpha", "beta", "gamma")
SHARES = (0.5, 0.3, 0.2)
LATENT = 2
TRUTH_DRAWS = 200_000


@dataclass(frozen=True)
class SimulatedCohort:
    """The tables of a simulated cohort and its truth.

    Parameters
    ----------
    samples
        Columns subtype and patient, indexed by sample id.
    modalities
        Name -> samples by features, indexed by sample id; counts of single cells as AnnData.
    truth
        Modality -> mutual information of its latent signal and the class, in nats; empty where a
        design has none that is known.
    """

    samples: pd.DataFrame
    modalities: dict[str, pd.DataFrame] | dict[str, AnnData]
    truth: dict[str, float]


# Modality -> distance of the class means from their centre, in standard deviations of the noise
# that all features of the modality share: the information is set by it alone.
SEPARATION = {"strong": 2.2, "redundant": 2.2, "weak": 0.8, "noise": 0.0}
SHARED_NOISE = {"strong": "u", "redundant": "u", "weak": "w", "noise": "v"}
FEATURE_NOISE = {"strong": 1.0, "redundant": 2.0, "weak": 1.0, "noise": 1.0}


def _centres(separation: float) -> np.ndarray:
    """Return the class means: corners of an equilateral triangle; shape (classes, LATENT)."""
    angles = 2 * np.pi * np.arange(len(CLASSES)) / len(CLASSES)
    return separation * np.column_stack([np.cos(angles), np.sin(angles)])


def planted_information(separation: float, seed: int = 0) -> float:
    """Return I(latent; class) in nats, by Monte Carlo on the known densities.

    Parameters
    ----------
    separation
        Distance of the class means from their centre, in standard deviations.
    seed
        Seed of the draws; 200,000 of them leave a standard error below 0.002.
    """
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(CLASSES), TRUTH_DRAWS, p=SHARES)
    centres = _centres(separation)
    points = centres[labels] + rng.standard_normal((TRUTH_DRAWS, LATENT))
    log_density = -0.5 * ((points[:, None, :] - centres) ** 2).sum(axis=2)
    evidence = np.logaddexp.reduce(log_density + np.log(SHARES), axis=1)
    return float(np.mean(log_density[np.arange(TRUTH_DRAWS), labels] - evidence))


def _names(samples: int) -> list[str]:
    return [f"sample-{i:04d}" for i in range(samples)]


def _table(values: np.ndarray, modality: str) -> pd.DataFrame:
    """Return measurements (samples, features) as a table with names."""
    columns = [f"{modality}-{i:03d}" for i in range(values.shape[1])]
    return pd.DataFrame(values, index=_names(len(values)), columns=columns)


def _planted(settings: Simulation) -> SimulatedCohort:
    """Draw a cohort of known strong, redundant, weak and uninformative modalities."""
    rng = np.random.default_rng(settings.seed)
    patients = np.arange(settings.samples) // 2
    labels = rng.choice(len(CLASSES), patients.max() + 1, p=SHARES)[patients]
    shared = {key: rng.standard_normal((settings.samples, LATENT)) for key in ("u", "v", "w")}
    modalities = {}
    for name, separation in SEPARATION.items():
        latent = _centres(separation)[labels] + shared[SHARED_NOISE[name]]
        loadings = rng.standard_normal((LATENT, settings.features))
        noise = rng.standard_normal((settings.samples, settings.features)) * FEATURE_NOISE[name]
        modalities[name] = _table(latent @ loadings + noise, name)
    lacking = rng.choice(
        settings.samples, round(settings.missing * settings.samples), replace=False
    )
    modalities["weak"] = modalities["weak"].drop(index=modalities["weak"].index[sorted(lacking)])
    samples = pd.DataFrame(
        {
            "subtype": np.array(CLASSES)[labels],
            "patient": [f"patient-{i:04d}" for i in patients],
        },
        index=_names(settings.samples),
    )
    truth = {name: planted_information(separation) for name, separation in SEPARATION.items()}
    return SimulatedCohort(samples, modalities, truth)


# Their squares add up to 1, so that corr(T, S) may lie anywhere from 0 to twice their product.
TEACHER_CORRELATION, STUDENT_CORRELATION = 0.8, 0.6
OUTCOMES = ("low", "high")
NODES = 200


def sign_information(correlation: float) -> float:
    """Return I(X; sign Y) of jointly Gaussian X and Y, in nats, by Gauss-Hermite quadrature.

    Parameters
    ----------
    correlation
        corr(X, Y), between -1 and 1 and neither of them.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    above = nodes * correlation / np.sqrt(1 - correlation**2)
    remaining = sum(ndtr(side) * log_ndtr(side) for side in (above, -above))
    return float(np.log(2) + weights @ remaining / weights.sum())


def _gaussian(settings: Simulation) -> SimulatedCohort:
    """Draw a cohort of a teacher and a student that share as much information as is set."""
    rng = np.random.default_rng(settings.seed)
    shared = np.sqrt(-np.expm1(-2 * settings.shared_information))
    covariance = np.array(
        [
            [1, shared, TEACHER_CORRELATION],
            [shared, 1, STUDENT_CORRELATION],
            [TEACHER_CORRELATION, STUDENT_CORRELATION, 1],
        ]
    )
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    teacher, student, outcome = root @ rng.standard_normal((3, settings.samples))
    direction = rng.standard_normal(settings.features)
    direction /= np.linalg.norm(direction)
    others = rng.standard_normal((settings.samples, settings.features))
    others -= np.outer(others @ direction, direction)
    loadings = rng.standard_normal(settings.features)
    noise = rng.standard_normal((settings.samples, settings.features))
    tables = {
        "teacher": np.outer(teacher, loadings) + noise,
        "student": np.outer(student, direction) + others,
    }
    classes = np.array(OUTCOMES)[(outcome > 0).astype(int)]
    samples = pd.DataFrame({"outcome": classes}, index=_names(settings.samples))
    known = {"teacher": TEACHER_CORRELATION, "student": STUDENT_CORRELATION}
    truth = {name: sign_information(correlation) for name, correlation in known.items()}
    return SimulatedCohort(
        samples, {name: _table(table, name) for name, table in tables.items()}, truth
    )


INTERACTING = ("first", "second")
SIGNS = ("opposite", "same")
SIGNAL_TO_NOISE = 2.0  # variance of the signal over that of the noise, mean over features


def _interaction(settings: Simulation) -> SimulatedCohort:
    """Draw a cohort whose class is the exclusive or of two modalities' signs."""
    rng = np.random.default_rng(settings.seed)
    factors = rng.standard_normal((len(INTERACTING), settings.samples))
    tables = {}
    for name, factor in zip(INTERACTING, factors, strict=True):
        loadings = rng.standard_normal(settings.features)
        loadings *= np.sqrt(SIGNAL_TO_NOISE / np.mean(loadings**2))
        noise = rng.standard_normal((settings.samples, settings.features))
        tables[name] = _table(np.outer(factor, loadings) + noise, name)
    classes = np.array(SIGNS)[(factors.prod(axis=0) > 0).astype(int)]
    samples = pd.DataFrame({"outcome": classes}, index=_names(settings.samples))
    return SimulatedCohort(samples, tables, dict.fromkeys(INTERACTING, 0.0))


def _citeseq(settings: Simulation) -> SimulatedCohort:
    """Draw single cells; what their counts tell of the type is not known in closed form."""
    return SimulatedCohort(*simulate_citeseq(settings), truth={})


DESIGNS: dict[Design, Callable[[Simulation], SimulatedCohort]] = {
    Design.PLANTED: _planted,
    Design.GAUSSIAN: _gaussian,
    Design.INTERACTION: _interaction,
    Design.CITESEQ: _citeseq,
}


def simulate_cohort(settings: Simulation, design: Design = Design.PLANTED) -> SimulatedCohort:
    """Draw a cohort.

    Parameters
    ----------
    settings
        Samples, features, seed, and the dials of the design.
    design
        What is planted.
    """
    return DESIGNS[design](settings)
