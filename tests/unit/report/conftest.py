"""Synthetic datasets and the page of one of them, written once per session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from drawn_once import drawn_once
from synthetic_report import ATTRIBUTE, FORMULA, SCRIPT, hostile_names, write_dataset

from balmi.report.kit import svg
from balmi.report.render import build_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from balmi.report.render import ReportInputs


@pytest.fixture(scope="session", autouse=True)
def _drawn_once() -> Iterator[None]:
    with drawn_once():
        yield


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return write_dataset(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture(scope="session")
def made(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the report of `inputs`, with figures that Vega-Lite's schema allows."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(svg, "VALIDATED", True)
        files = (folder / name for name in ("report.html", "view.json", "figures"))
        assert build_report(inputs, *files) is None
    return folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    made = write_dataset(tmp_path_factory.mktemp("hostile"), hostile_names())
    return replace(made, title=SCRIPT, licence=ATTRIBUTE, commit=FORMULA)
