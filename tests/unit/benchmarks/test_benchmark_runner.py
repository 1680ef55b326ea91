"""Resuming, going out of date and judging: what the benchmark does with its cells."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest

import runner
from acceptance import Measured, Requirement, mean_error, rejections, requirements, worst_atom
from information import Plan, accuracy_cells, null_cells, time_cells
from runner import COLUMNS, KEYS, Cell, read_results, run
from summary import number, summarise, table
from tasks import tasks_of

CELLS = [Cell("null", "label", "rings-2", "ross", 40, seed) for seed in range(3)]
CELLS += [Cell("accuracy", "pair", "normal-1x1", "ksg", 200, 7)]


@pytest.fixture
def counted(monkeypatch):
    """Return the list of cells that are run from now on."""
    ran, run_cell = [], runner.run_cell

    def counting(cell, code):
        ran.append(cell)
        return run_cell(cell, code)

    monkeypatch.setattr(runner, "run_cell", counting)
    return ran


class TestRun:
    def test_rows_hold_truth_and_value(self, tmp_path):
        path = tmp_path / "deep" / "cells.csv"
        run(CELLS, path, 1)
        found = read_results(path)
        assert tuple(found.columns) == COLUMNS
        assert len(found) == 3 + 2
        assert set(found["part"]) == {"null", "accuracy"}
        pair = found[found["kind"] == "pair"]
        assert pair["truth"].tolist() == pytest.approx([tasks_of("pair")["normal-1x1"].truth] * 2)
        assert pair["quantity"].tolist() == ["raw", "components"]

    def test_an_interrupted_run_continues(self, tmp_path, counted):
        path = tmp_path / "cells.csv"
        run(CELLS[:2], path, 1)
        before = path.read_text()
        counted.clear()
        run(CELLS, path, 1)
        assert counted == CELLS[2:]
        assert path.read_text().startswith(before)
        run(CELLS, path, 1)
        assert counted == CELLS[2:]

    @pytest.mark.parametrize("cut", [1, 30, 110])
    def test_a_line_that_was_cut_costs_no_more_than_two_cells(self, tmp_path, counted, cut):
        path = tmp_path / "cells.csv"
        run(CELLS, path, 1)
        whole = read_results(path)
        path.write_text(path.read_text()[:-cut])
        counted.clear()
        run(CELLS, path, 1)
        assert counted in (CELLS[3:], CELLS[2:])
        columns = [*KEYS, "quantity", "value"]
        pd.testing.assert_frame_equal(read_results(path)[columns], whole[columns])

    def test_a_cell_of_other_code_is_run_again(self, tmp_path, counted):
        path = tmp_path / "cells.csv"
        run(CELLS, path, 1)
        text = path.read_text()
        path.write_text(text.replace(runner.code_of("pair", "ksg"), "0" * 12))
        counted.clear()
        run(CELLS, path, 1)
        assert counted == CELLS[3:]

    def test_a_failure_names_its_cell(self, tmp_path, monkeypatch):
        def fail(*data, seed):
            raise ValueError("no")

        monkeypatch.setitem(runner.ALL_ESTIMATORS, "ksg", fail)
        with pytest.raises(ValueError, match="no") as caught:
            run(CELLS, tmp_path / "cells.csv", 1)
        assert "normal-1x1" in caught.value.__notes__[0]
        assert len(read_results(tmp_path / "cells.csv")) == 3

    def test_processes_find_what_one_finds(self, tmp_path):
        for jobs in (1, 2):
            run(CELLS, tmp_path / f"{jobs}.csv", jobs)
        found = [
            read_results(tmp_path / f"{jobs}.csv").sort_values([*KEYS, "quantity"])["value"]
            for jobs in (1, 2)
        ]
        assert np.array_equal(*found)


class TestPlan:
    def test_every_cell_is_there_once(self):
        plan = Plan()
        cells = accuracy_cells(plan) + null_cells(plan) + time_cells(plan)
        assert len({astuple(cell) for cell in cells}) == len(cells)
        assert all(cell.task in tasks_of(cell.kind) for cell in cells)
        assert all(cell.estimator in runner.ALL_ESTIMATORS for cell in cells)

    def test_numbers_of_data_sets(self):
        plan = Plan()
        for kind in ("label", "pair"):
            sets = {(c.task, c.seed) for c in null_cells(plan) if c.kind == kind}
            assert len(sets) >= 100
            assert all(tasks_of(kind)[task].independent for task, _ in sets)
        for n in (200, 1000):
            for task in tasks_of("label"):
                seeds = [c.seed for c in accuracy_cells(plan) if (c.task, c.n) == (task, n)]
                assert len(set(seeds)) >= 5
        fresh = {c.seed for c in accuracy_cells(Plan(seed=9000))}
        assert not fresh & {c.seed for c in accuracy_cells(plan)}


def rows(*values, **columns):
    """Return rows of an estimator, one per (task, truth, value)."""
    frame = pd.DataFrame(values, columns=["task", "truth", "value"])
    base = {"part": "accuracy", "kind": "gate", "estimator": "decomposition", "n": 1000}
    return frame.assign(**(base | {"seed": range(len(frame)), "quantity": "R"} | columns))


class TestAcceptance:
    def test_errors_by_hand(self):
        frame = rows(("XOR", 0.5, 0.6), ("XOR", 0.5, 0.2), ("AND", 0.0, -0.1))
        assert mean_error(frame, quantity="R") == (pytest.approx(0.5 / 3), 3)
        assert worst_atom(frame) == (pytest.approx(0.2), 3)
        assert mean_error(frame, quantity="R", task="AND") == (pytest.approx(0.1), 1)
        assert np.isnan(mean_error(frame, n=200).value)

    def test_false_positives_by_hand(self):
        values = [("a", np.nan, p) for p in (0.01, 0.05, 0.051, 0.9)]
        frame = rows(*values, part="null", quantity="p_value")
        assert rejections(frame, quantity="p_value") == (0.5, 4)

    def test_verdicts(self):
        most = Requirement("", "", 0.1, mean_error)
        least = Requirement("", "", 0.1, mean_error, at_least=True)
        verdicts = [[want.met(Measured(v, 1)) for v in (0.05, 0.1, 0.2)] for want in (most, least)]
        assert verdicts == [["yes", "yes", "no"], ["no", "yes", "yes"]]
        assert most.met(Measured(np.nan, 0)) == "not measured"
        assert (most.required, least.required) == ("<= 0.1", ">= 0.1")

    def test_nothing_is_measured_of_nothing(self):
        empty = pd.DataFrame(columns=COLUMNS)
        assert all(r.met(r.measure(empty)) == "not measured" for r in requirements())


class TestSummary:
    def test_numbers(self):
        assert [number(v) for v in (0.12345, -0.0001, np.nan)] == ["0.123", "0.000", "–"]

    def test_table(self):
        assert table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"

    def test_tells_command_seeds_and_what_is_missing(self, tmp_path):
        path = tmp_path / "cells.csv"
        run(CELLS, path, 1)
        other = Cell("accuracy", "pair", "spiral-3x3", "composite", 200, 7)
        text = summarise(read_results(path), [*CELLS[1:], other], "the command")
        assert "`the command`" in text
        assert "3 of 4 cells" in text
        assert "accuracy 7 to 7; null 1 to 2" in text
        assert "normal-1x1 *" in text
