"""Files of the end-to-end run against their contracts, and generated files against their source."""

import ast
import json
import re
import sys
import tomllib
import warnings
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from balmi.config import document, fingerprint
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
@pytest.mark.parametrize("name", TABLES)
def test_table_obeys_its_contract(finished, name):
    contract = TABLES[name]
    files = contract.file.replace("{method}", "balanced")
    table = read(finished.folder / "results" / "simulated" / files)
    assert len(table)
    assert contract.problems(table) == []
    assert [column for column in table.columns if not column.startswith("p:")] == list(
        contract.names
    )


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
    told = {"dataset", "label", "group", "folds", "dropped", "control", "warnings"}
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


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RANGES = {
    requirement.name: requirement.specifier
    for requirement in map(
        Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    )
}
CONDA_NAMES = {"pytorch": "torch", "snakemake-minimal": "snakemake"}


def pins():
    """Return what `make` installs: name -> version."""
    files = [ROOT / "envs" / name for name in ("requirements.txt", "requirements-test.txt")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    lines += re.findall(r"^TORCH \?= (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("name", RANGES)
def test_every_dependency_is_pinned_inside_its_range(name):
    versions = {key.lower().replace("_", "-"): value for key, value in pins().items()}
    assert RANGES[name].contains(versions[name.lower()])


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environments_agree_with_pyproject(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert "conda-forge" in content["channels"]
    for line in content["dependencies"]:
        name, _, specifier = line.partition(" ")
        if name == "pip":
            continue
        expected = RANGES.get(CONDA_NAMES.get(name, name))
        if name == "python":
            expected = SpecifierSet(PROJECT["requires-python"])
        assert SpecifierSet(specifier) == expected, line


def test_conda_environments_hold_every_dependency():
    found = set()
    for path in (ROOT / "envs").glob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        found |= {line.split(" ")[0] for line in content["dependencies"]}
    found = {CONDA_NAMES.get(name, name) for name in found}
    assert {Requirement(text).name for text in PROJECT["dependencies"]} <= found


def test_citation_and_package_name_one_version():
    from balmi import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


STANDARD = sys.stdlib_module_names | {"balmi", "pydantic_core"}  # pydantic brings its own core
PACKAGES = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "torch": "pytorch",
    "vl_convert": "vl-convert-python",
}


def environment_of(script):
    """Return the packages of the conda environment that a script's rule names."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in f"\n{path.read_text(encoding='utf-8')}".split("\nrule ")[1:]:
            if f"scripts/{script.name}" in rule:
                name = re.search(r"envs/(\w+\.yaml)", rule).group(1)
                content = yaml.safe_load((ROOT / "envs" / name).read_text(encoding="utf-8"))
                return {line.split(" ")[0] for line in content["dependencies"]}
    raise AssertionError(f"no rule runs {script.name}")


def imported_packages(script):
    """Return the packages that a script and the library modules behind it import."""
    settings = ["balmi.config.settings", "balmi.config.kinds", "balmi.config.catalogue"]
    modules = [*fingerprint.dependencies(*fingerprint.imports(script)), *settings]
    files = [script, *map(fingerprint._file, modules)]
    nodes = [
        node for file in files for node in fingerprint._run_time_nodes(ast.parse(file.read_text()))
    ]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names} - STANDARD - {"__future__"}


@pytest.mark.parametrize(
    "script", sorted((ROOT / "workflow" / "scripts").glob("*.py")), ids=lambda path: path.stem
)
def test_every_import_of_a_script_is_in_its_environment(script):
    needed = {PACKAGES.get(name, name) for name in imported_packages(script)}
    assert needed <= environment_of(script)


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
