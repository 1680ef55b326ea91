import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.kinds import Kind
from balmi.data.matching import kin, unmatched
from balmi.data.names import MissingTexts, doubtful, from_spreadsheet, name_of, near_twins, twins
from balmi.data.numeric import NumericTable
from balmi.data.plausible import implausible


def table_of(values):
    """Return values as a table with numbers for names."""
    frame = pd.DataFrame(values)
    return NumericTable.of(frame.to_numpy(), frame.index, frame.columns).floating()


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (" P07 ", "P07"),
        ("P07\u00a0", "P07"),
        ("\ufeffP\u200b07", "P07"),
        ("Lum\t A", "Lum A"),
        ("e\u0301", "é"),
        (1.0, "1"),
        (np.float64(1e16), "10000000000000000"),
        ("1.00", "1"),
        ("01", "01"),
        ("1.10", "1.10"),
        (7, "7"),
        (b"LumA", "LumA"),
        (None, ""),
        (np.nan, ""),
        (pd.NA, ""),
        (True, "True"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_one_name_for_all_ways_to_store_it(cell, name):
    assert name_of(cell) == name


@given(st.text(max_size=12))
def test_a_name_stays_itself(text):
    assert name_of(name_of(text)) == name_of(text)


@pytest.mark.parametrize(
    "names",
    [
        ("P07", "p07"),
        ("P07", "P7"),
        ("Lum A", "Lum-A"),
        ("'A'", "A"),
        ("Malmö", "Malmo"),
        ("Pa", "Ра"),
        ("TRUE", "True"),
    ],
)
def test_names_that_look_alike(names):
    assert twins(names) == [tuple(sorted(names))]


@pytest.mark.parametrize(
    "names", [("1.5", "1.05"), ("P1-1", "P11"), ("HER2+", "HER2-"), ("-1", "1"), ("I", "II")]
)
def test_names_that_do_not_look_alike(names):
    assert not twins(names)
    assert not near_twins(names)


@pytest.mark.parametrize(
    "name", ["2-Sep", "Mar-01", "02. Sep", "01. Mrz", "1-déc", "September 2", "2-Sept.", "2.31E+13"]
)
def test_names_that_a_spreadsheet_made(name):
    assert from_spreadsheet(name)


@pytest.mark.parametrize("name", ["2-octanone", "1-decanol", "3-marmesin", "SEPT2", "DEC1", "12"])
def test_names_that_no_spreadsheet_made(name):
    assert not from_spreadsheet(name)


def test_a_blank_inside_is_told_and_not_taken_for_a_twin():
    assert not twins(["LumA", "Lum A"])
    assert near_twins(["LumA", "Lum A", "Her2"]) == [("Lum A", "LumA")]


def test_texts_for_nothing():
    missing = MissingTexts(["NA", "[Not Available]"])
    assert all(text in missing for text in ("", " ", "na", " NA ", "[not available]"))
    assert "None" not in missing
    assert all(map(doubtful, ["Unknown", "not reported", "-9", "999", "?", "#REF!"]))
    assert not any(map(doubtful, ["LumA", "9", "-1", "known"]))
    assert all(map(from_spreadsheet, ["2-Sep", "Mar-01", "2.31E+13", "1e+05", "2019-09-02"]))
    assert not any(map(from_spreadsheet, ["SEPT2", "March7", "HLA-A", "1-2", "0.5"]))


def test_ids_find_what_they_look_like():
    unknown = ["s1", "X2.0", "TCGA-AB-01A", "1e+05", "zz"]
    free = ["S001", "2-0", "TCGA-AB", "100000", "other"]
    assert kin(unknown, free) == dict(zip(unknown[:4], free[:4], strict=True))


def test_unmatched_ids_are_counted_with_examples():
    ((found, meaning),) = unmatched(pd.Index(["1", "2", "S3"]), pd.Index(["01", "02", "S3"]))
    assert found == "2 of 3 samples that the table of samples lacks: '1', '2'"
    assert meaning.startswith("2 of them look like ids that are there and have no match: '1' and")
    assert not unmatched(pd.Index(["a"]), pd.Index(["a", "b"]))


RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(20, 6))
BETAS = RNG.random((20, 6))
GENOTYPES = np.arange(120).reshape(20, 6) ** 2 % 7 % 3
# Whole numbers up to 900,000, half of them above 1,000.
DOTTED = np.rint(np.exp(np.random.default_rng(3).normal(7, 2, (20, 6)))) % 900_000


def with_cells(values, sentinel, count=2):
    values = values.copy()
    values.reshape(-1)[:count] = sentinel
    return values


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        (Kind.RNA_LOG, np.exp(3 * NORMAL + 6), "as rna-log"),
        (Kind.RNA_LOG, np.rint(np.exp(NORMAL + 3)), "whole numbers alone"),
        (Kind.MIRNA, np.rint(np.exp(NORMAL + 3)), "whole numbers alone"),
        (Kind.METHYLATION_M, BETAS, "values from 0 to 1 alone"),
        (Kind.METHYLATION_M, 100 * BETAS, "as methylation-m"),
        (Kind.PROTEIN, np.exp(NORMAL + 9), "as protein"),
        (Kind.GENERIC, with_cells(NORMAL, -9, 1), "-9 in 1 cell,"),
        (Kind.GENERIC, with_cells(NORMAL, 999), "999 in 2 cells"),
        (Kind.GENERIC, with_cells(BETAS, -1), "-1 in 2 cells"),
        (Kind.GENERIC, with_cells(GENOTYPES, 9), "9 in 2 cells"),
        (Kind.PROTEIN, with_cells(NORMAL + 25, 0), "0 in 2 cells"),
        (Kind.GENERIC, np.where(DOTTED < 1000, DOTTED, DOTTED / 1000), "of three decimals"),
        (Kind.GENERIC, with_cells(NORMAL, 1e20, 1), "values beyond 1e+15"),
        (Kind.GENERIC, with_cells(NORMAL, 0.0, 6), "1 sample with a single value"),
        (Kind.GENERIC, np.vstack([NORMAL, NORMAL[:1]]), "1 sample with exactly the values"),
        (Kind.GENERIC, np.full((20, 6), 3.0), "no feature that varies between samples"),
        (Kind.GENERIC, 3 + 1e-12 * NORMAL, "no feature that varies between samples"),
        (Kind.GENERIC, RNG.normal(size=(3, 255)), "as many as a spreadsheet has columns"),
    ],
)
def test_measurements_that_look_like_something_else(kind, values, found):
    remarks = implausible(table_of(values), kind)
    assert [remark for remark in remarks if found in remark[0]]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.RNA_LOG, np.abs(NORMAL) * 5),
        (Kind.RNA_COUNTS, np.rint(np.exp(3 * NORMAL + 6))),
        (Kind.METHYLATION_M, 3 * NORMAL),
        (Kind.METHYLATION_BETA, BETAS),
        (Kind.CNV, np.rint(NORMAL)),
        (Kind.PROTEIN, NORMAL),
        (Kind.GENERIC, np.full((20, 6), np.nan)),
        (Kind.GENERIC, np.full((4, 6), 3.0)),
        (Kind.GENERIC, np.where(np.arange(120).reshape(20, 6) == 119, 1e-9, 1e9)),
        (Kind.GENERIC, with_cells(np.rint(NORMAL), -1)),
        (Kind.CNV, with_cells(GENOTYPES + 1, 9)),
        (Kind.PROTEIN, np.minimum(GENOTYPES, 1)),
        (Kind.PROTEIN, np.maximum(NORMAL, 0)),
        (Kind.GENERIC, with_cells(NORMAL + 25, 0)),
        (Kind.GENERIC, np.where(DOTTED < 1000, DOTTED % 900 + 60, DOTTED % 90 / 1000)),
        (Kind.RNA_LOG, np.log2(np.arange(1, 121).reshape(20, 6)).round(3)),
        (Kind.GENERIC, np.column_stack([DOTTED[:, :3] % 900, 1 + DOTTED[:, 3:] % 999 / 1000])),
    ],
)
def test_usual_measurements_are_not_remarked_on(kind, values):
    assert not implausible(table_of(values), kind)
