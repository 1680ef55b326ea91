"""Where a report comes from: versions, commit, seeds."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING, Any

import balmi
from balmi.config.advanced import ADVANCED, SEED, scattered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PACKAGES = ("torch", "numpy", "scikit-learn", "mudata", "snakemake")
GIT_SECONDS = 20
# What a report asks to be cited, as CITATION.cff has it.
WORKS = (
    "Xie and Sanguinetti (2025), Balanced Multimodal Learning via Mutual Information,"
    " arXiv:2511.00987",
    "Xie, Xu and Sanguinetti (2025), Information-Theoretic Criteria for Knowledge Distillation in"
    " Multimodal Learning, arXiv:2510.13182",
)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Return the versions of balmi, Python and the packages that results depend on."""
    base = {"balmi": balmi.__version__, "python": platform.python_version()}
    return base | {package: _version(package) for package in PACKAGES}


def commit(folder: Path) -> str | None:
    """Return the git commit that a folder is at, or None where that cannot be told.

    A checkout with uncommitted changes ends in ``-dirty``.
    """
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(
            [*command, "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def seeds(settings: Mapping[str, Any]) -> dict[str, int]:
    """Return every seed of the settings by the key that a configuration has it under."""
    written = scattered(settings)
    below = written.get(ADVANCED, {}).items()
    own = {f"{ADVANCED}.{name}.{SEED}": keys[SEED] for name, keys in below if SEED in keys}
    return {SEED: written[SEED]} | own
