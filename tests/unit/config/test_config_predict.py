"""The final model and predictions of new samples in a configuration."""

import pytest

from balmi.config.load import load_settings
from balmi.config.settings import Method, PredictionsAlone
from balmi.errors import UserError

ONE = {"model": "results/a/model", "modalities": {"rna": {"path": "new.csv"}}}
SIMULATED = {"datasets": {"simulated": None}}


def problems(config):
    with pytest.raises(UserError) as error:
        load_settings(config)
    return {problem.where: problem for problem in error.value.problems}


def test_the_final_model_is_that_of_the_pool_where_it_is_evaluated():
    assert load_settings(SIMULATED).final.method is Method.POOLED
    assert load_settings({**SIMULATED, "methods": ["stacked-lr"]}).final.method is None
    assert load_settings({**SIMULATED, "final": {"method": None}}).final.method is None


@pytest.mark.parametrize(
    ("final", "where", "found"),
    [
        ({"method": "snf"}, "final.method", "no final model can be written"),
        ({"method": "concat-forest"}, "final.method", "none of `methods`"),
        ({"method": "concat-svm", "rows": False}, "final.rows", "made of training samples"),
        ({"method": "pool"}, "final.method", "'pool'"),
    ],
)
def test_a_final_model_that_cannot_be_is_refused(final, where, found):
    assert found in problems({**SIMULATED, "final": final})[where].found


def test_networks_are_a_final_model_where_they_pass_no_messages():
    final = {**SIMULATED, "final": {"method": "balanced"}}
    assert load_settings(final).final.method is Method.BALANCED
    passing = {**final, "model": {"graph_weight": 0.5}, "training": {"batch_size": None}}
    assert "messages are passed" in problems(passing)["final.method"].found
    side_by_side = {**passing, "final": {"method": "concat-mlp"}}
    assert load_settings(side_by_side).final.method is Method.CONCAT_MLP


def test_predictions_need_no_dataset():
    settings = load_settings({"predict": {"new": ONE}})
    assert isinstance(settings, PredictionsAlone)
    assert (dict(settings.datasets), settings.predict["new"].files) == ({}, ["new.csv"])
    assert (
        load_settings({**SIMULATED, "predict": {"new": ONE}}).predict["new"].model == ONE["model"]
    )
    assert problems({"predict": {}})["datasets"].found == "nothing"


@pytest.mark.parametrize(
    ("predict", "where"),
    [
        ({"simulated": ONE}, "predict.simulated"),
        ({"overview.html": ONE}, "predict.overview.html"),
        ({"new": {**ONE, "missing_share": 0.6}}, "predict.new.missing_share"),
        ({"new": {**ONE, "group": "site"}}, "predict.new.group"),
        ({"new": {**ONE, "modalities": {}}}, "predict.new.modalities"),
        ({"new": {"modalities": ONE["modalities"]}}, "predict.new.model"),
        ({"new": {**ONE, "modle": "x"}}, "predict.new.modle"),
        ({"new": {**ONE, "other_scale": "ignore"}}, "predict.new.other_scale"),
        ({"../x": ONE}, "predict.../x"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_by_its_key(predict, where):
    assert list(problems({**SIMULATED, "predict": predict})) == [where]


def test_all_that_is_wrong_comes_at_once():
    wrong = {"a": {**ONE, "missing_share": 2}, "b": {"model": "m"}}
    found = problems({**SIMULATED, "predict": wrong, "final": {"rows": "maybe"}})
    assert set(found) == {"predict.a.missing_share", "predict.b.modalities", "final.rows"}


def test_a_new_prediction_changes_nothing_that_datasets_depend_on():
    plain, more = load_settings(SIMULATED), load_settings({**SIMULATED, "predict": {"new": ONE}})
    keys = set(plain.deciding()) - {"datasets", "predict"}
    assert {key: plain.deciding()[key] for key in keys} == {
        key: more.deciding()[key] for key in keys
    }
