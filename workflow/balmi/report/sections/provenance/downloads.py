"""Tables as CSV inside the page, as far as the page may grow."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.data.files import csv_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True)
class Download:
    """A table to download: `uri` is None where it is too large for the page.

    `size` is the size of the CSV in bytes, 0 where it was never made.
    """

    name: str
    path: str
    rows: int
    size: int
    uri: str | None


def data_uri(text: str) -> str:
    """Return CSV text as a data URI."""
    return f"data:text/csv;base64,{base64.b64encode(text.encode()).decode()}"


def downloads(
    tables: Mapping[str, pd.DataFrame], paths: Mapping[str, str], room: int
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
    """
    # A cell takes two bytes at the least: a table that cannot fit is not turned into text.
    texts = {
        name: csv_text(table) for name, table in tables.items() if table.size * 2 * 4 // 3 <= room
    }
    uris: dict[str, str] = {}
    for name in sorted(texts, key=lambda name: len(texts[name])):
        uri = data_uri(texts[name])
        if len(uri) <= room:
            uris[name] = uri
            room -= len(uri)
    return tuple(
        Download(name, paths[name], len(table), len(texts.get(name, "").encode()), uris.get(name))
        for name, table in tables.items()
    )
