"""Where a configuration has its keys, and one seed for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.advanced import ADVANCED, SECTIONS, SEED, gathered, keys_of, scattered
from balmi.config.load import load_settings
from balmi.config.settings import Configuration, Settings, Training
from balmi.errors import UserError

SEEDED = [name for name in SECTIONS if SEED in SECTIONS[name].model_fields]
DATASETS = {"datasets": {"simulated": None}}
PLACES = [(name, key) for name in SECTIONS for key in keys_of(name, advanced=True)]


def problems(config):
    with pytest.raises(UserError) as error:
        load_settings({**DATASETS, **config})
    return [(each.where, each.found, each.allowed) for each in error.value.problems]


def test_every_advanced_key_is_a_key():
    for name, section in SECTIONS.items():
        assert section.advanced <= set(section.model_fields), name


@pytest.mark.parametrize(("name", "key"), PLACES)
def test_an_advanced_key_counts_below_advanced_and_is_refused_in_its_section(name, key):
    value = getattr(getattr(Settings(), name), key)
    load_settings({**DATASETS, ADVANCED: {name: {key: value}}})
    ((where, found, allowed),) = problems({name: {key: value}})
    assert where == f"{name}.{key}"
    assert found == "a key that has its place elsewhere"
    place = f"advanced.{name}.{key}"
    others = {
        **{SEED: "seed, for all seeds at once, or ", "folds": "evaluation.folds, or "},
        "largest": "information.largest, or ",
    }
    assert allowed == others.get(key, "") + place


def test_an_advanced_key_is_set():
    config = {"training": {"epochs": 7}, ADVANCED: {"training": {"patience": 3}}}
    training = load_settings({**DATASETS, **config}).training
    assert (training.epochs, training.patience) == (7, 3)


def test_a_wrong_value_is_told_at_its_place():
    ((where, found, _),) = problems({ADVANCED: {"graph": {"kept": -1}}})
    assert (where, found) == ("advanced.graph.kept", "-1")


def test_what_stands_below_advanced_and_has_its_place_elsewhere():
    config = {ADVANCED: {"training": {"epochs": 3}, "resources": {"gpu": 1}, "methods": ["snf"]}}
    elsewhere = "a key that has its place elsewhere"
    assert set(problems(config)) == {
        ("advanced.training.epochs", elsewhere, "training.epochs"),
        ("advanced.resources", elsewhere, "resources"),
        ("advanced.methods", elsewhere, "methods"),
    }


@pytest.mark.parametrize(
    ("advanced", "where"),
    [(None, "advanced"), ([], "advanced"), ({"graph": None}, "advanced.graph"), ("x", "advanced")],
)
def test_what_is_no_mapping(advanced, where):
    ((found, _, allowed),) = problems({ADVANCED: advanced})
    assert found == where
    assert allowed.startswith("a mapping with the keys ")


def test_one_seed_is_that_of_all():
    settings = load_settings({**DATASETS, "seed": 5})
    assert {name: getattr(settings, name).seed for name in SEEDED} == dict.fromkeys(SEEDED, 5)
    assert set(SEEDED) == {"evaluation", "information", "training", "robustness"}


@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_of_its_own_replaces_that_of_all(name):
    settings = load_settings({**DATASETS, "seed": 5, ADVANCED: {name: {"seed": 0}}})
    assert {each: getattr(settings, each).seed for each in SEEDED} == {
        each: 0 if each == name else 5 for each in SEEDED
    }


def test_one_seed_counts_in_sections_made_before():
    settings = Settings(seed=5, training=Training(epochs=3))
    assert (settings.training.seed, settings.training.epochs) == (5, 3)
    assert Settings(seed=5, training=Training(seed=2)).training.seed == 2


def test_a_seed_that_is_none_is_one_problem():
    assert [where for where, _, _ in problems({"seed": -1})] == ["seed"]


@given(
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(SEEDED), st.integers(0, 3)),
    st.integers(1, 50),
)
def test_what_was_gathered_is_scattered_as_it_was(seed, own, patience):
    settings = Configuration.model_validate(
        {
            "datasets": {"simulated": {"catalogue": "simulated"}},
            "seed": seed,
            **{name: {"seed": value} for name, value in own.items()},
        }
    )
    settings = settings.model_copy(
        update={"training": settings.training.model_copy(update={"patience": patience})}
    )
    written = scattered(settings.model_dump(mode="json"))
    assert load_settings(written) == settings
    assert {name for name, keys in written[ADVANCED].items() if SEED in keys} == {
        name for name, value in own.items() if value != seed
    }


def test_an_unknown_key_is_not_lost():
    assert scattered({"training": {"member": 1}}) == {"training": {"member": 1}}
    content, found = gathered({"training": {"member": 1}})
    assert (content, found) == ({"training": {"member": 1}}, [])


def test_misplaced_keys_are_told_in_the_order_of_the_sections():
    config = {"robustness": {"seed": 1}, "graph": {"kept": 3}, "evaluation": {"seed": 1}}
    assert [where for where, _, _ in problems(config)] == [
        *("evaluation.seed", "graph.kept", "robustness.seed"),
    ]
