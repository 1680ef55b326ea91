"""What was learned as JSON and arrays: the same again, and nothing that is not on the list."""

import json
from functools import partial

import numpy as np
import pytest

from balmi.methods.deciding import Rule
from balmi.methods.peers.late import Unimodal
from balmi.methods.pooled.experts import Access, equal_blocks
from balmi.prediction.codec import Reader, UnknownType, Writer
from balmi.prediction.plain import Chain, Scale, WithProducts
from balmi.prediction.rows import KnownRows, WrittenRows
from balmi.preprocess.fitted import fit_modality


def again(thing):
    writer = Writer()
    return Reader(writer.arrays).thing(json.loads(json.dumps(writer.tree(thing))))


@pytest.mark.parametrize(
    "thing",
    [None, True, 3, -0.5, "text", (1, ("a", None)), {"x": (1, 2)}, slice(1, 4), slice(None)],
    ids=repr,
)
def test_plain_things_come_back(thing):
    assert again(thing) == thing


def test_numbers_that_json_has_no_word_for_come_back():
    assert np.isnan(again(float("nan")))
    assert again(float("inf")) == np.inf
    assert again(np.float32(0.5)) == 0.5


def test_kinds_of_access_and_functions_come_back_as_themselves():
    assert again(Access.JOINT) is Access.JOINT
    assert again(equal_blocks) is equal_blocks


def test_one_best_modality_of_earlier_models_is_a_ranking():
    tree = Writer().tree(Unimodal((), ("rna", "protein")))
    assert Reader({}).thing(tree).ranking == ("rna", "protein")
    del tree["ranking"]
    assert Reader({}).thing({**tree, "best": "rna"}).ranking == ("rna",)


def test_dataclasses_come_back_with_their_arrays():
    chain = Chain((Scale(np.arange(3.0), np.ones(3)), WithProducts(3)))
    found = again((chain, Rule(0.5, np.array([0.2, 0.8]))))
    values = np.arange(6.0).reshape(2, 3)
    assert found[0].transform(values).tolist() == chain.transform(values).tolist()
    assert found[1].power == 0.5


def test_equal_arrays_are_written_once():
    writer = Writer()
    writer.tree((np.arange(5.0), np.arange(5.0), np.arange(5)))
    assert len(writer.arrays) == 2


@pytest.mark.parametrize(
    "thing",
    [object(), partial(print), np.array(["a"]), {1, 2}, lambda: 0, print, b"bytes"],
    ids=["object", "partial", "texts", "set", "lambda", "function", "bytes"],
)
def test_what_is_not_listed_is_not_written(thing):
    with pytest.raises(UnknownType):
        Writer().tree({"x": (thing,)})


@pytest.mark.parametrize(
    "tree",
    [
        {"of": "Popen", "args": "ls"},
        {"function": "system"},
        {"enum": "Kind", "value": 1},
        {"eval": "1"},
        [1, 2],
    ],
    ids=str,
)
def test_what_is_not_listed_is_not_read(tree):
    with pytest.raises(UnknownType):
        Reader({}).thing(tree)


class TestRows:
    @pytest.fixture
    def tables(self):
        rng = np.random.default_rng(0)
        measured = {name: rng.normal(size=(40, 150)).astype(np.float32) for name in "ab"}
        measured["a"][3, 4] = np.nan
        fitted = {name: fit_modality(values, 150) for name, values in measured.items()}
        scores = {name: fitted[name].apply(values) for name, values in measured.items()}
        return measured, fitted, scores

    def round_trip(self, tables, array):
        measured, fitted, scores = tables
        known = KnownRows(scores, measured)
        writer = Writer(rows=known)
        tree = json.loads(json.dumps(writer.tree(array)))
        written = WrittenRows(known.needed, fitted)
        return Reader(writer.arrays, written).thing(tree), known.needed, writer.arrays

    @pytest.mark.parametrize("alike", [False, True])
    def test_rows_of_all_modalities_are_made_again_to_the_last_digit(self, tables, alike):
        scores = tables[2]
        divisor = np.sqrt(150) if alike else 1
        places = [7, 3, 7, 30], [0, 3, 9, 1]
        array = np.hstack([scores[n][p] / divisor for n, p in zip("ab", places, strict=True)])
        found, needed, arrays = self.round_trip(tables, array)
        np.testing.assert_array_equal(found, array)
        assert {name: len(rows) for name, rows in needed.items()} == {"a": 3, "b": 4}
        assert max(each.size for each in arrays.values()) <= 8

    def test_a_row_of_zeros_stands_for_nobody(self, tables):
        array = np.vstack([tables[2]["b"][:2], np.zeros((1, 150))])
        found, needed, _ = self.round_trip(tables, array)
        np.testing.assert_array_equal(found, array)
        assert len(needed["b"]) == 2

    def test_other_arrays_are_written_as_they_are(self, tables):
        array = tables[2]["a"] + 1e-9
        found, needed, arrays = self.round_trip(tables, array)
        np.testing.assert_array_equal(found, array)
        assert needed == {}
        assert len(arrays) == 1
