"""The study's configuration: what it runs, what shares a pretraining, what it refuses."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from balmi.config.settings import Balancing, Expert, Method
from balmi.errors import UserError
from study.plan import load_study

SHIPPED = yaml.safe_load(
    (Path(__file__).parents[3] / "benchmarks" / "study.yaml").read_text("utf-8")
)
# The shipped study with all variants in one phase.
WHOLE = deepcopy(SHIPPED)
WHOLE["phases"]["confirm"]["variants"] = None


@pytest.fixture
def config():
    return deepcopy(WHOLE)


@pytest.fixture(scope="module")
def confirm():
    return load_study(WHOLE)


def test_the_phases_on_the_confirming_folds_run_every_variant_and_the_default():
    phases = {
        name: load_study({**SHIPPED, "phase": name}) for name in ("confirm", "rules", "parts")
    }
    run = [set(study.variants) for study in phases.values()]
    assert set.union(*run) == set(SHIPPED["variants"])
    assert all({"balanced", "stacked-lr"} <= names for names in run)
    seeds = {each.evaluation.seed for study in phases.values() for each in study.cohorts.values()}
    assert seeds == {100}


def refused(config):
    with pytest.raises(UserError) as caught:
        load_study(config)
    return {problem.where: problem for problem in caught.value.problems}


def test_confirm_runs_everything_on_folds_of_its_own(confirm, config):
    assert set(confirm.variants) == set(config["variants"])
    compared = set(Method) - {Method.ABSENCE_LR}  # which measures nothing, and runs by itself
    assert {each.method for each in confirm.variants.values()} == compared
    rules = {each.settings.training.balancing for each in confirm.variants.values()}
    assert rules <= set(Balancing)  # a rule may be there before it is compared
    assert len(rules) >= 13
    experts = {tuple(each.settings.model.experts) for each in confirm.variants.values()}
    assert {(expert,) for expert in Expert} < experts
    tune = load_study({**config, "phase": "tune"})
    seeds = [
        {each.evaluation.seed + repeat for each in study.cohorts.values() for repeat in range(5)}
        for study in (tune, confirm)
    ]
    assert not seeds[0] & seeds[1]
    assert set(tune.cohorts) == set(config["cohorts"])


def test_derived_cohorts(confirm):
    assert len(confirm.cohorts) == 6 + 4 * 6 + 1
    noise = confirm.cohorts["lgg-noise"]
    assert noise.dataset.control.noise == ["rna"]
    assert noise.dataset.samples == "resources/lgg.h5mu"
    assert noise.variants == ("balanced", "stacked-lr")
    share = confirm.cohorts["kipan-share-0.25"]
    assert (share.evaluation.training_share, share.evaluation.seed) == (0.25, 100)
    assert share.dataset.control == confirm.cohorts["kipan"].dataset.control
    assert confirm.cohorts["tcga-brca-shuffled-labels"].dataset.control.shuffled_labels
    assert "kipan-shuffled-labels" not in confirm.cohorts
    assert confirm.real == ["tcga-brca", "kipan", "lgg", "tcga-brca-trio"]


def test_variants_share_a_pretraining_unless_it_sees_the_difference(confirm):
    keys = {name: each.pretraining_key for name, each in confirm.variants.items()}
    same = {name for name, key in keys.items() if key == keys["balanced"]}
    assert {"only-linear", "without-linear"} < same
    assert keys["rule-ogm"] == keys["rule-uniform"] == keys["one-member"]
    others = ["no-teacher", "one-member", "linear-path", "logit-adjusted", "graph", "graph-off"]
    assert len({keys[name] for name in ["balanced", *others]}) == 7
    assert not confirm.variants["scratch"].pretrained
    assert not confirm.variants["uniform"].pretrained
    usual = confirm.pretrainings()[keys["balanced"]]
    assert usual["training"]["members"] == confirm.settings.training.members
    assert list(confirm.graphs()) == [confirm.variants["graph"].graph_key]


def test_what_a_pretraining_does_not_see_is_left_at_its_default(config):
    config["settings"]["training"] = {"balancing": "ogm", "epochs": 7}
    study = load_study(config)
    (training,) = [
        each["training"]
        for key, each in study.pretrainings().items()
        if key == study.variants["balanced"].pretraining_key
    ]
    assert training["balancing"] == "information"
    assert training["epochs"] == 7


def test_an_unknown_key_of_a_variant_names_the_nearest(config):
    config["variants"]["no-teacher"] = {"distilation": {"teacher": "none"}}
    problem = refused(config)["variants.no-teacher.distilation"]
    assert problem.nearest == "'distillation'"


def test_an_unknown_setting_of_a_variant_names_the_nearest(config):
    config["variants"]["one-member"] = {"training": {"member": 1}}
    config["variants"]["rule-ogm"]["training"] = {"balancing": "omg"}
    problems = refused(config)
    assert problems["variants.one-member.training.member"].nearest == "'members'"
    assert problems["variants.rule-ogm.training.balancing"].nearest == "'ogm'"


def test_names_that_nothing_bears(config):
    config["phase"] = "confrim"
    config["variants"]["graph-off"]["reference"] = "grap"
    config["derived"]["variants"] = ["balance"]
    config["derived"]["also"] = {"nose": ["uniform"]}
    config["cohorts"]["kipann"] = {}
    config["cohorts"]["lgg"] = {"weakest": "rnaa"}
    config["derived"]["shares"] = [1.5]
    problems = refused(config)
    nearest = {where: problem.nearest for where, problem in problems.items()}
    assert nearest == {
        "phase": "'confirm'",
        "variants.graph-off.reference": "'graph'",
        "derived.variants": "'balanced'",
        "derived.also.nose": "'noise'",
        "cohorts.kipann": "'kipan'",
        "cohorts.lgg.weakest": "'rna'",
        "derived.shares": None,
    }


def test_settings_of_all_are_checked_first(config):
    config["settings"] = {"evaluation": {"fold": 5}}
    assert refused(config)["settings.evaluation.fold"].nearest == "'folds'"


def test_a_pretraining_without_a_graph_does_not_see_its_settings(config):
    config["variants"] |= {"other": {"graph": {"kept": 5}}, "plain": {}}
    config["variants"]["denser"] = {**config["variants"]["graph"], "graph": {"kept": 5}}
    study = load_study(config)
    keys = {name: each.pretraining_key for name, each in study.variants.items()}
    assert keys["other"] == keys["plain"] == keys["balanced"]
    assert keys["denser"] != keys["graph"]
    assert len(study.graphs()) == 2


def test_derived_cohorts_run_no_variant_that_the_phase_leaves_out(config):
    config["phases"]["confirm"]["variants"] = ["balanced", "concat-lr"]
    study = load_study(config)
    assert study.cohorts["kipan-noise"].variants == ("balanced",)
    assert study.cohorts["kipan-share-0.1"].variants == ("balanced",)
    assert study.cohorts["kipan"].variants == ("balanced", "concat-lr")
