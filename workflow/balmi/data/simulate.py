"""A simulated cohort whose information is known because it was planted.

Three classes, and four modalities. Two latent vectors lie behind them: u carries the class, v does
not. ``strong`` measures u well; ``redundant`` measures the same u with more noise, so that all it
knows of the class ``strong`` knows too; ``weak`` measures one further, faint copy of the class;
``noise`` measures v. Samples come in pairs of one patient, and a share of them lacks ``weak``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
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
        Name -> samples by features, indexed by sample id.
    truth
        Modality -> mutual information of its latent signal and the class, in nats.
    """

    samples: pd.DataFrame
    modalities: dict[str, pd.DataFrame]
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


def simulate_cohort(settings: Simulation) -> SimulatedCohort:
    """Draw the cohort.

    Parameters
    ----------
    settings
        Samples, features, share of samples without ``weak``, and seed.
    """
    rng = np.random.default_rng(settings.seed)
    patients = np.arange(settings.samples) // 2
    labels = rng.choice(len(CLASSES), patients.max() + 1, p=SHARES)[patients]
    names = [f"sample-{i:04d}" for i in range(settings.samples)]
    shared = {key: rng.standard_normal((settings.samples, LATENT)) for key in ("u", "v", "w")}
    modalities = {}
    for name, separation in SEPARATION.items():
        latent = _centres(separation)[labels] + shared[SHARED_NOISE[name]]
        loadings = rng.standard_normal((LATENT, settings.features))
        noise = rng.standard_normal((settings.samples, settings.features)) * FEATURE_NOISE[name]
        columns = [f"{name}-{i:03d}" for i in range(settings.features)]
        modalities[name] = pd.DataFrame(latent @ loadings + noise, index=names, columns=columns)
    lacking = rng.choice(
        settings.samples, round(settings.missing * settings.samples), replace=False
    )
    modalities["weak"] = modalities["weak"].drop(index=[names[i] for i in sorted(lacking)])
    samples = pd.DataFrame(
        {
            "subtype": np.array(CLASSES)[labels],
            "patient": [f"patient-{i:04d}" for i in patients],
        },
        index=names,
    )
    truth = {name: planted_information(separation) for name, separation in SEPARATION.items()}
    return SimulatedCohort(samples, modalities, truth)
