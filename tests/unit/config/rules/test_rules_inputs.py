"""Which files rules read."""

from types import SimpleNamespace

import pytest

from balmi.config.rules.inputs import OF_PRETRAINING, Inputs, bases, outcomes
from balmi.config.rules.selection import Selection
from balmi.config.settings import Method, Model, Settings
from balmi.tables.contract import SHOWN, TABLES

NETWORKS_FILE = "results/{dataset}/networks.parquet"


def inputs(**sections):
    settings = Settings.model_validate(sections)
    return Inputs(settings, Selection.of(settings))


class Wildcards(SimpleNamespace):
    """What Snakemake hands over."""

    def get(self, name):
        return vars(self).get(name)


def of(method):
    return Wildcards(dataset="mine", method=method)


def test_the_same_file_of_several_methods():
    assert outcomes("status.json", ["a", "b"]) == [
        "results/{dataset}/methods/a/status.json",
        "results/{dataset}/methods/b/status.json",
    ]


@pytest.mark.parametrize(
    ("method", "experts", "rests"),
    [
        ("stacked-lr", ["mean"], True),
        ("majority", ["linear"], False),
        ("balanced", ["linear"], True),
        ("balanced", ["mean"], False),
        ("uniform", ["linear"], False),
    ],
)
def test_regressions_for_what_rests_on_them(method, experts, rests):
    found = {"bases": "results/{dataset}/bases.safetensors"} if rests else {}
    assert bases(method, Model(experts=experts)) == found
    assert inputs(model={"experts": experts}).bases_of(of(method)) == found


def test_similarity_networks_where_messages_pass():
    passing = inputs(model={"graph_weight": 0.1}, training={"batch_size": None})
    assert passing.networks_of(of("uniform")) == NETWORKS_FILE
    assert passing.networks_of(of("concat-mlp")) == []
    assert passing.networks_of(Wildcards(dataset="mine")) == NETWORKS_FILE
    assert inputs().networks_of(of("uniform")) == []


def test_guidance_of_what_is_guided():
    assert set(inputs().guidance_of(of("balanced"))) == {
        "information",
        "pretrained",
        "pretraining",
    }
    scratch = inputs(distillation={"pretraining": False})
    assert set(scratch.guidance_of(of("balanced"))) == {"information"}
    assert inputs().guidance_of(of("uniform")) == {}


def test_what_a_network_method_left_behind():
    found = inputs().trained(of("uniform"))
    assert set(found) == {"status", "parameters", "experts", "regressions"}
    assert found["experts"] == "results/{dataset}/methods/{method}/experts.csv"
    assert set(inputs().trained(of("balanced"))) - set(found) == {"information"}


def test_features_are_attributed_where_balanced_runs_and_it_is_wished():
    assert inputs().attributed() == {
        "model": "results/{dataset}/methods/balanced/model.safetensors",
        "ended": "results/{dataset}/methods/balanced/status.json",
        "information": "results/{dataset}/information.safetensors",
    }
    assert inputs(attribution={"enabled": False}).attributed() == {}
    assert inputs(methods=["pooled"]).attributed() == {}


def test_histories_are_those_of_networks_and_of_pretraining():
    pretraining = "results/{dataset}/pretraining/training.parquet"
    own = "results/{dataset}/methods/balanced/training.parquet"
    some = {"methods": ["balanced", "majority"], "final": {"method": None}}
    assert inputs(**some).histories() == [own, pretraining]
    assert inputs(**some, distillation={"pretraining": False}).histories() == [own]


def test_robustness_has_files_where_anything_is_probed():
    folder = "results/{dataset}/robustness"
    assert inputs().robustness("share", ["0.1"]) == [f"{folder}/share-0.1.parquet"]
    assert inputs().robustness("probes", ["a"], "json") == [f"{folder}/probes-a.json"]
    assert inputs(robustness={"methods": []}).robustness("share", ["0.1"]) == []


def test_the_report_is_made_of_every_table_that_there_is():
    assert set(inputs().shown()) == set(SHOWN)
    scratch = inputs(methods=[Method.MAJORITY], final={"method": None})
    assert set(SHOWN) - set(scratch.shown()) == OF_PRETRAINING
    found = scratch.report()
    assert found.pop("roster") == "results/{dataset}/samples.json"
    assert found == {name: TABLES[name].path for name in scratch.shown()}


def test_no_shown_table_is_named_as_another_input_of_the_report():
    """Both are inputs of one rule by name: of two alike one would hide the other."""
    found = inputs().report()
    assert set(found) - set(SHOWN) == {"roster", "model"}
    assert len(found) == len(SHOWN) + 2
