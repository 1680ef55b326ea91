import re

import pytest
from pydantic import ValidationError

from balmi.config.catalogue import (
    Wheel,
    as_configured,
    catalogue,
    resolve,
    simulation_of,
    source,
)
from balmi.config.kinds import RANGES, Kind
from balmi.config.load import load_settings
from balmi.config.settings import Dataset, Design, Simulation
from balmi.data.simulate import simulate_cohort

FILES = Dataset(
    samples="s.csv", label="y", modalities={"rna": {"path": "r.csv", "kind": "rna-log"}}
)


def test_every_entry_can_be_named_with_nothing_below_it():
    settings = load_settings({"datasets": dict.fromkeys(catalogue())})
    assert list(settings.datasets) == list(catalogue())


@pytest.mark.parametrize("name", catalogue())
def test_every_entry_says_what_it_is_and_where_it_comes_from(name):
    entry = catalogue()[name]
    assert entry.title
    assert entry.licence
    assert (entry.wheel is None) != (entry.simulate is None)
    if entry.wheel:
        assert "==" in entry.wheel.requirement
        assert sorted([*entry.wheel.modalities, *entry.downloads]) == sorted(entry.kinds)


def test_a_download_is_pinned_to_a_commit():
    downloads = [each for entry in catalogue().values() for each in entry.downloads.values()]
    assert downloads
    assert all(re.search("/[0-9a-f]{40}/", each.url) for each in downloads)


def test_files_of_ones_own_are_left_as_they_are():
    assert resolve("own", FILES) is FILES
    assert source(FILES) == "files"


def test_an_entry_resolves_to_the_file_that_its_rule_writes():
    dataset = resolve("mine", Dataset(catalogue="simulated"), folder="elsewhere")
    assert dataset.samples == "elsewhere/mine.h5mu"
    assert (dataset.label, dataset.group) == ("subtype", "patient")
    assert {file.path for file in dataset.modalities.values()} == {"elsewhere/mine.h5mu"}
    assert dataset.modalities["strong"].kind is Kind.RNA_LOG


def test_where_datasets_come_from():
    assert source(Dataset(catalogue="simulated")) == "simulation"
    assert source(Dataset(catalogue="simulated-gaussian")) == "simulation"
    assert source(Dataset(catalogue="tcga-brca")) == "wheel"


SIMULATED = [name for name, entry in catalogue().items() if entry.simulate]


@pytest.mark.parametrize("name", SIMULATED)
def test_a_simulated_entry_names_what_the_simulation_makes(name):
    entry = catalogue()[name]
    made = simulate_cohort(Simulation(samples=120, features=4), entry.simulate)
    assert list(entry.kinds) == list(made.modalities)
    assert {entry.label, entry.group} - {None} == set(made.samples.columns)


def test_an_entry_has_settings_of_its_own_where_nothing_is_set():
    def settings(entry, **changes):
        return simulation_of(Dataset(catalogue=entry, simulate=changes or None))

    assert settings("simulated") == Simulation()
    found = settings("simulated-interaction")
    assert (found.samples, found.features) == (1000, 50)
    found = settings("simulated-citeseq")
    assert (found.samples, found.features) == (2000, 20_000)
    found = settings("simulated-interaction", samples=400, seed=3)
    assert (found.samples, found.features, found.seed) == (400, 50, 3)


def test_files_and_simulations_are_not_taken_for_each_other():
    assert FILES.labelled == (FILES.samples, FILES.label)
    with pytest.raises(ValueError, match="is not simulated"):
        simulation_of(FILES)
    entry = Dataset(catalogue="simulated")
    with pytest.raises(ValueError, match="before it is resolved"):
        _ = entry.files
    assert resolve("mine", entry).files == ["resources/mine.h5mu"]


def test_every_design_has_an_entry():
    assert {catalogue()[name].simulate for name in SIMULATED} == set(Design)


def test_dials_are_keys_and_each_belongs_to_one_design():
    dials = [key for design in Design for key in design.dials]
    assert len(dials) == len(set(dials))
    assert set(dials) < set(Simulation.model_fields)


@pytest.mark.parametrize("sum_", ["", "x" * 64, "a" * 63, "A" * 64])
def test_a_wheel_needs_a_whole_checksum(sum_):
    content = catalogue()["tcga-brca"].wheel.model_dump()
    with pytest.raises(ValidationError, match="sha256"):
        Wheel.model_validate({**content, "sha256": sum_})


def test_ranges_are_of_kinds_and_described():
    assert set(RANGES) <= set(Kind)
    assert all(allowed.description and allowed.low < allowed.high for allowed in RANGES.values())


@pytest.mark.parametrize("name", catalogue())
def test_a_resolved_entry_is_told_as_a_configuration_names_it(name):
    configured = load_settings({"datasets": {name: {"catalogue": name, "control": {"seed": 3}}}})
    dataset = configured.datasets[name]
    found = resolve(name, dataset).model_dump(mode="json") | {"catalogue": name}
    if source(dataset) == "simulation":
        found["simulate"] = simulation_of(dataset).model_dump(mode="json")
    again = load_settings({"datasets": {name: as_configured(found)}}).datasets[name]
    assert resolve(name, again) == resolve(name, dataset)
    if source(dataset) == "simulation":
        assert simulation_of(again) == simulation_of(dataset)


def test_files_of_ones_own_are_told_as_a_configuration_names_them():
    told = as_configured(FILES.model_dump(mode="json") | {"catalogue": None})
    assert load_settings({"datasets": {"own": told}}).datasets["own"] == FILES
