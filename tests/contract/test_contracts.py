"""Files of the end-to-end run against their contracts, and generated files against their source."""

import json
import re
import warnings
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml

from balmi.config import document
from balmi.config.load import load_settings
from balmi.config.settings import Configuration
from balmi.data.files import annotated_files
from balmi.tables.contract import TABLES

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent


def read(path):
    if path.suffix == ".csv":
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    return pd.read_parquet(path)


@pytest.mark.workflow
@pytest.mark.parametrize(
    "name", [name for name, table in TABLES.items() if table.rule != "predict_samples"]
)
def test_table_obeys_its_contract(finished, name):
    contract = TABLES[name]
    files = contract.file.replace("{method}", "balanced")
    table = read(finished.folder / "results" / "simulated" / files)
    assert len(table)
    assert contract.problems(table) == []
    assert [name for name in table.columns if name in contract.names] == list(contract.names)


@pytest.mark.workflow
def test_cohort_obeys_its_contract_and_opens_in_muon(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # muon's own imports warn
        import muon
    with annotated_files():
        data = muon.read(str(finished.folder / "results" / "simulated" / "cohort.h5mu"))
    contract = yaml.safe_load((FOLDER / "cohort.yaml").read_text(encoding="utf-8"))
    patterns = [name.replace("*", r"\d+") for name in contract["obs"]]
    assert {"label", "group"} <= set(data.obs.columns)
    for name in data.obs.columns:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), name
        assert isinstance(data.obs[name].dtype, pd.CategoricalDtype)
    about = data.uns["balmi"]
    assert set(about) == set(contract["uns"]["balmi"])
    assert list(about["modalities"]) == list(data.mod)
    told = {"dataset", "label", "group", "folds", "dropped", "control", "warnings", "inputs"}
    assert set(json.loads(about["provenance"])) == told
    for name, part in data.mod.items():
        assert part.X.dtype == np.float32
        assert isinstance(part.uns["kind"], str)
        assert data.obsm[name].dtype == bool
        assert data.obsm[name].sum() == part.n_obs


def test_the_schema_is_up_to_date():
    shipped = document.SCHEMA.read_text(encoding="utf-8")
    assert shipped == document.schema_text(), "run make schema"


def test_the_tables_of_keys_and_of_outputs_are_up_to_date():
    manual = document.MANUAL.read_text(encoding="utf-8")
    assert manual == document.manual_text(manual), "run make schema"


def configurations():
    """Return the shipped configuration and every YAML example of the manuals."""
    found = [(ROOT / "config" / "config.yaml").read_text(encoding="utf-8")]
    for name in ("README.md", "config/README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        found += re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    return found


@pytest.mark.parametrize("text", configurations())
def test_every_documented_configuration_is_valid(text):
    content = yaml.safe_load(text)
    assert isinstance(load_settings(content), Configuration)
    jsonschema.validate(content, yaml.safe_load(document.SCHEMA.read_text(encoding="utf-8")))


def test_the_shipped_configuration_is_the_default():
    content = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    assert load_settings(content) == load_settings({"datasets": content["datasets"]})


def test_citation_and_package_name_one_version():
    from balmi import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_files_whose_tests_look_at_the_finished_run_go_together():
    """Or each process that runs tests would run the workflow of its own."""
    fixtures = "finished|bundle"
    uses = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(rf"^def test_\w+\([^)]*\b({fixtures})\b", path.read_text("utf-8"), re.M)
        and "unit" not in path.parts
    ]
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    assert uses
    assert all(f'"{path}"' in conftest for path in uses)
