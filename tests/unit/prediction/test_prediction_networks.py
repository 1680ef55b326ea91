"""Final models that are networks: trained as in a fold, with everyone to learn from, and read."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from balmi.config.settings import Method
from balmi.data.splits import whole_split
from balmi.errors import MethodNotApplicable
from balmi.methods.fitted import TrainedFiles, restored_fold
from balmi.methods.peers.side import TrainingSide
from balmi.methods.pipeline import train_networks
from balmi.networks.data import replica_data
from balmi.prediction import network_training
from balmi.prediction.final import holds_rows
from balmi.prediction.networks import Networks
from balmi.prediction.predict import predict
from balmi.preprocess.features import Features

SAMPLES, KEPT = 90, 8
EVERYONE = np.arange(SAMPLES)
METHODS = (Method.BALANCED, Method.CONCAT_MLP)


@pytest.fixture(scope="module", params=METHODS)
def network(request, keep_model):
    return keep_model(request.param)


def test_they_say_what_the_networks_of_a_fold_say(kept, final_settings):
    """Rebuilt as for probes, in single precision and with the cohort beside them."""
    method, settings, cohort = Method.BALANCED, final_settings(Method.BALANCED), kept.cohort
    features = Features(cohort, KEPT)
    split = whole_split(EVERYONE, cohort, settings.evaluation)
    found = network_training.fit_networks(method, cohort, features, EVERYONE, settings)
    trained = train_networks(method, cohort, features, [split], settings)
    data = replica_data(cohort, features, [split], None, torch.device("cpu"), members=2)
    samples = features.apply(features.fit(EVERYONE))
    files = TrainedFiles(
        trained.parameters,
        trained.result.experts,
        trained.result.regressions,
        trained.information,
        trained.bases,
    )
    side = TrainingSide.of(cohort, split, samples)
    there = restored_fold(method, data, 0, side, files, settings.model, settings.graph)
    assert found.predict(samples) == pytest.approx(there.predict(samples), abs=1e-5)
    assert len(found.importance) == 2
    assert not holds_rows(found)


def test_everyone_is_learned_from_and_each_network_holds_out_another_part(kept, final_settings):
    cohort = kept.cohort
    split = whole_split(EVERYONE, cohort, final_settings("balanced").evaluation)
    assert len(split.test) == 0
    np.testing.assert_array_equal(split.fit, EVERYONE)
    held_out = [each.validation for each in split.members(5)]
    assert sum(map(len, held_out)) == len(np.unique(np.concatenate(held_out))) <= SAMPLES
    some = whole_split(EVERYONE[10:], cohort, final_settings("balanced").evaluation)
    np.testing.assert_array_equal(some.fit, EVERYONE[10:])


def test_they_say_the_same_after_writing_and_reading_alone_and_together(network):
    assert isinstance(network.read.predictor, Networks)
    inside = network.trained.model.say(network.samples).probabilities
    assert network.read.say(network.samples).probabilities == pytest.approx(inside, abs=1e-6)
    whole = predict(network.read, network.newcomers(EVERYONE)).said.probabilities
    assert whole == pytest.approx(inside, abs=1e-6)
    order = np.array([40, 3, 77])
    some = predict(network.read, network.newcomers(order)).said.probabilities
    assert some == pytest.approx(whole[order], abs=1e-6)
    alone = predict(network.read, network.newcomers(order[:1])).said.probabilities
    assert alone == pytest.approx(whole[order[:1]], abs=1e-6)
    assert network.about["holds_rows"] is False
    assert network.about["rows"] == {}


def test_samples_that_lack_modalities_are_told_too(network):
    samples = network.samples
    available = samples.available.copy()
    available[:, 1:] = False
    said = network.read.say(replace(samples, available=available)).probabilities
    assert np.isfinite(said).all()
    assert said.sum(axis=1) == pytest.approx(np.ones(SAMPLES))


def test_networks_that_pass_messages_are_no_final_model(kept, final_settings):
    settings = final_settings(Method.UNIFORM)
    passing = settings.model.model_copy(update={"graph_weight": 0.5})
    cohort = kept.cohort
    arguments = Method.UNIFORM, cohort, Features(cohort, KEPT), EVERYONE
    with pytest.raises(MethodNotApplicable, match="graph_weight"):
        network_training.fit_networks(*arguments, settings.model_copy(update={"model": passing}))
