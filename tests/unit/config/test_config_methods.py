"""What each method reads: a key that it does not read never runs it again."""

import pytest

from balmi.config.methods import GAINS, METHODS, NETWORKS, PRETRAINING, depends
from balmi.config.settings import Configuration, Method, Model, Training

OF_RULES = {"balancing", "balancing_temperature", "balancing_smoothing", "balancing_strength"}
IDLE = {"replicas", "checkpoint_every"}


def settings(**sections):
    return Configuration.model_validate(
        {"datasets": {"simulated": {"catalogue": "simulated"}}} | sections
    )


def unread(network, section, model):
    """Return the keys of a section that a network does not depend on."""
    return set(model.model_fields) - set(network.depends(settings())[section])


@pytest.mark.parametrize(
    ("network", "training", "model"),
    [
        (NETWORKS[Method.BALANCED], set(), set()),
        (NETWORKS[Method.ENSEMBLE], OF_RULES, {"experts"}),
        (NETWORKS[Method.UNIFORM], OF_RULES | {"members"}, {"experts"}),
        (NETWORKS[Method.CONCAT_MLP], OF_RULES | {"members"}, {"experts", "graph_weight"}),
        (PRETRAINING, OF_RULES, {"experts"}),
        (GAINS, OF_RULES | {"members"}, {"experts"}),
    ],
)
def test_keys_that_are_not_read(network, training, model):
    assert unread(network, "training", Training) == training | IDLE
    assert unread(network, "model", Model) == model


def test_every_method_is_in_the_registry():
    assert list(METHODS) == list(dict.fromkeys([*METHODS, *Method]))
    assert all(method.meaning for method in METHODS.values())
    networks = {Method.BALANCED, Method.ENSEMBLE, Method.UNIFORM, Method.CONCAT_MLP}
    assert set(NETWORKS) == networks


def test_similarity_networks_are_read_where_messages_pass():
    passing = settings(model={"graph_weight": 0.3}, training={"batch_size": None})
    assert "graph" not in NETWORKS[Method.UNIFORM].depends(settings())
    assert "graph" in NETWORKS[Method.UNIFORM].depends(passing)
    assert "graph" not in NETWORKS[Method.CONCAT_MLP].depends(passing)


def test_a_peer_reads_how_features_are_preprocessed_alone():
    plain = settings()
    assert depends(["stacked-lr"], plain) == {"preprocessing": plain.preprocessing.deciding()}
    assert depends([], plain) == depends(["majority"], plain)


def test_several_methods_read_what_any_of_them_reads():
    plain = settings()
    found = depends(["uniform", "ensemble", "stacked-lr"], plain)
    assert set(found) == {"preprocessing", "model", "training"}
    assert set(Training.model_fields) - set(found["training"]) == OF_RULES | IDLE
    guided = depends(["uniform", "balanced"], plain)
    assert guided["training"] == plain.training.deciding()
    assert set(guided) == {"preprocessing", "model", "training", "information", "distillation"}
