"""What of the tables is used, and what is left out and counted."""

import numpy as np
import pandas as pd
import pytest

from balmi.data.numeric import NumericTable
from balmi.data.usable import Tables, apart


def test_modalities_without_a_common_sample_are_told_of():
    """The reader of a whole dataset warns of them: nothing can be said of combining."""
    samples = pd.DataFrame({"label": [*"abab"]}, index=[*"wxyz"])
    tables = {
        name: NumericTable.of(np.ones((2, 2)), pd.Index([*ids]), pd.Index([*"fg"]))
        for name, ids in {"rna": "wx", "protein": "yz", "dna": "xy"}.items()
    }
    ((found, meaning),) = apart(Tables(samples, tables, {}))
    assert found == "no sample has both of rna and protein"
    assert "ids that are written differently look so too" in meaning
    del tables["protein"]
    assert not list(apart(Tables(samples, tables, {})))


def test_unlabelled_samples_are_dropped_and_counted(source):
    source.samples.loc[["s00", "s05"], "subtype"] = np.nan
    tables = source.tables()
    assert tables.dropped["samples without a label"] == 2
    assert not {"s00", "s05"} & set(tables.samples.index)
    assert not {"s00", "s05"} & set(tables.modalities["rna"].index)


def test_samples_without_measurements_are_dropped_and_counted(source):
    source.modalities["rna"] = source.modalities["rna"].drop(index=["s00", "s01"])
    source.modalities["meth"] = source.modalities["meth"].drop(index=["s01", "s02"])
    tables = source.tables()
    assert tables.dropped["labelled samples without any measurement"] == 1
    assert "s01" not in tables.samples.index
    assert "s00" in tables.samples.index
    assert list(tables.modalities["rna"].index[:2]) == ["s02", "s03"]


def test_a_row_of_empty_cells_is_no_measurement(source):
    source.modalities["rna"].loc["s04"] = np.nan
    source.modalities["meth"].loc["s04"] = np.nan
    source.modalities["rna"].loc["s05"] = np.nan
    tables = source.tables()
    assert tables.dropped["labelled samples without any measurement"] == 1
    assert "s04" not in tables.samples.index
    assert "s05" in tables.modalities["meth"].index
    assert "s05" not in tables.modalities["rna"].index


def test_measured_samples_that_nobody_knows_are_counted(source):
    source.samples = source.samples.drop(index=["s20", "s21", "s22"])
    tables = source.tables()
    assert tables.dropped["measured samples that the table of samples lacks"] == 3
    assert "s20" not in tables.modalities["rna"].index


def test_a_modality_of_few_samples_is_told_of(source):
    count = len(source.tables().samples)
    whole = source.modalities["meth"]
    for kept, told in ((-(-count // 10), False), (2, True)):
        source.modalities["meth"] = whole.iloc[:kept]
        said = [str(each) for each in source.tables().warnings]
        assert (
            any(f"measurements of {kept} of {count} labelled samples" in each for each in said)
            == told
        )


@pytest.mark.parametrize("form", [lambda table: table, lambda table: table.iloc[::-1, ::-1]])
def test_one_table_under_two_names_is_told_of(source, form):
    source.modalities["meth"] = source.modalities["rna"].copy()
    source.kinds["meth"] = "generic"
    assert not _told_copies(source, lambda table: table.mul(1 + (table.index == "s07"), axis=0))
    assert not _told_copies(source, lambda table: table.iloc[:, :2])
    assert not _told_copies(source, lambda table: table.iloc[:4])
    (said,) = _told_copies(source, form)
    assert said.startswith("datasets.own.modalities.meth: meth.csv: exactly the values of modality")
    assert _told_copies(source, lambda table: table.iloc[5:11].add_prefix("x"))


def _told_copies(source, change):
    source.modalities["meth"] = change(source.modalities["rna"])
    said = [str(each) for each in source.tables().warnings]
    return [each for each in said if "exactly the values of modality rna" in each]
