"""The dependencies: pinned in range, the same for pip and conda, and none without use."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from balmi.config import fingerprint

ROOT = Path(__file__).parents[2]
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


STANDARD = sys.stdlib_module_names | {"balmi", "pydantic_core"}  # pydantic brings its own core
PACKAGES = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "torch": "pytorch",
    "vl_convert": "vl-convert-python",
    "xdist": "pytest-xdist",
    "axe_playwright_python": "axe-playwright-python",
}
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
SECTIONS = fingerprint.LIBRARY / "config" / "sections"
SETTINGS = (
    *("balmi.config.settings", "balmi.config.kinds", "balmi.config.catalogue"),
    *(f"balmi.config.sections.{path.stem}" for path in SECTIONS.glob("[a-z]*.py")),
)


def environment_of(script):
    """Return the name of the conda environment that a script's rule names."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"\n *rule ", f"\n{path.read_text(encoding='utf-8')}")[1:]:
            if f"scripts/{script.name}" in rule:
                return re.search(r"envs/(\w+)\.yaml", rule).group(1)
    raise AssertionError(f"no rule runs {script.name}")


def packages_of(environment):
    """Return the packages of a conda environment."""
    text = (ROOT / "envs" / f"{environment}.yaml").read_text(encoding="utf-8")
    return {line.split(" ")[0] for line in yaml.safe_load(text)["dependencies"]}


def imported(node):
    """Yield the dotted names that a part of a text imports when it runs."""
    if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        yield node.module
    for child in ast.iter_child_nodes(node):
        yield from imported(child)


def packages_in(files):
    """Return the packages that files import when they run, by conda's names."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    names = {name.split(".")[0] for tree in trees for name in imported(tree)}
    names -= STANDARD | {"__future__"}
    return {PACKAGES.get(name, name) for name in names}


def imported_packages(script):
    """Return the packages that a script and the library modules behind it import."""
    modules = fingerprint.dependencies(*fingerprint.imports(script))
    return packages_in([script, *map(fingerprint._own, [*modules, *SETTINGS])])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_import_of_a_script_is_in_its_environment(script):
    assert imported_packages(script) <= packages_of(environment_of(script))


# Why something is installed that the library does not import.
UNIMPORTED = {
    "pygments": "snakemake --report colours code by it, and does not ask for it itself",
    "snakemake-executor-plugin-slurm": "the profile of a cluster names its executor",
}
# The same of what tests and lint need.
UNIMPORTED_BY_TESTS = {"types-pyyaml": "mypy finds the types of yaml there"}
# The same of the scripts of rules: what they run as a program of its own imports it.
OF_PROGRAMS = {"vl-convert-python": "the process that draws, balmi.report.kit.vega"}
# The same of conda environments alone.
CONDA_ALONE = {
    "python": "it runs the scripts",
    "pip": "fetch_dataset downloads by it",
}


def by_pip(packages):
    """Return the names that pip gives to packages of conda."""
    return {CONDA_NAMES.get(name, name).lower() for name in packages}


def python_files(*folders):
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def imported_by_rules():
    """Return the packages that the Snakefile and the rules import themselves."""
    files = [ROOT / "workflow" / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return set(re.findall(r"^(?:import|from) (\w+)", text, flags=re.MULTILINE)) - STANDARD


def test_every_dependency_is_imported_or_has_a_reason():
    declared = {Requirement(text).name.lower() for text in PROJECT["dependencies"]}
    used = by_pip(packages_in(python_files("workflow")) | imported_by_rules())
    assert declared - used == set(UNIMPORTED)


def test_every_tool_of_tests_is_imported_or_called_or_has_a_reason():
    tools = PROJECT["optional-dependencies"]["test"]
    declared = {Requirement(text).name.lower() for text in tools}
    called = re.findall(r"\$\(BIN\)/([\w-]+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    used = by_pip(packages_in(python_files("tests", "benchmarks"))) | set(called)
    assert declared - used == set(UNIMPORTED_BY_TESTS)


@pytest.mark.parametrize("environment", sorted({environment_of(script) for script in SCRIPTS}))
def test_every_package_of_an_environment_is_imported_by_its_scripts_or_has_a_reason(environment):
    scripts = [script for script in SCRIPTS if environment_of(script) == environment]
    used = set().union(*map(imported_packages, scripts))
    assert packages_of(environment) - used <= {*UNIMPORTED, *OF_PROGRAMS, *CONDA_ALONE}


def test_the_environment_of_the_workflow_holds_what_the_rules_import(tmp_path):
    """Its library modules are those that the rules name, with the settings behind them."""
    files = (ROOT / "workflow" / "rules").glob("*.smk")
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    lines = re.findall(r"^from balmi[\w.]* import .*$", text, flags=re.MULTILINE)
    names = tmp_path / "imports.py"
    names.write_text("\n".join(lines), encoding="utf-8")
    used = {CONDA_NAMES.get(name, name) for name in imported_packages(names) | imported_by_rules()}
    held = packages_of("workflow")
    assert used <= by_pip(held)
    assert by_pip(held) - used <= {*UNIMPORTED, *CONDA_ALONE}
