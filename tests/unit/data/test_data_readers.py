import gzip
import os
import shutil
import tarfile

import numpy as np
import pandas as pd
import pytest
from data_source import WRITERS, write_h5mu
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balmi.data.files import annotated_files
from balmi.data.readers import read_measurements, read_samples, suffix
from balmi.errors import UserError

IDS = ["001", "1", "NA", "nan", "s,5", 's "6"', "é 7", "-8"]
MEASURED = pd.DataFrame(
    {
        "HLA-A": [0.5, np.nan, 1.25, -3.0, 0.0, 1e-3, 7.0, 1e6],
        "a b,c": [1.0, 2.0, 3.0, np.nan, 5.0, 6.0, 7.0, 8.0],
        "1": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.5],
    },
    index=pd.Index(IDS, name="id"),
)
ABOUT = pd.DataFrame(
    {
        "subtype": ["LumA", "Her2", None, "Lum,B", "é", "LumA", "x y", "Her2"],
        "patient": ["007", "7", "08", "008", "p1", "p2", "p3", "True"],
    },
    index=pd.Index(IDS, name="id"),
)


def problem(path, reader=read_measurements, *arguments):
    with pytest.raises(UserError) as caught:
        reader(path, *arguments)
    (found,) = caught.value.problems
    return found


def test_measurements_read_alike_from_every_format(written):
    table = read_measurements(written(MEASURED), "rna")
    expected = MEASURED.rename_axis("sample")
    pd.testing.assert_frame_equal(
        table, expected, check_column_type=False, check_names=False, check_index_type=False
    )
    assert table.index.name == "sample"
    assert all(isinstance(name, str) for name in [*table.index, *table.columns])


def test_samples_read_alike_from_every_format(written):
    table = read_samples(written(ABOUT))
    assert list(table.index) == IDS
    assert table["patient"].astype(object).tolist() == ABOUT["patient"].tolist()
    found = table["subtype"].astype(object)
    assert found[found.notna()].to_dict() == ABOUT["subtype"].dropna().to_dict()
    assert found.isna().tolist() == ABOUT["subtype"].isna().tolist()


@pytest.mark.parametrize(
    ("path", "ending"),
    [
        ("a.csv", ".csv"),
        ("a.CSV.GZ", ".csv"),
        ("a.b/c.tsv.gz", ".tsv"),
        ("a.h5ad", ".h5ad"),
        ("a", ""),
        ("a.gz", ""),
    ],
)
def test_suffix(path, ending):
    assert suffix(path) == ending


def write(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"id,a,b\ns1,1,2\ns2,3,4\n",
        b"id,a,b\ns1,1,2\ns2,3,4",
        b"id,a,b\r\ns1,1,2\r\ns2,3,4\r\n",
        b"id,a,b\rs1,1,2\rs2,3,4\r",
        b"\xef\xbb\xbfid,a,b\ns1,1,2\ns2,3,4\n",
        b'"id","a","b"\n"s1","1","2"\n"s2","3","4"\n',
        b"a,b\ns1,1,2\ns2,3,4\n",
        b'\xef\xbb\xbf"a","b"\r\n"s1",1,2\r\n"s2",3,4\r\n',
        b"id,a,b\n\ns1,1,2\n\n\ns2,3,4\n\n",
        b"\n\nid,a,b\ns1,1,2\ns2,3,4\n",
        b"\r\nid,a,b\r\n\r\ns1,1,2\r\ns2,3,4\r\n",
        b",a,b\ns1,1,2\ns2,3,4\n",
    ],
)
def test_ways_to_write_one_table(tmp_path, content):
    table = read_measurements(write(tmp_path, content))
    assert table.to_dict("index") == {"s1": {"a": 1, "b": 2}, "s2": {"a": 3, "b": 4}}


def test_a_header_may_span_lines(tmp_path):
    table = read_measurements(write(tmp_path, b'id,"a\nb",c\ns1,1,2\n'))
    assert table.to_dict("index") == {"s1": {"a\nb": 1, "c": 2}}


def test_ids_are_never_numbers_nor_missing(tmp_path):
    content = b"id,a\n001,1\n1,2\nNA,3\nnan,4\nNone,5\n1e3,6\n,7\nTrue,8\n"
    table = read_measurements(write(tmp_path, content))
    assert list(table.index) == ["001", "1", "NA", "nan", "None", "1e3", "", "True"]


def test_what_stands_for_an_empty_cell(tmp_path):
    texts = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A"]
    content = "id,a\ns,1.5\n" + "".join(f"s{i},{text}\n" for i, text in enumerate(texts))
    values = read_measurements(write(tmp_path, content.encode()))["a"]
    assert values.isna().sum() == len(texts)
    assert values.dtype == float


def test_other_words_are_kept_as_they_are_for_the_checks(tmp_path):
    table = read_measurements(write(tmp_path, b"id,a\ns1,missing\ns2,-\ns3,1\n"))
    assert table["a"].tolist() == ["missing", "-", "1"]


def test_columns_of_samples_are_text(tmp_path):
    table = read_samples(write(tmp_path, b"id,stage,site\ns1,01,007\ns2,1,7\ns3,,7.0\n"))
    assert table["stage"].tolist()[:2] == ["01", "1"]
    assert table["stage"].isna().tolist() == [False, False, True]
    assert table["site"].tolist() == ["007", "7", "7.0"]


def test_names_that_occur_twice_are_kept_for_the_checks(tmp_path):
    table = read_measurements(write(tmp_path, b"id,a,a\ns1,1,2\ns1,3,4\n"))
    assert list(table.columns) == ["a", "a"]
    assert list(table.index) == ["s1", "s1"]


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (b"", (0, 0)),
        (b"\n\n", (0, 0)),
        (b"id,a,b\n", (0, 2)),
        (b"id,a,b", (0, 2)),
        (b"id\ns1\ns2\n", (2, 0)),
    ],
)
def test_empty_tables(tmp_path, content, shape):
    assert read_measurements(write(tmp_path, content)).shape == shape
    assert read_samples(write(tmp_path, content)).shape == shape


def broken_zip(content):
    return content[:30] + b"\x00\xff" * 200 + content[430:]


PACKED = gzip.compress(b"".join(b"s%d,%d,3\n" % (i, i * 7919 % 1000) for i in range(3000)))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("not.csv.gz", b"id,a\ns,1\n", "Not a gzipped file"),
        ("cut.csv.gz", PACKED[: len(PACKED) // 2], "ended before the end-of-stream marker"),
        ("broken.csv.gz", broken_zip(PACKED), "while decompressing data"),
        ("empty.parquet", b"", "Parquet file size is 0 bytes"),
        ("junk.parquet", b"\x93x" * 500, "not a parquet file"),
        ("junk.h5ad", b"\x93x" * 500, "file signature not found"),
        ("empty.h5ad", b"", "file signature not found"),
        ("junk.h5mu", b"\x93x" * 500, "not an HDF5 file"),
        ("empty.h5mu", b"", "not an HDF5 file"),
    ],
)
def test_broken_files_are_named(tmp_path, name, content, found):
    path = write(tmp_path, content, name)
    for reader in (read_measurements, read_samples):
        said = problem(path, reader)
        assert said.where == str(path)
        assert said.found.startswith("not readable: ")
        assert found in said.found
        assert said.allowed == f"a valid {suffix(path)} file"


@pytest.mark.parametrize(
    ("content", "found", "allowed"),
    [
        (b"id,a\ns1,1\ns2,2,3\n", "3 fields in line 3, 2 in the header", "needs quotes"),
        (b"id,a,b\ns1,1,2\ns2,2\n", "2 fields in line 3, 3 in the header", "may be cut off"),
        (b"id,a\ns1,1,2,3\n", "4 fields in line 2, 2 in the header", "as many fields"),
        (
            b"id,a,b\ns1,1,2,\ns2,3,4,\n",
            "3 fields in the header, 4 in every row below it, while every row ends in a separator",
            "as many fields in the header as in the rows",
        ),
        (
            b"id,a,b\ns1,1,2,5\ns2,3,4,5\n",
            "3 fields in the header, 4 in every row below it, while the header begins with 'id'",
            "decimal comma",
        ),
        (b'id,a\n"s1,1\ns2,2\n', "a quote that is opened in line 2 and not closed", "in pairs"),
        (b'id,a\n"' + b"x" * 200_000, "a quote that is opened in line 2 and not closed", "pairs"),
        (b'id,a\ns1,"1\ns2,2\ns3,3"\n', "a quoted cell from line 2 to 4 that holds rows", "pairs"),
        (b'id,a\ns1,"1" x\n', "a quoted cell in line 2 that goes on after its closing", "doubled"),
        (b"id,a\ns1,1\nid,a\ns2,2\n", "the header again in line 3", "one below the other"),
        (b"id,a\ns1,\0\n", "a NUL character in line 2", "UTF-8"),
        ("id,a\né,1\n".encode("latin-1"), "a byte that is no UTF-8: 0xe9", "UTF-8"),
        ("id,a\ns,1\n".encode("utf-16"), "text in UTF-16", "UTF-8"),
        ("id,a\ns,1\n".encode("utf-16-be"), "text in UTF-16, or no text", "UTF-8"),
        (b"id;a\ns1;1\n", "1 field in every row; the header seems to be split by semi", ".tsv for"),
        (b"id a b\ns1 1 2\n", "1 field in every row; the header seems to be split by spac", ".tsv"),
        (b"id;a;b\ns1;1,5;2\n", "seems to be split by semicolons", "with a decimal point"),
        (b"# by hand\nid,a\ns1,1\n", "lines of comment (#) have to go", "as many fields"),
        (b"PK\x03\x04rest", "a zip archive, or an Excel workbook", "save it as CSV"),
        (b"\n<!DOCTYPE html>\n", "a web page", "fetch the file again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS", "git lfs pull"),
        (gzip.compress(b"id,a\n", mtime=0), "a gzip archive", "a name that ends in .gz"),
        (b"PAR1", "a Parquet file", "a name that ends in .parquet"),
    ],
)
def test_broken_text_is_explained(tmp_path, content, found, allowed):
    path = write(tmp_path, content)
    for reader in (read_measurements, read_samples):
        said = problem(path, reader)
        assert said.where == str(path)
        assert found in said.found
        assert allowed in said.allowed


@pytest.mark.parametrize("name", ["whole.parquet", "whole.h5ad", "whole.h5mu", "whole.csv.gz"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_files_that_were_cut_off(tmp_path, name, share):
    kind = suffix(name)
    writer = next(write for key, write in WRITERS.items() if key.endswith(kind.lstrip(".")))
    if name.endswith(".gz"):
        writer = WRITERS["packed.csv.gz"]
    path = tmp_path / name
    writer(MEASURED, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert problem(path, read_measurements, "rna").found.startswith("not readable: ")


def test_an_h5ad_file_without_x(tmp_path):
    from anndata import AnnData

    path = tmp_path / "bare.h5ad"
    AnnData(obs=pd.DataFrame({"y": ["a"]}, index=["s"])).write_h5ad(path)
    assert problem(path).found == "not readable: there is no X in it"
    assert read_samples(path)["y"].tolist() == ["a"]


MISNAMED = [
    ("plain.csv", ".csv.gz"),
    ("plain.csv", ".parquet"),
    ("packed.csv.gz", ".csv"),
    ("index.parquet", ".csv"),
    ("index.parquet", ".h5ad"),
    ("dense.h5ad", ".csv"),
    ("dense.h5ad", ".h5mu"),
    ("dense.h5ad", ".parquet"),
    ("several.h5mu", ".h5ad"),
    ("several.h5mu", ".tsv"),
]


@pytest.mark.parametrize(("name", "ending"), MISNAMED)
def test_one_format_under_the_name_of_another(tmp_path, name, ending):
    path = tmp_path / f"misnamed{ending}"
    WRITERS[name](MEASURED, tmp_path / name)
    shutil.copy(tmp_path / name, path)
    assert problem(path, read_measurements, "rna").where == str(path)


@pytest.mark.parametrize(
    ("name", "ending", "found"),
    [("dense.h5ad", ".h5mu", "an AnnData file"), ("several.h5mu", ".H5AD", "a MuData file")],
)
def test_an_annotated_file_under_the_ending_of_the_other_kind(tmp_path, name, ending, found):
    WRITERS[name](MEASURED, tmp_path / name)
    shutil.copy(tmp_path / name, tmp_path / f"misnamed{ending}")
    for reader in (read_measurements, read_samples):
        said = problem(tmp_path / f"misnamed{ending}", reader)
        assert (said.found, said.allowed) == (found, f"a name that ends in {suffix(name)}")


def test_a_modality_that_the_file_lacks(tmp_path):
    path = tmp_path / "several.h5mu"
    write_h5mu(MEASURED, path)
    found = problem(path, read_measurements, "rnaa")
    assert found.where == str(path)
    assert found.found == "no modality 'rnaa' in the file"
    assert found.allowed == "one of rna, other: name it with the key 'modality'"
    assert found.nearest == "'rna'"


def test_a_missing_file_names_its_nearest_sibling(tmp_path):
    write(tmp_path, b"id\n", "expression.csv")
    found = problem(tmp_path / "expresion.csv")
    assert found.where == str(tmp_path / "expresion.csv")
    assert (found.found, found.allowed) == ("no such file", "an existing file")
    assert found.nearest == repr(str(tmp_path / "expression.csv"))


def test_a_missing_folder_names_its_nearest_sibling(tmp_path):
    (tmp_path / "data").mkdir()
    found = problem(tmp_path / "date" / "deep" / "table.csv")
    assert found.found == f"no such file, since there is no folder {str(tmp_path / 'date')!r}"
    assert found.nearest == repr(str(tmp_path / "data"))


def test_a_missing_folder_of_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    found = problem("date/table.csv")
    assert found.found == "no such file, since there is no folder 'date'"
    assert found.allowed == f"an existing file (paths count from {tmp_path})"
    assert found.nearest == "'data'"


def test_a_missing_file_with_a_name_that_none_can_have(tmp_path):
    assert problem(tmp_path / "a\0b.csv").found == "no such file"


def test_what_is_no_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("gone.csv")
    assert problem(tmp_path).found == "a folder"
    assert problem(tmp_path).nearest is None
    assert problem(tmp_path / "pipe.csv").found.startswith("a pipe or a device")
    assert problem(tmp_path / "link.csv").found == "a link to gone.csv, which does not exist"


@pytest.mark.parametrize("start", ["~", "$HOME", "${HOME}"])
def test_a_path_that_a_shell_would_expand(tmp_path, monkeypatch, start):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, b"id,a\ns,1\n")
    found = problem(f"{start}/table.csv")
    assert found.found == "no such file"
    assert found.allowed.startswith(f"the path in full, here {tmp_path}/table.csv: ~ and $")


def test_an_address_on_the_web():
    found = problem("https://example.org/table.csv")
    assert (found.found, found.allowed[:20]) == ("an address on the web", "a file: download it,")


def test_a_name_that_no_file_can_have(tmp_path):
    found = problem(tmp_path / ("x" * 300 + ".csv"))
    assert found.found == os.strerror(36)
    assert len(found.where) < 100


@pytest.mark.parametrize(
    ("name", "ending", "nearest"),
    [
        ("t.h5da", "ending in '.h5da'", "'.h5ad'"),
        ("t", "without an ending", None),
        ("t.gz", "without an ending", None),
        ("t.parquets", "ending in '.parquets'", "'.parquet'"),
    ],
)
def test_other_formats(tmp_path, name, ending, nearest):
    found = problem(write(tmp_path, b"x", name))
    assert found.found == f"a file {ending}"
    assert (
        found.allowed
        == "one of .csv, .tsv, .txt, .parquet, .h5ad, .h5mu, .h5; CSV and TSV may end in .gz"
    )
    assert found.nearest == nearest


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("t.xlsx", "saved as CSV in UTF-8"),
        ("t.RDS", "written as CSV by R"),
        ("t.csv.bz2", "unpacked"),
        ("t.feather", "written as Parquet or CSV"),
        ("t.loom", "written as .h5ad"),
        ("t.gct.gz", "made a table with a row for every sample"),
        ("matrix.mtx", "named by its folder, where its lists of features and barcodes lie too"),
    ],
)
def test_what_to_do_with_other_formats(tmp_path, name, advice):
    found = problem(write(tmp_path, b"x", name))
    assert found.allowed.endswith(f"; this one first has to be {advice}")
    assert found.nearest is None


def test_a_tar_archive_that_is_named_as_a_packed_table(tmp_path):
    packed = tmp_path / "table.csv.gz"
    (tmp_path / "table.csv").write_text("id,g\ns,1\n")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(tmp_path / "table.csv", "table.csv")
    assert problem(packed).found == "a tar archive"


def test_quotes_and_another_separator_as_excel_and_r_write_them_in_europe(tmp_path):
    found = problem(write(tmp_path, b'"id";"g"\n"s1";"1,5"\n', "t.csv")).found
    assert found.endswith(
        "; the header seems to be split by semicolons, and the file's ending says commas"
    )


def test_nothing_is_nearest_to_itself(tmp_path):
    (tmp_path / "gone.csv").symlink_to("nowhere.csv")
    (tmp_path / "gone2.csv").touch()
    assert problem(tmp_path / "gone.csv").nearest is None


@pytest.mark.parametrize("start", [0, 5])
def test_row_names_with_a_name_are_ids_though_they_count(tmp_path, start):
    index = pd.RangeIndex(start, start + 3, name="sample")
    pd.DataFrame({"g": [7, 8, 9]}, index=index).to_parquet(tmp_path / "t.parquet")
    table = read_measurements(tmp_path / "t.parquet")
    assert list(table.index) == [str(row) for row in index]
    assert list(table["g"]) == [7, 8, 9]


def test_another_programs_hdf5_and_an_annotated_file_called_h5(tmp_path):
    import h5py
    from anndata import AnnData

    path = tmp_path / "t.h5ad"
    with h5py.File(path, "w") as file:
        file["foo"] = [1]
    found = problem(path)
    assert found.found == "an HDF5 file of another program, which holds 'foo'"
    assert found.allowed == "a .h5ad file, with obs, var"
    AnnData(np.ones((2, 2))).write_h5ad(path)
    path.rename(tmp_path / "t.h5")
    found = problem(tmp_path / "t.h5")
    assert (found.found, found.allowed) == ("an AnnData file", "a name that ends in .h5ad")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sep=;\nid;g\ns1;1\n", "a first line 'sep=;'"),
        ("Table S1,,\n,,\nid,g,h\ns1,1,2\n", "a single name in a header of 3 fields: 'Table S1'"),
        ("#A,B\n#1,1\nid,g\ns1,1\n", "lines of comment (#) in lines 1 and 2"),
        ("id,g,h\ns1,1,2\n# batch 2\ns2,1,2\n", "1 field in line 3, 3 in the header; lines of"),
        ("# a; b; c\nid,g,h\ns1,1,2\n", "3 fields in line 2, 1 in the header"),
    ],
)
def test_lines_that_are_no_rows(tmp_path, text, told):
    found = problem(write(tmp_path, text.encode(), "t.csv")).found
    assert found.startswith(told)
    assert "semicolons" not in found


def test_samples_may_be_called_by_numbers_behind_a_hash(tmp_path):
    path = write(tmp_path, b"#id,g\n#1,1\n#2,3\n", "t.csv")
    assert list(read_measurements(path).index) == ["#1", "#2"]


@pytest.mark.parametrize("index", [["x", None], ["x", float("nan")]])
def test_ids_that_are_missing_in_parquet_are_blank(tmp_path, index):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"a": [1, 2]}, index=pd.Index(index, name="id", dtype=object)).to_parquet(path)
    assert list(read_measurements(path).index) == ["x", ""]


def test_whole_numbers_as_ids_in_parquet(tmp_path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"id": [7, 8], "a": [1.0, 2.0]}).to_parquet(path)
    assert list(read_measurements(path).index) == ["7", "8"]


def test_two_columns_of_row_names_in_parquet(tmp_path):
    path = tmp_path / "table.parquet"
    index = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
    pd.DataFrame({"x": [1, 2]}, index=index).to_parquet(path)
    assert "2 columns of row names" in problem(path).found


def test_names_that_occur_twice_in_h5ad_are_kept_for_the_checks(tmp_path):
    from anndata import AnnData

    path = tmp_path / "twice.h5ad"
    with annotated_files():
        AnnData(
            np.eye(2), obs=pd.DataFrame(index=["s", "s"]), var=pd.DataFrame(index=["g", "g"])
        ).write_h5ad(path)
    table = read_measurements(path)
    assert list(table.index) == ["s", "s"]
    assert list(table.columns) == ["g", "g"]


def test_one_feature_name_in_two_modalities(tmp_path):
    from anndata import AnnData
    from mudata import MuData

    path = tmp_path / "same.h5mu"
    obs, var = pd.DataFrame(index=["s", "t"]), pd.DataFrame(index=["TP53", "BRCA1"])
    with annotated_files():
        MuData(
            {name: AnnData(np.eye(2) * k, obs=obs, var=var) for k, name in enumerate("ab", 1)}
        ).write_h5mu(path)
    assert read_measurements(path, "b").loc["t"].tolist() == [0, 2]
    for unknown, told in ((None, "no name of a modality"), ("c", "no modality 'c'")):
        with pytest.raises(UserError, match=f"{told}(.|\n)*one of a, b: name it"):
            read_measurements(path, unknown)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(content=st.binary(max_size=300), ending=st.sampled_from([".csv", ".tsv.gz", ".parquet"]))
def test_any_bytes_are_read_or_explained(tmp_path, content, ending):
    path = write(tmp_path, content, f"any{ending}")
    for reader in (read_measurements, read_samples):
        try:
            table = reader(path)
        except UserError as error:
            table = None
            assert_named = str(path) in str(error)
        assert table is not None or assert_named


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    ids=st.lists(CELLS, min_size=1, max_size=5),
    names=st.lists(CELLS, min_size=1, max_size=3),
    ending=st.sampled_from([".csv", ".tsv"]),
)
def test_any_names_survive_delimited_files(tmp_path, ids, names, ending):
    path = tmp_path / f"any{ending}"
    table = pd.DataFrame(1, index=pd.Index(ids, name="id"), columns=names)
    table.to_csv(path, sep="\t" if ending == ".tsv" else ",")
    found = read_measurements(path)
    assert list(found.index) == ids
    assert list(found.columns) == names
    assert (found == 1).all(axis=None)
