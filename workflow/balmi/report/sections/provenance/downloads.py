"""Tables as CSV inside the page, as far as the page may grow."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.data.files import csv_text, sha256
from balmi.data.model_files import packed_manifest
from balmi.tables.contract import MEASURED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

LONG = 50_000  # bytes of CSV from which a download is packed: pandas and R read it as it is
READ_BY_SCRIPT = frozenset({"per_sample"})  # by the page's own, which reads plain text


@dataclass(frozen=True)
class Download:
    """A table to download.

    `uri` is None where it is too large for the page, or `held`: where it holds measurements of
    samples, which are not to travel with a page. `ending` is that of the file which it gives.

    `size` is the size of the CSV in bytes, 0 where it was never made; `sha256` is that of the file
    of the workflow.
    """

    name: str
    path: str
    rows: int
    size: int
    uri: str | None
    sha256: str
    held: bool
    ending: str


@dataclass(frozen=True)
class Packed:
    """The final model to download.

    `uri` is None where it is too large for the page, or `held`: where it holds measurements of
    training samples, which are not to travel with a page.
    """

    held: bool
    path: str
    size: int
    sha256: str
    uri: str | None


def packed(file: Path, path: str, room: int) -> Packed:
    """Return the final model, inside the page where it fits and holds no sample's measurements.

    Parameters
    ----------
    file, path
        The zip file, and its path as it is told.
    room
        Bytes that its data URI may take.
    """
    size = file.stat().st_size
    held = bool(packed_manifest(file).get("holds_rows"))
    fits = not held and size * 4 // 3 + 100 <= room
    content = base64.b64encode(file.read_bytes()).decode() if fits else ""
    uri = f"data:application/zip;base64,{content}" if fits else None
    return Packed(held, path, size, sha256(file), uri)


def data_uri(text: str) -> str:
    """Return CSV text as a data URI."""
    return f"data:text/csv;base64,{base64.b64encode(text.encode()).decode()}"


def _embedded(name: str, text: str) -> tuple[str, str]:
    """Return a table's CSV as a data URI, and the ending of its file: long text is packed."""
    content = text.encode()
    if len(content) < LONG or name in READ_BY_SCRIPT:
        return data_uri(text), ".csv"
    packed_text = gzip.compress(content, mtime=0)
    return f"data:application/gzip;base64,{base64.b64encode(packed_text).decode()}", ".csv.gz"


def downloads(
    tables: Mapping[str, pd.DataFrame],
    paths: Mapping[str, str],
    room: int,
    checksums: Mapping[str, str],
) -> tuple[Download, ...]:
    """Embed the tables that fit, the smallest first.

    Parameters
    ----------
    tables
        Name -> table.
    paths
        Name -> the file that holds it, told to readers in any case.
    room
        Bytes that all data URIs together may take.
    checksums
        Name -> SHA-256 of that file.
    """
    # A cell takes two bytes at the least: a table that cannot fit is not turned into text.
    texts = {
        name: csv_text(table)
        for name, table in tables.items()
        if name not in MEASURED and table.size * 2 * 4 // 3 <= room
    }
    embedded = {name: _embedded(name, text) for name, text in texts.items()}
    uris: dict[str, str] = {}
    for name in sorted(embedded, key=lambda name: len(embedded[name][0])):
        uri, _ = embedded[name]
        if len(uri) <= room:
            uris[name] = uri
            room -= len(uri)
    return tuple(
        Download(
            name,
            paths[name],
            len(table),
            len(texts.get(name, "").encode()),
            uris.get(name),
            checksums[name],
            name in MEASURED,
            embedded[name][1] if name in embedded else ".csv",
        )
        for name, table in tables.items()
    )
