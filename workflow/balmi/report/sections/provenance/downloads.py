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
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

LONG = 20_000  # bytes of CSV from which a download is packed: pandas and R read it as it is
LARGEST = 250_000  # bytes of a data URI: of a larger table the page offers what figures show
HEAD = 2_000  # rows by which it is seen how well a table packs


@dataclass(frozen=True)
class Download:
    """A table to download.

    `uri` is None where it is too large for the page, or `held`: where it holds measurements of
    samples, which are not to travel with a page. `ending` is that of the file which it gives.

    `drawn` says that the file holds what figures show, since the table is too large, or since there
    is no such table: then `path` and `sha256`, that of the file of the workflow, are empty. `rows`
    and `size`, the bytes of CSV, are those of the file; without one those of the table and 0.
    """

    name: str
    path: str
    rows: int
    size: int
    uri: str | None
    sha256: str
    held: bool = False
    ending: str = ".csv"
    drawn: bool = False

    @property
    def file(self) -> str:
        """Name of the file which it gives."""
        part = "-drawn" if self.drawn and self.path else ""
        return f"{self.name}{part}{self.ending}"


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


@dataclass(frozen=True)
class Text:
    """A table as it may stand in a page."""

    uri: str
    ending: str
    rows: int
    size: int
    drawn: bool


def _embedded(table: pd.DataFrame, drawn: bool) -> Text:
    """Return a table's CSV as a data URI: long text is packed."""
    text = csv_text(table)
    content = text.encode()
    if len(content) < LONG:
        return Text(data_uri(text), ".csv", len(table), len(content), drawn)
    bytes_packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    uri = f"data:application/gzip;base64,{bytes_packed}"
    return Text(uri, ".csv.gz", len(table), len(content), drawn)


def _promises(table: pd.DataFrame) -> bool:
    """Return whether a table may fit, by its first rows: gzip looks no farther back than these."""
    first = len(gzip.compress(csv_text(table.head(HEAD)).encode())) * 4 // 3
    return first * len(table) / HEAD <= 2 * LARGEST


def embedded(
    tables: Mapping[str, pd.DataFrame], drawn: Mapping[str, pd.DataFrame]
) -> list[dict[str, Text]]:
    """Return by name the texts that a page may hold: first what figures show, then whole tables.

    Parameters
    ----------
    tables
        Name -> table.
    drawn
        Name -> what figures show of a table, for where all of it does not fit; or of no table.
    """
    parts = {name: _embedded(table, True) for name, table in drawn.items()}
    wholes = {
        name: _embedded(table, False)
        for name, table in tables.items()
        if name not in MEASURED and _promises(table)
    }
    return [parts, {name: text for name, text in wholes.items() if len(text.uri) <= LARGEST}]


def downloads(
    tables: Mapping[str, pd.DataFrame],
    texts: Sequence[Mapping[str, Text]],
    paths: Mapping[str, str],
    checksums: Mapping[str, str],
    room: int,
) -> tuple[Download, ...]:
    """Embed what figures show, and the tables that fit beside it, the smallest first.

    Parameters
    ----------
    tables
        Name -> table.
    texts
        What may be embedded, as `embedded` gives it.
    paths
        Name -> the file that holds a table, told to readers in any case.
    checksums
        Name -> SHA-256 of that file.
    room
        Bytes that all data URIs together may take.
    """
    offered: dict[str, Text] = {}
    for each in texts:
        for name in sorted(each, key=lambda name: len(each[name].uri)):
            before = len(offered[name].uri) if name in offered else 0
            if (more := len(each[name].uri) - before) <= room:
                offered[name] = each[name]
                room -= more
    return tuple(
        _download(
            name, paths.get(name, ""), checksums.get(name, ""), offered.get(name), tables.get(name)
        )
        for name in dict.fromkeys((*tables, *texts[0]))
    )


def _download(
    name: str, path: str, checksum: str, text: Text | None, table: pd.DataFrame | None
) -> Download:
    if text is None:
        rows = 0 if table is None else len(table)
        return Download(name, path, rows, 0, None, checksum, held=name in MEASURED)
    return Download(
        name, path, text.rows, text.size, text.uri, checksum, ending=text.ending, drawn=text.drawn
    )
