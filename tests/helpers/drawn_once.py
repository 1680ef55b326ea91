"""Pages of many tests hold the same figures, each of which the engine draws once per process."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from balmi.report.kit import figures, svg
from balmi.report.kit.engine import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAWN: dict[bytes, Any] = {}  # what the engine was asked for, and its answer


def draw(name: str, **arguments: Any) -> Any:
    """Call the engine, unless it was asked for the same before."""
    asked = pickle.dumps((name, arguments))
    if asked not in DRAWN:
        DRAWN[asked] = engine()(name, **arguments)
    return DRAWN[asked]


@contextmanager
def drawn_once() -> Iterator[None]:
    """Let equal figures be drawn once while the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (svg, figures):
            patch.setattr(module, "engine", lambda: draw)
        yield


@contextmanager
def drawn_anew() -> Iterator[None]:
    """Let figures be drawn while the block lasts, although they were before."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (svg, figures):
            patch.setattr(module, "engine", engine)
        yield
