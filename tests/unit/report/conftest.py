"""Synthetic datasets, written once per session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from synthetic_report import ATTRIBUTE, FORMULA, SCRIPT, hostile_names, write_dataset

if TYPE_CHECKING:
    from balmi.report.render import ReportInputs


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return write_dataset(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    made = write_dataset(tmp_path_factory.mktemp("hostile"), hostile_names())
    return replace(made, title=SCRIPT, licence=ATTRIBUTE, commit=FORMULA)
