"""The cohorts of the scale benchmark: one axis grows, everything else stays.

Single cells are the catalogue's simulated CITE-seq. Methylation is 500 samples of `RNA` features of
RNA and as many probes as are asked for, each modality a CSV as users have it. Modalities are 500
samples of 200 features each, of which every second one knows of the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAMPLES = 500
RNA = 1000
WIDTH = 200
CLASSES = 3
FACTORS = 4
SEED = 0


@dataclass(frozen=True)
class Axis:
    """What grows.

    Parameters
    ----------
    sizes
        The sizes that are run, ascending.
    growth
        The smallest size that counts for an exponent: below it imports and start-up prevail.
    whole
        The largest size whose whole workflow runs; larger ones are read and assembled only.
    dataset
        Given a size and a folder to write files to, returns the dataset's configuration.
    """

    sizes: tuple[int, ...]
    growth: int
    whole: int
    dataset: Callable[[int, Path], dict[str, Any]]


def _cells(size: int, folder: Path) -> dict[str, Any]:
    return {"catalogue": "simulated-citeseq", "simulate": {"samples": size}}


def _labels() -> np.ndarray:
    """Return the class of every sample; (SAMPLES,)."""
    return np.arange(SAMPLES) % CLASSES


def _names() -> list[str]:
    return [f"sample-{place:03d}" for place in range(SAMPLES)]


def _described(folder: Path, kinds: dict[str, str]) -> dict[str, Any]:
    """Write the table of samples; return the dataset of it and of modalities, by their kinds."""
    table = pd.DataFrame({"sample": _names(), "subtype": [f"class-{code}" for code in _labels()]})
    table.to_csv(folder / "samples.csv", index=False)
    modalities = {
        name: {"path": str(folder / f"{name}.csv"), "kind": kind} for name, kind in kinds.items()
    }
    return {"samples": str(folder / "samples.csv"), "label": "subtype", "modalities": modalities}


def write_modality(
    path: Path, features: int, seed: int, signal: float, bounded: bool = False
) -> None:
    """Write a modality as CSV, a sample at a time.

    A few factors that follow the class lie behind all features.

    Parameters
    ----------
    path
        The file.
    features
        Number of columns.
    seed
        Seed of this modality.
    signal
        Distance of the class means of a factor, in its standard deviations; 0 for none.
    bounded
        Whether values are shares, as the beta values of methylation are.
    """
    rng = np.random.default_rng((SEED, seed))
    means = signal * rng.standard_normal((CLASSES, FACTORS))
    loadings = rng.standard_normal((FACTORS, features), dtype=np.float32)
    pattern = ",".join(["%.4f"] * features)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["id", *(f"f{place:06d}" for place in range(features))]) + "\n")
        for name, label in zip(_names(), _labels(), strict=True):
            factors = (means[label] + rng.standard_normal(FACTORS)).astype(np.float32)
            values = factors @ loadings + 2 * rng.standard_normal(features, dtype=np.float32)
            values = 1 / (1 + np.exp(-values)) if bounded else values
            file.write(f"{name},{pattern % tuple(values)}\n")


def _methylation(size: int, folder: Path) -> dict[str, Any]:
    write_modality(folder / "rna.csv", RNA, seed=0, signal=0.5)
    write_modality(folder / "methylation.csv", size, seed=1, signal=0.3, bounded=True)
    return _described(folder, {"rna": "rna-log", "methylation": "methylation-beta"})


def _modalities(size: int, folder: Path) -> dict[str, Any]:
    names = [f"modality-{place + 1}" for place in range(size)]
    for place, name in enumerate(names):
        write_modality(folder / f"{name}.csv", WIDTH, seed=place, signal=0.4 * (place % 2 == 0))
    return _described(folder, dict.fromkeys(names, "generic"))


AXES = {
    "n": Axis((500, 2000, 5000, 20_000, 100_000), 2000, 100_000, _cells),
    "features": Axis((1000, 2000, 10_000, 100_000, 450_000), 2000, 100_000, _methylation),
    "modalities": Axis((2, 3, 4, 6, 8), 2, 8, _modalities),
}
