"""What results depend on in the settings, and what reruns nothing."""

import pytest

from balmi.config.methods import METHODS
from balmi.config.rules.depends import (
    all_settings,
    of_final_model,
    of_probes,
    of_report,
    untracked,
)
from balmi.config.settings import Configuration, Method

IDLE = {"replicas", "checkpoint_every"}


def settings(**sections):
    return Configuration.model_validate(
        {"datasets": {"simulated": {"catalogue": "simulated"}}} | sections
    )


def test_a_job_reads_all_settings_and_snakemake_compares_none():
    read = all_settings(settings())
    # Of a function that takes threads Snakemake hands over the value, and does not compare it.
    assert read.__code__.co_varnames[: read.__code__.co_argcount] == ("wildcards", "threads")
    given = read(None, threads=1)
    assert set(Configuration.model_fields) - set(given) == {"datasets", "predict"}
    assert given["training"].keys() > IDLE
    assert untracked(3)(None, threads=2) == 3


def test_the_report_depends_on_what_decides_results():
    found = of_report(settings())
    assert not {"datasets", "predict", "resources"} & set(found)
    assert not IDLE & set(found["training"])
    assert found == of_report(settings(training={"epochs": 100}, resources={"gpu": 1}))
    assert found != of_report(settings(training={"epochs": 99}))


def test_probes_depend_on_their_noise_and_seed_alone():
    chosen = settings(robustness={"noise": [3.0], "shares": [0.2]})
    assert of_probes(["pooled"], chosen) == {"noise": [3.0], "seed": 0}
    assert of_probes([], chosen) == {}


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1", "mcc"])
def test_the_final_model_depends_on_its_method_and_how_it_predicts(metric):
    chosen = settings(final={"method": "stacked-lr"}, primary_metric=metric, seed=5)
    found = of_final_model(chosen)
    assert found.items() >= METHODS[Method.STACKED_LR].depends(chosen).items()
    assert found["final"] == {"method": "stacked-lr", "rows": True}
    assert found["seed"] == 5
    assert found["called_for"] == (metric if "accuracy" in metric else None)


@pytest.mark.parametrize(("method", "changes"), [("balanced", True), ("pooled", False)])
def test_networks_depend_on_what_they_hold_out_for_validation(method, changes):
    found = [
        of_final_model(settings(final={"method": method}, evaluation={"validation": share}))
        for share in (0.2, 0.3)
    ]
    assert (found[0] != found[1]) is changes


def test_no_final_model_depends_on_nothing():
    assert of_final_model(settings(final={"method": None})) == {}
