import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.load import load_settings
from balmi.config.twice import repeated_keys
from balmi.errors import UserError

KEYS = st.sampled_from(["a", "b", "'a'", "1", "1.0", "no", "false", "x y", "é"])
TREES = st.recursive(
    st.just("1"),
    lambda inner: st.lists(st.tuples(KEYS, inner), min_size=1, max_size=4),
    max_leaves=9,
)


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def repeated(text, name="my.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return [(each.where, each.found) for each in repeated_keys(tmp_path / name)]

    return repeated


def test_a_key_given_twice_is_named_with_its_lines(found):
    text = "evaluation: {folds: 3}\nmethods: [snf]\n\nevaluation: {folds: 5}\n"
    assert found(text) == [("my.yaml: evaluation", "given 2 times, in lines 1, 4")]


def test_nested_keys_and_all_of_them_in_the_order_of_their_lines(found):
    text = """
a:
  b: {c: 1, d: 2, c: 3}
  e: 1
  e: 2
  "e": 3
f: [{g: 1, g: 2}]
"""
    assert found(text) == [
        ("my.yaml: a.b.c", "given 2 times, in lines 3, 3"),
        ("my.yaml: a.e", "given 3 times, in lines 4, 5, 6"),
        ("my.yaml: f.g", "given 2 times, in lines 7, 7"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "a: {x: 1}\nb: {x: 1}\n",
        "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 2}\n",
        "a: &a {x: 1}\nb: &b {x: 2}\nc: {<<: *a, <<: *b}\nd: {<<: [*a, *b], y: *a}\n",
        "a: {1: x, '1': y}\n",
        "- 1\n",
    ],
)
def test_what_is_given_once_merged_or_overridden_is_in_order(found, text):
    assert found(text) == []


def test_an_anchor_with_a_repeated_key_is_told_of_once(found):
    text = "a: &a {x: 1, x: 2}\nb: *a\nc: {<<: *a}\n"
    assert found(text) == [("my.yaml: a.x", "given 2 times, in lines 1, 1")]


def test_an_anchor_inside_itself_ends(found):
    assert found("a: &a\n  b: *a\n  b: 1\n") == [("my.yaml: a.b", "given 2 times, in lines 2, 3")]


def test_json_is_read_as_json(found):
    assert found('{"a": {"b": 1,\t"b": 2}}') == [("my.yaml: b", "given more than once")]
    assert found(json.dumps({"a": {"b": 1}, "b": 2})) == []


def drawn(tree, depth=0):
    """Return a tree as YAML and the number of mappings in which a key repeats."""
    if isinstance(tree, str):
        return f" {tree}\n", 0
    text, count = "\n", 0
    for key, inner in tree:
        below, more = drawn(inner, depth + 1)
        text += "  " * depth + f"{key}:{below}"
        count += more
    keys = [yaml.safe_load(key) for key, _ in tree]
    return text, count + len(keys) - len(set(keys))


@given(TREES)
def test_nothing_that_a_loader_drops_is_missed(tmp_path_factory, tree):
    text, dropped = drawn(tree)
    path = tmp_path_factory.mktemp("drawn") / "drawn.yaml"
    path.write_text(text, encoding="utf-8")
    times = [int(each.found.split()[1]) for each in repeated_keys(path)]
    assert sum(times) - len(times) == dropped


def test_they_are_told_with_all_other_problems(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("datasets: {simulated: }\nmethods: [snf]\nmethods: [sn]\n", encoding="utf-8")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    with pytest.raises(UserError) as caught:
        load_settings(config, [path, path])
    assert [each.where for each in caught.value.problems] == [
        f"{path}: methods",
        "methods, entry 1",
    ]
