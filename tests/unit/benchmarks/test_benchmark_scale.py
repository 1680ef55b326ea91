"""How the workflow scales: what a process notes of itself, resuming, exponents and the summary."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import scale
from scale_cohorts import AXES, SAMPLES, write_modality
from scale_summary import WHOLE, exponent, latest, requirements, stages, summarise
from usage.sitecustomize import DRIVER, FILE

USAGE = Path(scale.__file__).parent / "usage"
# A script as Snakemake starts it: the object with rule and wildcards is made before all else.
SCRIPT = """
from types import SimpleNamespace
snakemake = SimpleNamespace(rule={rule!r}, wildcards={{"dataset": "x", "method": "stacked-lr"}})
{work}
"""
BUSY = "from time import process_time as t\nwhile t() < .4: pass"
HUNGRY = "kept = bytearray(200 * 2**20)"


def note(path, text, name="script.py"):
    """Run a script under the recorder, and return the lines that it left."""
    script = path / name
    script.write_text(text, encoding="utf-8")
    lines = path / "usage.jsonl"
    environment = os.environ | {FILE: str(lines), "PYTHONPATH": str(USAGE)}
    subprocess.run([sys.executable, script], env=environment, check=True)
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


class TestNote:
    def test_a_job_is_its_rule_and_its_wildcards_but_the_dataset(self, tmp_path):
        (line,) = note(tmp_path, SCRIPT.format(rule="fit_baseline", work=BUSY))
        assert line["job"] == "fit_baseline stacked-lr"
        assert 0.3 < line["user"] + line["system"] < 5

    def test_what_a_job_starts_counts_with_it(self, tmp_path):
        work = "import subprocess, sys\n" + "\n".join(
            f"subprocess.run([sys.executable, '-c', {each!r}], check=True)"
            for each in (BUSY, HUNGRY)
        )
        (line,) = note(tmp_path, SCRIPT.format(rule="a", work=work))
        assert line["user"] + line["system"] > 0.3
        assert 200 < line["peak_mb"] < 600

    def test_the_driver_counts_itself_alone(self, tmp_path):
        work = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {HUNGRY!r}])"
        (line,) = note(tmp_path, work, name="snakemake")
        assert line["job"] == DRIVER
        assert line["peak_mb"] < 100

    def test_other_processes_note_nothing(self, tmp_path):
        assert not note(tmp_path, "print(1)")


def usage(path, *lines):
    """Write lines of the recorder: job, seconds, megabytes."""
    records = [
        {"job": job, "user": seconds, "system": 0.5, "peak_mb": peak}
        for job, seconds, peak in lines
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")


class TestReadUsage:
    def test_the_last_line_of_a_job_counts_and_all_starts_of_the_driver(self, tmp_path):
        path = tmp_path / "usage.jsonl"
        usage(path, ("a x", 1, 10), (DRIVER, 2, 50), ("a x", 3, 5), ("b", 4, 7), (DRIVER, 1, 60))
        found = scale.read_usage(path).set_index("job")
        assert found["seconds"].to_dict() == {"a x": 3.5, "b": 4.5, DRIVER: 4.0}
        assert found["peak_mb"].to_dict() == {"a x": 5, "b": 7, DRIVER: 60}


@pytest.fixture
def ran(monkeypatch):
    """Return the list of sizes that are run from now on, in place of the workflow."""
    found = []

    def run_workflow(axis, size, folder):
        found.append((axis, size))
        usage(folder / scale.USAGE, ("a", size / 1000, 10), (DRIVER, 1, 5))

    monkeypatch.setattr(scale, "run_workflow", run_workflow)
    return found


class TestRun:
    PLAN = (("n", 500), ("n", 2000), ("features", 500))

    def test_an_interrupted_run_continues(self, tmp_path, ran):
        path, scratch = tmp_path / "scale.csv", tmp_path / "scratch"
        scale.run(self.PLAN[:1], path, scratch)
        before = path.read_text()
        scale.run(self.PLAN, path, scratch)
        assert ran == list(self.PLAN)
        assert path.read_text().startswith(before)
        assert scale.read_results(path)["job"].tolist() == ["a", DRIVER] * 3
        assert not any(scratch.iterdir())

    def test_other_code_is_measured_again_beside_what_was(self, tmp_path, ran, monkeypatch):
        path = tmp_path / "scale.csv"
        scale.run(self.PLAN[:1], path, tmp_path)
        monkeypatch.setattr(scale, "code", lambda: "other")
        scale.run(self.PLAN[:1], path, tmp_path)
        assert ran == [self.PLAN[0]] * 2
        found = scale.read_results(path)
        assert len(found) == 4
        assert set(latest(found)["code"]) == {"other"}

    def test_a_size_that_fails_leaves_no_rows_and_keeps_its_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(scale.subprocess, "run", lambda *_, **__: FAILED)
        plan = [("modalities", 2)]
        with pytest.raises(SystemExit, match="modalities = 2 did not finish"):
            scale.run(plan, tmp_path / "scale.csv", tmp_path / "scratch")
        assert not (tmp_path / "scale.csv").exists()
        assert (tmp_path / "scratch" / "modalities-2" / "config.yaml").is_file()


FAILED = subprocess.CompletedProcess([], 1)


class TestExponent:
    @pytest.mark.parametrize("power", [0.0, 1.0, 1.45, 2.0])
    def test_a_power_is_found(self, power):
        sizes = np.array([2000.0, 5000, 20_000])
        assert exponent(sizes, 3 * sizes**power) == pytest.approx(power)

    def test_one_size_has_none(self):
        assert np.isnan(exponent([2000], [3]))


def table(*rows):
    """Return rows of the table: axis, size, job, seconds, peak in MB."""
    frame = pd.DataFrame(rows, columns=["axis", "size", "job", "seconds", "peak_mb"])
    return frame.assign(user=frame["seconds"], system=0.0, code="x")


CELLS = table(
    ("n", 500, "simulate_dataset", 99, 9000),
    ("n", 500, "fit_baseline a", 1, 100),
    ("n", 500, "fit_baseline b", 2, 300),
    ("n", 2000, "fit_baseline a", 20, 400),
    ("n", 2000, "fit_baseline b", 20, 500),
    ("n", 20_000, "fit_baseline a", 200, 5000),
    ("n", 20_000, "fit_baseline b", 200, 4000),
    ("n", 20_000, "driver", 10, 90),
)


class TestSummary:
    def test_a_stage_is_the_sum_of_its_jobs_and_the_peak_of_the_largest(self):
        found = stages(latest(CELLS))
        assert found.loc[("fit_baseline", 2000)].tolist() == [40, 500]
        assert found.loc[(WHOLE, 500)].tolist() == [3, 300]  # without what makes the data
        assert found.loc[(WHOLE, 20_000)].tolist() == [410, 5000]

    def test_what_must_be_reached(self):
        found = {each.text: each for each in requirements(latest(CELLS))}
        assert found["20,000 cells: processor seconds"].row[1:] == ("1,200", "410", "reached")
        assert found["20,000 cells: GB of the largest job"].row[3] == "missed"
        assert found["100,000 cells: processor seconds"].row[2:] == ("–", "not run")
        steepest = next(each for text, each in found.items() if "`fit_baseline`" in text)
        assert steepest.found == pytest.approx(1)  # of 2,000 and 20,000; 500 is start-up

    def test_reading_and_what_more_probes_cost(self):
        frame = table(
            ("features", 450_000, "driver", 60, 100),
            ("features", 450_000, "assemble_cohort", 100, 2048),
            ("features", 2000, "driver", 100, 100),
            ("features", 100_000, "driver", 400, 100),
        )
        found = {each.text: each.found for each in requirements(latest(frame))}
        assert found["450,000 probes read: processor seconds"] == 160
        assert found["450,000 probes read: GB of the largest job"] == 2
        assert found["100,000 probes instead of 2,000: processor seconds more"] == 300

    def test_the_tables(self):
        text = summarise(CELLS, "make it")
        assert "| stage | 500 | 2,000 | 20,000 | exponent | peak MB |" in text
        assert "| `fit_baseline` | 3.0 | 40.0 | 400.0 | 1.00 | 5,000 |" in text
        assert "| `driver` | – | – | 10.0 | – | 90 |" in text
        assert "probes of methylation" not in text  # nothing of that axis was run

    def test_a_summary_without_its_table_ends_with_a_sentence(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "argv", ["x", "--summary", "--folder", str(tmp_path)])
        with pytest.raises(SystemExit, match="`make benchmark-scale` makes it"):
            scale.main()


class TestCohorts:
    def test_a_modality_is_as_wide_as_asked_and_the_same_each_time(self, tmp_path):
        paths = [tmp_path / name for name in ("a.csv", "b.csv")]
        for path in paths:
            write_modality(path, 7, seed=1, signal=0.5, bounded=True)
        found = pd.read_csv(paths[0], index_col="id")
        assert found.shape == (SAMPLES, 7)
        assert found.min().min() >= 0
        assert found.max().max() <= 1
        assert paths[0].read_bytes() == paths[1].read_bytes()

    def test_the_class_is_told_where_there_is_signal(self, tmp_path):
        spread = {}
        for signal in (0.0, 1.5):
            write_modality(tmp_path / "x.csv", 40, seed=3, signal=signal)
            values = pd.read_csv(tmp_path / "x.csv", index_col="id")
            means = values.groupby(np.arange(SAMPLES) % 3).mean()
            spread[signal] = (means.std() / values.std()).mean()
        assert spread[1.5] > 4 * spread[0.0]

    def test_datasets_name_files_that_are_there(self, tmp_path):
        found = AXES["modalities"].dataset(3, tmp_path)
        assert len(found["modalities"]) == 3
        files = [found["samples"], *(each["path"] for each in found["modalities"].values())]
        assert all(Path(file).is_file() for file in files)
