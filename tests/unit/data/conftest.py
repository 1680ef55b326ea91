from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from data_source import WRITERS, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd


@pytest.fixture(params=WRITERS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[pd.DataFrame], Path]:
    """Return a writer of tables, once for every format."""

    def write(table: pd.DataFrame) -> Path:
        path = tmp_path / request.param
        WRITERS[request.param](table, path)
        return path

    return write


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)
