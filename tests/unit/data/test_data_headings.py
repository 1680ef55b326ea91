"""Names in files of measurements are those that whoever reads the whole file finds."""

import gzip

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from anndata import AnnData
from mudata import MuData
from pyarrow import parquet

from balmi.data import headings
from balmi.data.files import annotated_files
from balmi.data.headings import Heading, heading
from balmi.data.readers import FORMATS, load_measurements
from balmi.data.tidying import tidied
from balmi.errors import UserError

TABLE = pd.DataFrame(
    np.arange(6.0).reshape(2, 3),
    index=pd.Index(["s1", "s2"], name="sample"),
    columns=["TP53 ", "A|1", "NA"],
)
NAMES = ["TP53", "A|1", "NA"]


def same(path, modality=None, layer=None):
    """Return the features by the names alone, once the whole file has been found to have them."""
    table = tidied(load_measurements(path, modality, layer), "features").table
    found = heading(str(path), modality, layer)
    assert found.features == list(table.columns)
    assert found.rows in ([], list(table.index)[: headings.SOME_ROWS])
    return found.features


@pytest.mark.parametrize("row_names", [None, "sample"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv"])
def test_of_text(tmp_path, name, row_names):
    sign = "\t" if name == "a.tsv" else ","
    TABLE.to_csv(tmp_path / name, sep=sign, index_label=row_names)
    assert same(tmp_path / name) == NAMES


def test_of_text_as_r_writes_it(tmp_path):
    TABLE.to_csv(tmp_path / "a.tsv", sep="\t", index_label=False)
    assert same(tmp_path / "a.tsv") == NAMES


def test_of_parquet_with_names_of_rows_and_with_ids_in_a_column(tmp_path):
    path = tmp_path / "a.parquet"
    TABLE.to_parquet(path)
    assert same(path) == NAMES
    TABLE.rename_axis(None).to_parquet(path)
    assert same(path) == NAMES
    TABLE.reset_index().to_parquet(path)
    assert same(path) == NAMES
    parquet.write_table(pa.table(dict(TABLE.reset_index())), path)  # of another program
    assert same(path) == NAMES
    named = TABLE.reset_index(drop=True).rename_axis("sample")  # ids that count
    named.to_parquet(path)
    assert same(path) == NAMES
    TABLE.set_axis([10, 20, 30], axis=1).to_parquet(path)
    assert same(path) == ["10", "20", "30"]


def test_of_parquet_whose_schema_is_long_or_whose_rows_have_several_names_none(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.parquet"
    TABLE.set_index("NA", append=True).to_parquet(path)
    assert heading(str(path)) is None
    TABLE.to_parquet(path)
    monkeypatch.setattr(headings, "MOST_SCHEMA", 10)
    assert heading(str(path)) is None


@pytest.fixture
def data():
    result = AnnData(TABLE, layers={"counts": TABLE.to_numpy()})
    result.raw = result.copy()
    return result[:, 1:].copy()


def test_of_annotated_files_of_what_their_layer_has(tmp_path, data, monkeypatch):
    path = tmp_path / "a.h5ad"
    data.write_h5ad(path)
    assert same(path) == same(path, None, "counts") == NAMES[1:]
    assert same(path, None, "raw") == NAMES
    with annotated_files():
        MuData({"rna": data}).write(tmp_path / "a.h5mu")
    assert same(tmp_path / "a.h5mu", "rna") == NAMES[1:]
    assert heading(str(tmp_path / "a.h5mu"), "protein") is None
    monkeypatch.setattr(headings, "MOST_NAMES", 1)
    assert heading(str(path)) is None


def test_a_file_of_another_program_is_told_of(tmp_path):
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        file["x"] = 1
    with pytest.raises(UserError, match="another program"):
        heading(str(tmp_path / "a.h5ad"))


def test_of_counts(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        matrix = file.create_group("matrix")
        matrix["barcodes"] = [b"c1", b"c2"]
        matrix["features/id"] = [b"E1", b"E2", b"P1"]
        matrix["features/name"] = [b"G", b"G", b"CD3"]
        matrix["features/feature_type"] = [b"Gene Expression"] * 2 + [b"Antibody Capture"]
    assert heading(str(path), "rna") == Heading(["E1", "E2"], ["c1", "c2"])
    assert heading(str(path), "adt") == Heading(["CD3"], ["c1", "c2"])
    with pytest.raises(UserError, match="no feature type 'atac2'"):
        heading(str(path), "atac2")


def test_what_is_not_in_order_is_left_to_whoever_reads_it(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id,\xff\n")
    (tmp_path / "b.csv").write_text("")
    with gzip.open(tmp_path / "c.csv.gz", "wt") as file:
        file.write("id;G1\n")
    for ending in ("parquet", "h5ad", "h5"):
        (tmp_path / f"d.{ending}").write_bytes(b"no such file")
    (tmp_path / "e.parquet").write_bytes(b"")
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == 7
    assert [heading(str(tmp_path / name)) for name in [*names, "none.csv"]] == [None] * 8


def test_names_are_read_of_every_format():
    assert set(headings._READERS) == set(FORMATS)
