"""Tables that are not in git: the list of their checksums, and what is said where one is absent."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import complementarity
import information
import runner
import verdicts
from checksums import FILE, needed, record, recorded

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "benchmarks" / "results"
SHA256SUM = shutil.which("sha256sum")


def written(folder, **texts):
    """Write tables and return their paths."""
    paths = [folder / f"{name}.csv" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


class TestRecord:
    def test_known_checksums_in_the_order_of_names(self, tmp_path):
        record(*written(tmp_path, b="", a="abc"))
        # FIPS 180-2's example, and the checksum of nothing.
        abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert (tmp_path / FILE).read_text() == f"{abc}  a.csv\n{empty}  b.csv\n"
        assert recorded(tmp_path) == {"a.csv": abc, "b.csv": empty}

    def test_a_changed_table_gets_a_new_line_and_others_keep_theirs(self, tmp_path):
        first, second = written(tmp_path, a="1", b="2")
        record(first, second)
        before = recorded(tmp_path)
        first.write_text("3")
        second.unlink()
        record(first)
        digits = hashlib.sha256(b"3").hexdigest()
        assert recorded(tmp_path) == {"a.csv": digits, "b.csv": before["b.csv"]}

    @pytest.mark.skipif(SHA256SUM is None, reason="no sha256sum")
    @pytest.mark.parametrize(("text", "status"), [("1", 0), ("3", 1)])
    def test_sha256sum_reads_the_list(self, tmp_path, text, status):
        (table,) = written(tmp_path, **{"a table, of two words": "1"})
        record(table)
        table.write_text(text)
        command = [SHA256SUM, "--check", "--strict", FILE]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == status

    def test_every_table_of_the_manual_is_in_the_list_and_every_summary_is_in_git(self):
        manual = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
        rows = [line.split(" | ") for line in manual.splitlines() if ".csv` | " in line]
        tables = {row[0].strip("|` "): row[-1].strip("|` ") for row in rows}
        assert set(tables) == set(recorded(RESULTS))
        for table, summaries in tables.items():
            names = [each.strip("` ") for each in summaries.split(",")]
            assert names, table
            assert all((RESULTS / name).is_file() for name in names)


class TestNeeded:
    def test_a_table_that_is_there(self, tmp_path):
        (table,) = written(tmp_path, a="1")
        assert needed(table, "make x") == table

    @pytest.mark.parametrize("benchmark", [information, complementarity, verdicts])
    def test_a_summary_without_its_table_ends_with_a_sentence(
        self, benchmark, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(sys, "argv", ["x", "--summary", "--folder", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            benchmark.main()
        said = ended.value.code
        assert said.startswith(str(tmp_path))
        told = f".csv is absent, of which the summary is made: `{benchmark.TARGET}` makes it."
        assert said.endswith(told)
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert f"\n{benchmark.TARGET.removeprefix('make ')}: " in makefile
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("benchmark", "heads"),
    [
        (information, {"information": runner.COLUMNS}),
        (complementarity, {"complementarity": ("teacher", "student", "seed")}),
        (verdicts, {"verdicts": verdicts.COMPARED, "headlines": verdicts.TOLD}),
    ],
)
def test_a_table_without_rows_that_were_asked_for_ends_with_a_sentence(
    benchmark, heads, tmp_path, monkeypatch
):
    tables = written(tmp_path, **{name: ",".join(head) + "\n" for name, head in heads.items()})
    monkeypatch.setattr(sys, "argv", ["x", "--summary", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit, match="holds too little of what is to be summarised"):
        benchmark.main()
    assert sorted(tmp_path.iterdir()) == sorted(tables)


def test_a_summary_is_made_of_the_table_alone_and_the_table_is_recorded(tmp_path, monkeypatch):
    """Two data sets per value of a grid of two, with gains of opposite signs."""
    rows = [
        {"teacher": teacher, "student": student, "strength": strength, "shared": shared}
        | {"seed": seed, "macro_f1": 0.5 + gain, "macro_f1_alone": 0.5, "gain": gain}
        | {"planted": 2 * gain, "margin": gain, "code": "of another version"}
        for teacher, student in (complementarity.TAUGHT, complementarity.TAUGHT[::-1])
        for strength in complementarity.STRENGTHS
        for shared, gain in ((0.0, -0.1), (0.5, 0.1))
        for seed in (2000, 2001)
    ]
    path = tmp_path / "complementarity.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["x", "--summary", "--folder", str(tmp_path)])
    monkeypatch.setattr(complementarity, "study", None)
    complementarity.main()
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| 0.50 | +0.200 | +0.100 (+0.100 to +0.100) | 0.500 | +0.100 (+0.100 to" in text
    assert "changes its sign at a planted margin of +0.000 nats" in text
    assert path.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg")
    assert path.read_bytes() == before
    assert recorded(tmp_path) == {path.name: hashlib.sha256(before).hexdigest()}


def test_one_data_set_is_refused_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "--sets", "1", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit):
        complementarity.main()
    assert "--sets: an interval over data sets needs at least two" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
