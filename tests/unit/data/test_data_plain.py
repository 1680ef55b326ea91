"""Plain numbers of a delimited file are read as one column, and nothing differs by that."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import balmi.data.readers
from balmi.config.settings import MISSING_TEXTS
from balmi.data.names import MissingTexts
from balmi.data.numeric import NumericTable
from balmi.data.readers import load_measurements
from balmi.data.table_checks import to_numeric
from balmi.data.tidying import numbers_for_texts
from balmi.errors import UserError

NUMBERS = ["1", "2.5", "-3", "+4", "1e5", "1E-3", ".5", "5.", "-0", "007", '"1.5"', " 1", "1 "]
NOTHING = ["", '""', "NA", "na", '"NaN"', "N/A", "--"]
ODD = [
    *(" ", "x", "True", "inf", "1e400", "9007199254740993", "00000000000000000000001", "0x10"),
    *("1_000", '"x"', "-nan", "Nan", "\ufeff1", "0.1234567890123456789", "123456789012345678"),
]


def read(path):
    """Return all that is known of a file of measurements, and whether it was read as plain."""
    try:
        loaded = load_measurements(path)
    except UserError as error:
        return str(error), False
    table, counts = numbers_for_texts(loaded.table, MissingTexts(MISSING_TEXTS))
    numeric, problems = to_numeric(table, "here")
    said = [loaded.id_name, loaded.unended, loaded.remarks, counts, list(map(str, problems))]
    cells = (numeric.to_numpy() + 0.0).tolist()
    names = [list(loaded.table.index), list(loaded.table.columns)]
    return repr([*said, *names, cells]), isinstance(loaded.table, NumericTable)


def the_usual_way(path, monkeypatch):
    """Return the same where no file is taken for plain."""
    with monkeypatch.context() as patch:
        patch.setattr(balmi.data.readers, "read_plain", lambda *arguments: None)
        return read(path)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(data=st.data())
def test_fast_and_usual_reading_agree(tmp_path, monkeypatch, data):
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    pool = data.draw(st.sampled_from([NUMBERS, NUMBERS + NOTHING, NUMBERS + NOTHING + ODD]))
    cells = st.lists(st.sampled_from(pool), min_size=columns, max_size=columns)
    quote = data.draw(st.sampled_from(["", '"']))
    lines = [[f"{quote}{name}{quote}" for name in ["id", "a", "b", "c"][: columns + 1]]]
    for row in range(rows):
        lines.append([f"{quote}s{row}{quote}", *data.draw(cells)])
        lines += [[""]] * data.draw(st.sampled_from([0, 0, 0, 1]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    last = data.draw(st.sampled_from(["", end]))
    text = data.draw(st.sampled_from(["", "\ufeff"])) + end.join(map(",".join, lines)) + last
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    assert read(path)[0] == the_usual_way(path, monkeypatch)[0]


@pytest.mark.parametrize("cell", NUMBERS + NOTHING)
def test_numbers_and_empty_cells_are_plain(tmp_path, cell):
    path = tmp_path / "table.csv"
    path.write_text(f"id,a,b\ns1,{cell},1\n")
    assert read(path)[1]


@pytest.mark.parametrize("cell", ODD[:12])
def test_what_may_be_no_number_is_read_the_usual_way(tmp_path, cell):
    path = tmp_path / "table.csv"
    path.write_text(f"id,a,b\ns1,{cell},1\n")
    assert not read(path)[1] or cell in ("inf", "1e400", "0.1234567890123456789")


def test_batches_are_put_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("balmi.data.plain.CHARACTERS", 10)
    values = np.arange(60.0).reshape(20, 3)
    lines = [f"s{row},{','.join(map(str, cells))}" for row, cells in enumerate(values)]
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(("id,a,b,c\n" + "\n".join(lines)).encode()))
    table = load_measurements(path).table
    assert list(table.index) == [f"s{row}" for row in range(20)]
    np.testing.assert_array_equal(table.values, values)


def test_texts_for_nothing_are_counted(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('id,a,b\ns1,NA,1\ns2,,"NA"\ns3,n/a,2\n')
    ((found, _),) = load_measurements(path).remarks
    assert found.endswith("'NA' in 2, 'n/a' in 1")


def test_truths_are_read_as_pandas_reads_them(tmp_path, monkeypatch):
    """In a batch of truths alone the parser would take them for numbers."""
    path = tmp_path / "rna.csv"
    path.write_text("id,a,b\ns1,True,False\ns2,1,0\n", encoding="utf-8")
    monkeypatch.setattr("balmi.data.plain.CHARACTERS", 1)
    found = load_measurements(path).table
    monkeypatch.setattr("balmi.data.readers.read_plain", lambda *_: None)
    assert type(found) is type(load_measurements(path).table)
    assert "True" in found.map(str).to_numpy()
