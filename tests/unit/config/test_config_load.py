import copy
import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from balmi.config.advanced import place_of, scattered
from balmi.config.catalogue import catalogue, resolve
from balmi.config.load import load_settings
from balmi.config.settings import CONTROL_KEYS, Configuration, Dataset, Method, PrimaryMetric
from balmi.errors import UserError

FILES = {
    "samples": "samples.csv",
    "label": "subtype",
    "modalities": {"rna": {"path": "rna.csv", "kind": "rna-log"}},
}


def own(**changes):
    """Return a configuration with one dataset of files, with some of its keys changed."""
    return {"datasets": {"own": {**copy.deepcopy(FILES), **changes}}}


def problems(config):
    with pytest.raises(UserError) as caught:
        load_settings(config)
    return {problem.where: problem for problem in caught.value.problems}


def problem(config):
    """Return the one problem of a configuration."""
    (found,) = problems(config).values()
    return found


def test_a_dataset_of_files_needs_three_keys_and_nothing_else():
    settings = load_settings(own())
    assert settings.datasets["own"].modalities["rna"].path == "rna.csv"
    assert settings.methods == [
        *("pooled", "unimodal-pooled", "balanced", "uniform", "concat-mlp", "concat-lr"),
        *("stacked-lr", "unimodal-lr", "late-fusion", "concat-svm", "nnls-stack"),
    ]


@pytest.mark.parametrize("text", ["tcga-brca:", "tcga-brca: {}", "tcga-brca: null"])
def test_nothing_below_a_dataset_is_the_catalogues_entry(text):
    settings = load_settings(yaml.safe_load(f"datasets:\n  {text}"))
    assert settings.datasets["tcga-brca"].catalogue == "tcga-brca"


def test_the_configuration_given_is_left_as_it_is():
    config = {"datasets": {"simulated": None}}
    load_settings(config)
    assert config == {"datasets": {"simulated": None}}


@pytest.mark.parametrize(
    ("change", "where", "nearest"),
    [
        ({"evaluatoin": {}}, "evaluatoin", "'evaluation'"),
        ({"evaluation": {"repeets": 3}}, "evaluation.repeets", "'repeats'"),
        ({"training": {"batchsize": 3}}, "training.batchsize", "'batch_size'"),
        ({"advanced": {"graph": {"keep": 3}}}, "advanced.graph.keep", "'kept'"),
        ({"advanced": {"trainig": {}}}, "advanced.trainig", "'training'"),
        ({"advancd": {}}, "advancd", "'advanced'"),
        (own(lable="x"), "datasets.own.lable", "'label'"),
        (
            own(modalities={"rna": {"path": "p", "kind": "cnv", "modalty": "x"}}),
            "datasets.own.modalities.rna.modalty",
            "'modality'",
        ),
        (
            {"datasets": {"s": {"catalogue": "simulated", "simulate": {"sampels": 90}}}},
            "datasets.s.simulate.sampels",
            "'samples'",
        ),
    ],
)
def test_unknown_key(change, where, nearest):
    found = problem({**own(), **change})
    assert found.where == where
    assert found.found == "an unknown key"
    assert nearest.strip("'") in found.allowed
    assert found.nearest == nearest


@pytest.mark.parametrize(
    ("change", "where", "allowed"),
    [
        ({"model": {"epochs": 3}}, "model.epochs", "training.epochs"),
        ({"evaluation": {"primary_metric": 1}}, "evaluation.primary_metric", "primary_metric"),
        ({"patience": 3}, "patience", "advanced.training.patience"),
        ({"advanced": {"patience": 3}}, "advanced.patience", "advanced.training.patience"),
        (
            {"information": {"folds": 3}},
            "information.folds",
            "evaluation.folds, or advanced.information.folds",
        ),
        (
            {"advanced": {"graph": {"epochs": 3}}},
            "advanced.graph.epochs",
            "training.epochs",
        ),
    ],
)
def test_a_key_of_another_section_is_told_its_place(change, where, allowed):
    found = problem({**own(), **change})
    assert (found.where, found.allowed) == (where, allowed)
    assert found.found == "a key that has its place elsewhere"


def test_unknown_key_without_a_near_one_lists_the_keys():
    found = problem({**own(), "zzzzz": 1})
    assert found.allowed.startswith("one of datasets, seed, primary_metric, ")
    assert found.allowed.endswith(", advanced")
    assert "graph" not in found.allowed
    assert found.nearest is None


@pytest.mark.parametrize("missing", ["samples", "label", "modalities"])
def test_missing_key_of_a_dataset(missing):
    config = own()
    del config["datasets"]["own"][missing]
    found = problem(config)
    assert found.where == "datasets.own"
    assert found.found == f"no {missing}"
    assert found.allowed.startswith("either samples, label and modalities, or catalogue")


@pytest.mark.parametrize(
    ("missing", "meaning"), [("path", "its ending says the format"), ("kind", "kind of omics")]
)
def test_missing_key_of_a_modality(missing, meaning):
    config = own()
    del config["datasets"]["own"]["modalities"]["rna"][missing]
    found = problem(config)
    assert found.where == f"datasets.own.modalities.rna.{missing}"
    assert found.found == "nothing"
    assert meaning in found.allowed


def test_a_list_of_one_without_brackets():
    found = problem(own(folds="fold"))
    assert (found.where, found.found) == ("datasets.own.folds", "'fold'")
    assert found.allowed == "a list, such as [fold]"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mutations", "generic"), ("RNAseq", "rna-counts"), ("methylation", "methylation-beta")],
)
def test_a_kind_by_another_name(name, kind):
    found = problem(own(modalities={"rna": {"path": "rna.csv", "kind": name}}))
    assert found.nearest == repr(kind)


def test_unknown_kind():
    found = problem(own(modalities={"rna": {"path": "p", "kind": "rna-counts2"}}))
    assert found.where == "datasets.own.modalities.rna.kind"
    assert found.found == "'rna-counts2'"
    assert "rna-counts, rna-log, methylation-beta" in found.allowed
    assert found.nearest == "'rna-counts'"


def test_an_unknown_metric():
    found = problem({**own(), "primary_metric": "macro_f2"})
    assert found.where == "primary_metric"
    assert found.found == "'macro_f2'"
    assert found.allowed == "one of " + ", ".join(PrimaryMetric)
    assert found.nearest == "'macro_f1'"


def test_verdicts_do_not_follow_calibration():
    found = problem({**own(), "primary_metric": "ece"})
    assert "ece" not in found.allowed


def test_unknown_method():
    found = problem({**own(), "methods": ["balanced", "stackd-lr"]})
    assert found.where == "methods, entry 2"
    assert found.found == "'stackd-lr'"
    assert found.allowed == "one of " + ", ".join(Method)
    assert found.nearest == "'stacked-lr'"


@pytest.mark.parametrize(
    ("section", "key", "value", "allowed"),
    [
        ("evaluation", "repeats", 0, "auto, or a whole number from 1 to 100"),
        ("evaluation", "folds", 1, "greater than or equal to 2"),
        ("evaluation", "folds", 51, "less than or equal to 50"),
        ("evaluation", "folds", "five", "a whole number"),
        ("evaluation", "folds", 2.5, "a whole number"),
        ("evaluation", "folds", None, "a whole number"),
        ("evaluation", "folds", [5], "a whole number"),
        ("evaluation", "validation", 0.5, "less than 0.5"),
        ("evaluation", "seed", -1, "greater than or equal to 0"),
        ("information", "permutations", 18, "greater than or equal to 19"),
        ("training", "learning_rate", 0, "greater than 0"),
        ("training", "learning_rate", math.inf, "a finite number"),
        ("training", "learning_rate", math.nan, "a finite number"),
        ("training", "class_weight_power", 0.1, "less than or equal to 0"),
        ("training", "balancing", "informatoin", "one of uniform, information"),
        ("model", "dropout", 1, "less than 1"),
        ("resources", "gpu", 2, "less than or equal to 1"),
    ],
)
def test_wrong_type_or_range(section, key, value, allowed):
    found = problem({**own(), **scattered({section: {key: value}})})
    assert found.where == ".".join(place_of([section, key]))
    assert found.found == ("nothing" if value is None else repr(value))
    assert allowed in found.allowed


@pytest.mark.parametrize("config", [{"seed": True}, {"robustness": {"repeats": False}}])
def test_a_truth_is_no_number(config):
    found = problem({**own(), **config})
    assert found.found.endswith("which YAML also makes of yes, no, on and off")
    assert found.allowed == "a number"


def test_a_section_whose_keys_all_stand_elsewhere_names_their_places():
    found = problem({**own(), "graph": None})
    assert found.allowed.startswith("a mapping with the keys advanced.graph.neighbours, ")


def test_a_long_value_is_cut():
    found = problem({**own(), "evaluation": {"folds": "x" * 10_000}})
    assert len(found.found) < 100


BAD_NAMES = [
    "my cohort", "a/b", "<script>", "é", "ﬁ", "١", "abc\n", "\nabc", "a\tb", "", ".", "..", "_-.",
    "a\\b", "a:b", "a*", "{x}", "x" * 101, "\u202ea", "a\x00b",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_dataset_with_other_characters(name):
    found = problem({"datasets": {name: FILES}})
    assert found.where.startswith("datasets.")
    assert found.where.endswith((f".{name}", f".{name!r}"))
    assert found.found.startswith(repr(name)[:80])
    assert "letters, digits, '.', '_' and '-'" in found.allowed
    assert "\n" not in found.where + found.found


@pytest.mark.parametrize("name", BAD_NAMES)
def test_modality_with_other_characters(name):
    found = problem(own(modalities={name: FILES["modalities"]["rna"]}))
    assert found.where.startswith("datasets.own.modalities.")
    assert "letters, digits, '.', '_' and '-'" in found.allowed


@pytest.mark.parametrize("name", ["a", "A9", "tcga-brca_v1.2", "2023", "x" * 100, "-a", ".a"])
def test_names_that_are_allowed(name):
    config = {"datasets": {name: {**FILES, "modalities": {name: FILES["modalities"]["rna"]}}}}
    assert list(load_settings(config).datasets[name].modalities) == [name]


def test_the_overviews_name_is_taken():
    found = problem({"datasets": {"overview.html": FILES}})
    assert found.where == "datasets.overview.html"
    assert "file in results" in found.found


def test_the_joint_heads_name_is_taken():
    found = problem(own(modalities={"joint": FILES["modalities"]["rna"]}))
    assert found.where == "datasets.own.modalities.joint"
    assert "joint head" in found.found


@pytest.mark.parametrize("value", [["rna.csv"], "rna.csv", 5, 0, False, True, [], ""])
def test_dataset_that_is_no_mapping(value):
    found = problem({"datasets": {"simulated": value}})
    assert found.where == "datasets.simulated"
    assert found.found == repr(value)
    assert found.allowed.startswith("a mapping with the keys catalogue, samples, label")


@pytest.mark.parametrize("value", [["x"], "x", 5, 0, None, [], True])
def test_datasets_that_are_no_mapping(value):
    found = problem({"datasets": value})
    assert found.where == "datasets"
    assert found.found == ("nothing" if value is None else repr(value))
    assert found.allowed == "a mapping with names of your choice"


def test_datasets_missing():
    found = problem({"methods": ["balanced"]})
    assert (found.where, found.found) == ("datasets", "nothing")
    assert "name of a dataset" in found.allowed


def test_datasets_empty():
    assert problem({"datasets": {}}).allowed == "at least 1 entry"


def test_methods_empty():
    found = problem({**own(), "methods": []})
    assert (found.where, found.found, found.allowed) == ("methods", "[]", "at least 1 entry")


@pytest.mark.parametrize("config", [None, [], [1], "x", 5, True])
def test_configuration_that_is_no_mapping(config):
    found = problem(config)
    assert found.where == "configuration"
    assert found.found == ("nothing" if config is None else repr(config))
    assert "a mapping with the keys datasets, seed, primary_metric, evaluation" in found.allowed


@pytest.mark.parametrize("section", ["evaluation", "training", "resources", "model"])
def test_section_with_nothing_below_it(section):
    found = problem({**own(), section: None})
    assert (found.where, found.found) == (section, "nothing")
    assert found.allowed.startswith("a mapping with the keys ")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("1: {}\ndatasets: {simulated: }", "1"),
        ("datasets: {2023: {catalogue: simulated}}", "datasets.2023"),
        ("datasets: {null: {catalogue: simulated}}", "datasets.None"),
        ("datasets: {1.5: {catalogue: simulated}}", "datasets.1.5"),
        ("datasets: {simulated: }\nevaluation: {5: 1}", "evaluation.5"),
        (
            "datasets: {a: {samples: s, label: l, modalities: {7: {path: p, kind: cnv}}}}",
            "datasets.a.modalities.7",
        ),
    ],
)
def test_key_that_yaml_reads_as_a_number(text, where):
    found = problem(yaml.safe_load(text))
    assert found.where == where
    assert "which is no text" in found.found
    assert "in quotes" in found.allowed


@pytest.mark.parametrize("key", ["samples", "label", "group"])
@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, True])
def test_dataset_key_that_is_no_text(key, value):
    found = problem(own(**{key: value}))
    assert found.where == f"datasets.own.{key}"
    assert found.found == repr(value)
    assert found.allowed.startswith("text")


@pytest.mark.parametrize("key", ["samples", "label", "group"])
def test_dataset_key_that_is_empty(key):
    found = problem(own(**{key: ""}))
    assert (found.where, found.allowed) == (f"datasets.own.{key}", "text that is not empty")


def test_methods_named_twice():
    found = problem({**own(), "methods": ["uniform", "balanced", "uniform"]})
    assert found.where == "methods"
    assert found.found == "more than once: uniform"
    assert found.allowed == "every method once"


def test_batches_need_a_network_without_graph():
    graph = {**own(), "model": {"graph_weight": 0.1}}
    found = problem(graph)
    assert found.where == "training.batch_size"
    assert found.found == "64, while model.graph_weight is 0.1"
    assert found.allowed == "null, or model.graph_weight 0"
    load_settings({**graph, "training": {"batch_size": None}})


ENTRIES = ", ".join(catalogue())


def test_unknown_entry_of_the_catalogue():
    found = problem({"datasets": {"own": {"catalogue": "tcga-brac"}}})
    assert found.where == "datasets.own.catalogue"
    assert found.found == "'tcga-brac', which is no entry of the catalogue"
    assert found.allowed == ENTRIES
    assert found.nearest == "'tcga-brca'"


def test_empty_dataset_that_is_no_entry_of_the_catalogue():
    found = problem({"datasets": {"tcga-brac": None}})
    assert (found.where, found.found) == ("datasets.tcga-brac", "nothing")
    assert found.allowed == f"{ENTRIES}, or files of your own"
    assert found.nearest == "'tcga-brca'"


@pytest.mark.parametrize("entry", [["tcga-brca"], {"tcga-brca": 1}, 5, True])
def test_entry_of_the_catalogue_that_is_no_text(entry):
    found = problem({"datasets": {"own": {"catalogue": entry}}})
    assert (found.where, found.found) == ("datasets.own.catalogue", repr(entry))


def test_catalogue_and_files():
    found = problem(own(catalogue="simulated", group="patient"))
    assert found.where == "datasets.own"
    assert found.found == "both catalogue and samples, label, group, modalities"


@pytest.mark.parametrize("simulate", [{}, {"samples": 200}])
def test_simulation_of_what_is_not_simulated(simulate):
    found = problem({"datasets": {"b": {"catalogue": "tcga-brca", "simulate": simulate}}})
    assert found.where == "datasets.b.simulate"
    assert "'tcga-brca' is not simulated" in found.found
    simulated = "simulated, simulated-gaussian, simulated-interaction, simulated-citeseq"
    assert found.allowed.endswith(f": {simulated}")


@pytest.mark.parametrize(
    ("entry", "key", "value"),
    [("simulated", "shared_information", 0.3), ("simulated-gaussian", "missing", 0.1)],
)
def test_dial_of_another_simulation(entry, key, value):
    simulate = {"samples": 200, key: value}
    found = problem({"datasets": {"b": {"catalogue": entry, "simulate": simulate}}})
    assert found.where == f"datasets.b.simulate.{key}"
    assert found.found == f"a key that the simulation of {entry!r} does not have"
    assert "samples, features" in found.allowed
    assert key not in found.allowed


def gaussian(shared_information):
    simulate = {"shared_information": shared_information}
    return {"datasets": {"g": {"catalogue": "simulated-gaussian", "simulate": simulate}}}


@pytest.mark.parametrize("value", [-0.001, 1.28, 5])
def test_shared_information_that_the_design_cannot_have(value):
    found = problem(gaussian(value))
    assert found.where == "datasets.g.simulate.shared_information"
    assert found.found == str(float(value))
    assert found.allowed.startswith("0 to 1.27 nats")


@pytest.mark.parametrize("value", [0, 0.3, 1.27])
def test_shared_information_that_the_design_can_have(value):
    assert load_settings(gaussian(value)).datasets["g"].simulate.shared_information == value


@pytest.mark.parametrize("value", ["much", math.nan, None])
def test_shared_information_that_is_no_number(value):
    assert problem(gaussian(value)).where == "datasets.g.simulate.shared_information"


def test_simulation_beside_files():
    found = problem(own(simulate={"samples": 200}))
    assert found.where == "datasets.own.simulate"
    assert "without a catalogue" in found.found


def test_everything_at_once():
    found = problems(
        {
            "datasets": {
                "my cohort": FILES,
                "own": {"samples": 3, "modalities": {"rna": {"path": "p", "kind": "rna"}}},
                "half": {"samples": "s.csv", "modalities": {"r na": {"path": 1, "kind": "cnv"}}},
                "list": ["x"],
                "tcga": None,
                "both": {**FILES, "catalogue": "simulated"},
            },
            "evaluation": {"folds": 1, "seeds": 3},
            "methods": ["balanced", "balanced"],
            "model": {"graph_weight": 0.1},
            "modle": {},
        }
    )
    assert set(found) == {
        "datasets.my cohort",
        "datasets.own",
        "datasets.own.samples",
        "datasets.own.modalities.rna.kind",
        "datasets.half",
        "datasets.half.modalities.r na",
        "datasets.half.modalities.r na.path",
        "datasets.list",
        "datasets.tcga",
        "datasets.both",
        "evaluation.folds",
        "evaluation.seeds",
        "methods",
        "training.batch_size",
        "modle",
    }
    assert found["datasets.own"].found == "no label"
    assert found["datasets.half"].found == "no label"


KEYS = st.one_of(
    st.sampled_from(
        sorted({*Configuration.model_fields, *Dataset.model_fields, "own", "rna", "path", "kind"})
    ),
    st.text(max_size=4),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["tcga-brca", "simulated", "simulated-gaussian", "rna-log", "balanced"]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
DATASETS = st.dictionaries(
    KEYS, TREES | st.dictionaries(st.sampled_from(sorted(Dataset.model_fields)), TREES), max_size=3
)
CONFIGURATIONS = st.one_of(
    TREES,
    st.dictionaries(KEYS, TREES, max_size=4),
    st.fixed_dictionaries(
        {"datasets": DATASETS},
        optional={name: TREES for name in Configuration.model_fields if name != "datasets"},
    ),
)


@settings(max_examples=400)
@given(CONFIGURATIONS)
def test_any_configuration_is_loaded_or_explained(config):
    found, text = [], ""
    try:
        loaded = load_settings(config)
    except UserError as error:
        found, text = error.problems, str(error)
    assert found or isinstance(loaded, Configuration)
    assert all(problem.where and problem.found and problem.allowed for problem in found)
    assert text.startswith("balmi found") == bool(found)


TWO = {name: {"path": f"{name}.csv", "kind": "rna-log"} for name in ("rna", "mirna")}


def controlled(**control):
    return own(modalities=TWO, control=control)


def test_a_control_names_modalities_of_files_and_of_the_catalogue():
    settings = load_settings(controlled(noise=["rna"], without=["mirna"], seed=2))
    assert list(settings.datasets["own"].used) == ["rna"]
    entry = {"catalogue": "simulated", "control": {"shuffled": ["weak"], "shuffled_labels": True}}
    dataset = load_settings({"datasets": {"own": entry}}).datasets["own"]
    resolved = resolve("own", dataset)
    assert resolved.control == dataset.control
    assert list(resolved.used) == ["strong", "redundant", "weak", "noise"]


@pytest.mark.parametrize("key", CONTROL_KEYS)
def test_a_control_of_an_unknown_modality(key):
    found = problem(controlled(**{key: ["mirn"]}))
    assert found.where == f"datasets.own.control.{key}"
    assert found.found == "'mirn', which is no modality of the dataset"
    assert found.allowed == "one of rna, mirna"
    assert found.nearest == "'mirna'"


def test_the_label_comes_from_modalities_of_the_dataset():
    kinds = {"rna": "rna-log", "mirna": "mirna"}
    known = {name: {"path": f"{name}.csv", "kind": kind} for name, kind in kinds.items()}
    made = load_settings(own(modalities=known, label_from=["mirna"]))
    assert made.datasets["own"].label_from == ["mirna"]
    found = problem(own(modalities=known, label_from=["mirn"]))
    assert found.where == "datasets.own.label_from"
    assert found.found == "'mirn', which is no modality of the dataset"
    assert (found.allowed, found.nearest) == ("one of rna, mirna", "'mirna'")


def test_the_catalogue_knows_what_labels_were_derived_from():
    made = load_settings({"datasets": {"tcga-brca": None}}).datasets["tcga-brca"]
    assert made.label_from == []
    assert resolve("tcga-brca", made).label_from == ["rna"]
    for name, entry in catalogue().items():
        assert set(entry.label_from) <= set(entry.kinds), name


def test_a_control_of_an_unknown_modality_of_the_catalogue():
    entry = {"catalogue": "simulated", "control": {"noise": ["strange"]}}
    found = problem({"datasets": {"own": entry}})
    assert found.allowed == "one of strong, redundant, weak, noise"


@pytest.mark.parametrize(
    ("control", "keys"),
    [
        ({"noise": ["rna"], "shuffled": ["rna"]}, "noise and shuffled"),
        ({"without": ["rna"], "duplicated": ["rna"]}, "without and duplicated"),
        ({"noise": ["rna", "rna"]}, "noise and noise"),
    ],
)
def test_a_modality_in_two_controls(control, keys):
    found = problem(controlled(**control))
    assert found.where == "datasets.own.control"
    assert found.found == f"'rna' in {keys}"


def test_a_control_that_leaves_out_everything():
    found = problem(controlled(without=["mirna", "rna"]))
    assert (found.where, found.found) == ("datasets.own.control.without", "every modality")


def test_a_copy_that_would_have_the_name_of_another_modality():
    modalities = {**TWO, "rna-copy": TWO["rna"]}
    found = problem(own(modalities=modalities, control={"duplicated": ["rna"]}))
    assert found.where == "datasets.own.control.duplicated"
    assert found.allowed == "a modality without 'rna-copy' beside it"


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ({"robustness": {"shares": [0.5, 0.1, 2]}}, "robustness.shares, entry 3"),
        ({"advanced": {"model": {"experts": ["mean", "x"]}}}, "advanced.model.experts, entry 2"),
    ],
)
def test_entries_of_lists_are_counted_as_people_do(config, where):
    assert problem({**own(), **config}).where == where


@pytest.mark.parametrize(
    ("control", "where"),
    [
        ("noise", "control"),
        ({"noise": "rna"}, "control.noise"),
        ({"noise": [1]}, "control.noise, entry 1"),
        ({"nois": ["rna"]}, "control.nois"),
        ({"seed": -1}, "control.seed"),
    ],
)
def test_a_control_that_is_none(control, where):
    assert problem(own(control=control)).where == f"datasets.own.{where}"


def test_problems_of_a_control_come_with_all_others():
    config = {**controlled(noise=["x"], without=["y"]), "evaluation": {"folds": 1}}
    wheres = {"datasets.own.control.noise", "datasets.own.control.without", "evaluation.folds"}
    assert set(problems(config)) == wheres


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_training_share_that_is_none(share):
    found = problem({**own(), "advanced": {"evaluation": {"training_share": share}}})
    assert found.where == "advanced.evaluation.training_share"


def test_what_decides_leaves_out_what_changes_no_result():
    found = load_settings({"datasets": {"simulated": None}})
    deciding, whole = found.deciding(), found.model_dump(mode="json")
    assert set(whole) - set(deciding) == {"resources"}
    assert set(whole["training"]) - set(deciding["training"]) == {"replicas", "checkpoint_every"}
    assert {**whole["training"], **deciding["training"]} == whole["training"]
    others = set(deciding) - {"training"}
    assert {name: deciding[name] for name in others} == {name: whole[name] for name in others}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("no", "no, on, off"),
        ("Yes", "no, on, off"),
        ("5", "number"),
        ("1.5", "number"),
        ("2020-01-31", "date"),
        ("2020-01-31 10:00:00", "time"),
    ],
)
def test_text_that_yaml_takes_for_something_else_is_told_to_need_quotes(written, said):
    files = "{path: a.csv, kind: generic}"
    for text in (
        f"own: {{samples: a.csv, label: {written}, modalities: {{x: {files}}}}}",
        f"own: {{samples: a.csv, label: y, modalities: {{{written}: {files}}}}}",
        f"{written}: {{samples: a.csv, label: y, modalities: {{x: {files}}}}}",
    ):
        found = problem(yaml.safe_load(f"datasets: {{{text}}}"))
        assert said in found.allowed
        assert "quotes" in found.allowed
        assert "datetime" not in found.found
