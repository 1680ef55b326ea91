"""Where datasets come from, as rules ask."""

import re
from types import SimpleNamespace

import pytest

from balmi.config.catalogue import catalogue
from balmi.config.rules.sources import Sources
from balmi.config.settings import Dataset

FILES = {"rna": {"path": "rna.csv", "kind": "rna-log"}}
SOURCES = Sources(
    {
        "mine": Dataset(samples="labels.csv", label="subtype", modalities=FILES),
        "brca": Dataset(catalogue="tcga-brca"),
        "drawn": Dataset(catalogue="simulated", simulate={"samples": 150}),
    }
)


def of(name):
    return SimpleNamespace(dataset=name)


@pytest.mark.parametrize(
    ("kind", "names"), [("files", {"mine"}), ("wheel", {"brca"}), ("simulation", {"drawn"})]
)
def test_a_pattern_matches_the_datasets_of_a_kind(kind, names):
    pattern = SOURCES.coming_from(kind)
    assert {name for name in SOURCES.datasets if re.fullmatch(pattern, name)} == names


def test_the_catalogue_tells_of_its_entries_alone():
    assert SOURCES.entry(of("brca")) is catalogue()["tcga-brca"]
    assert SOURCES.about(of("brca"), "title") == catalogue()["tcga-brca"].title
    assert SOURCES.entry(of("mine")) is None
    assert SOURCES.about(of("mine"), "title") is None


def test_a_dataset_is_configured_with_its_files_and_where_they_come_from():
    mine = SOURCES.configured(of("mine"))
    assert (mine["samples"], mine["catalogue"], mine["simulate"]) == ("labels.csv", None, None)
    brca = SOURCES.configured(of("brca"))
    assert (brca["samples"], brca["catalogue"]) == ("resources/brca.h5mu", "tcga-brca")
    drawn = SOURCES.configured(of("drawn"))
    assert drawn["simulate"] == SOURCES.simulation(of("drawn"))
    assert drawn["simulate"]["samples"] == 150
