import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from balmi.config import fingerprint

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))


@pytest.fixture(scope="module")
def unedited():
    """Return the hash of every script's library as it is."""
    return {script.stem: code_hash(script) for script in SCRIPTS}


@pytest.fixture
def library(unedited, tmp_path, monkeypatch):
    """Return a copy of the library, which the hash is taken of."""
    copy = tmp_path / "balmi"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(fingerprint.LIBRARY, copy, ignore=ignored)
    monkeypatch.setattr(fingerprint, "LIBRARY", copy)
    return copy


def code_hash(script):
    """Return the hash as a new process would take it."""
    path = script if isinstance(script, Path) else ROOT / "workflow" / "scripts" / f"{script}.py"
    return fingerprint.code_hash.__wrapped__(path)


def edit(path):
    path.write_text(path.read_text(encoding="utf-8") + "\nEDITED = True\n", encoding="utf-8")


def test_a_copy_of_the_library_has_the_same_hash(library, unedited):
    copied = {script.stem: code_hash(script) for script in SCRIPTS}
    assert copied == unedited
    assert all(len(text) == 16 for text in copied.values())


@pytest.mark.parametrize(
    ("module", "changed", "same"),
    [
        ("evaluation/metrics.py", ["evaluate_methods"], ["train_network", "split_cohort"]),
        (
            "report/sections/training/figures.py",
            ["build_report"],
            ["train_network", "evaluate_methods"],
        ),
        ("report/templates/base.html", ["build_report", "build_overview"], ["evaluate_methods"]),
        ("report/sections/cohort/cohort.html", ["build_report"], ["evaluate_methods"]),
        ("report/templates/page.css", ["build_report"], ["train_network"]),
        ("data/splits.py", ["split_cohort"], ["simulate_dataset", "assemble_cohort"]),
        ("data/readers.py", ["assemble_cohort", "fetch_dataset"], ["train_network"]),
        ("preprocess/kinds.py", ["train_network", "fit_baseline"], ["split_cohort"]),
        ("methods/peers/registry.py", ["fit_baseline"], ["train_network", "measure_information"]),
        ("methods/peers/bases.py", ["fit_bases", "train_network"], ["fit_preprocessing"]),
        ("experiments/probes/peers.py", ["fit_probed_baseline"], ["fit_baseline", "fit_bases"]),
        ("networks/network.py", ["train_network"], ["fit_baseline"]),
        ("networks/losses.py", ["train_network", "pretrain_distillation"], ["fit_baseline"]),
        ("experiments/gains/observe.py", ["observe_gains"], ["train_network", "evaluate_methods"]),
        ("experiments/gains/table.py", [], ["evaluate_methods", "observe_gains"]),
        ("information/label.py", ["measure_information", "measure_splits"], ["fit_baseline"]),
        (
            "experiments/attribution/gradients.py",
            ["attribute_features"],
            ["train_network", "build_report"],
        ),
        ("prediction/rows.py", ["fit_final_model"], ["fit_baseline", "describe_model"]),
        ("report/render.py", ["build_report", "build_prediction_page"], ["evaluate_methods"]),
        ("networks/trainer.py", ["train_network", "fit_final_model"], ["build_prediction_page"]),
        ("config/document.py", [], [script.stem for script in SCRIPTS]),
        ("graph/fusion.py", ["fuse_networks", "fit_baseline"], ["assemble_cohort"]),
        ("errors.py", ["assemble_cohort", "train_network"], []),
        ("config/settings.py", [], [script.stem for script in SCRIPTS]),
        ("config/sections/learning.py", [], [script.stem for script in SCRIPTS]),
        ("tables/contract.yaml", [], [script.stem for script in SCRIPTS]),
        ("tables/contract.py", [], [script.stem for script in SCRIPTS]),
        ("__init__.py", [], [script.stem for script in SCRIPTS]),
    ],
)
def test_an_edit_reruns_what_uses_the_module_and_nothing_else(
    library, unedited, module, changed, same
):
    edit(library / module)
    names = [*changed, *same]
    assert {name for name in names if code_hash(name) != unedited[name]} == set(changed)


def test_a_new_file_beside_the_templates_counts(library, unedited):
    (library / "report" / "templates" / "new.svg").write_text("<svg/>")
    assert code_hash("build_report") != unedited["build_report"]


@pytest.mark.parametrize("ending", ["\n", "\n\n\n", "\r\n"])
def test_trailing_newlines_do_not_count(library, unedited, ending):
    path = library / "data" / "splits.py"
    path.write_bytes(path.read_bytes().rstrip(b"\r\n") + ending.encode())
    assert code_hash("split_cohort") == unedited["split_cohort"]


def test_the_scripts_own_text_is_left_to_snakemake(tmp_path, library):
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("from balmi.data.splits import make_splits\n")
    other.write_text("from balmi.data.splits import make_splits\nprint(1)\n")
    assert code_hash(one) == code_hash(other)


def write(library, name, text):
    path = library / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Return a library of five modules."""
    library = tmp_path / "small" / "balmi"
    library.mkdir(parents=True)
    for folder in (".", "a", "b"):
        write(library, f"{folder}/__init__.py", "")
    write(library, "a/one.py", "x = 1")
    write(library, "a/two.py", "from balmi.a.one import x")
    write(library, "b/three.py", "y = 1")
    monkeypatch.setattr(fingerprint, "LIBRARY", library)
    return library


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import balmi.a.one", {"balmi.a", "balmi.a.one"}),
        ("from balmi.a import one", {"balmi.a", "balmi.a.one"}),
        ("from balmi.a import one as other, two", {"balmi.a", "balmi.a.one", "balmi.a.two"}),
        ("from balmi.a.one import x", {"balmi.a", "balmi.a.one"}),
        ("def f():\n    from balmi.b.three import y", {"balmi.b", "balmi.b.three"}),
        ("try:\n    import balmi.b.three\nexcept E:\n    pass", {"balmi.b", "balmi.b.three"}),
        ("if TYPE_CHECKING:\n    from balmi.a.one import x", set()),
        ("if x:\n    from balmi.a.one import x", {"balmi.a", "balmi.a.one"}),
        (
            "if TYPE_CHECKING:\n    import os\n\n    import re\n\ndef f():\n    import balmi.a.one",
            {"balmi.a", "balmi.a.one"},
        ),
        (
            "from balmi.a import (  # two\n    one as other,  # three, by hand\n    two,\n)",
            {"balmi.a", "balmi.a.one", "balmi.a.two"},
        ),
        ("import numpy\nfrom os import path\nfrom balmier.a import one", set()),
    ],
)
def test_imports_of_a_file(small, tmp_path, text, found):
    script = tmp_path / "script.py"
    script.write_text(text)
    assert fingerprint.imports(script) - {"balmi"} == found


def test_dependencies_follow_imports_of_imports_and_stop_in_circles(small):
    assert fingerprint.dependencies("balmi.a.two") == ["balmi.a", "balmi.a.one", "balmi.a.two"]
    write(small, "a/one.py", "import balmi.a.two")
    assert fingerprint.dependencies("balmi.a.one") == ["balmi.a", "balmi.a.one", "balmi.a.two"]


def test_a_type_only_import_reruns_nothing(small, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import balmi.a.one")
    write(small, "a/one.py", "if TYPE_CHECKING:\n    import balmi.b.three\nx = 1")
    before = code_hash(script)
    write(small, "b/three.py", "y = 2")
    assert code_hash(script) == before
    write(small, "a/one.py", "x = 2")
    assert code_hash(script) != before


def test_where_a_text_lies_counts(small, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import balmi.a.one, balmi.b.three")
    before = code_hash(script)
    write(small, "a/one.py", "y = 1")
    write(small, "b/three.py", "x = 1")
    assert code_hash(script) != before


@pytest.mark.parametrize("script", ["assemble_cohort", "fit_baseline"])
def test_the_hash_covers_all_that_a_script_loads(script):
    tree = ast.parse((ROOT / "workflow" / "scripts" / f"{script}.py").read_text())
    wanted = [ast.unparse(node) for node in tree.body if isinstance(node, ast.ImportFrom)]
    code = "import sys, json\n" + "\n".join(wanted)
    code += "\nprint(json.dumps([n for n in sys.modules if n.split('.')[0] == 'balmi']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"},
    )
    loaded = {
        name
        for name in json.loads(done.stdout)
        if name != "balmi" and not f"{name}.".startswith(fingerprint.CARRIED)
    }
    path = ROOT / "workflow" / "scripts" / f"{script}.py"
    assert loaded <= set(fingerprint.dependencies(*fingerprint.imports(path)))


def run_time_nodes(tree):
    """Yield all nodes but those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from run_time_nodes(node)


def test_imports_are_those_that_python_reads():
    """They are read off the lines, which is faster than to parse the library."""
    library = fingerprint.LIBRARY
    paths = {
        path: path.relative_to(library.parent).with_suffix("") for path in library.rglob("*.py")
    }
    modules = {".".join(path.parts).removesuffix(".__init__") for path in paths.values()}
    for path in [*paths, *SCRIPTS]:
        named, texts = set(), ""
        for node in run_time_nodes(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Constant):
                texts += str(node.value)  # may be code that another process runs
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: a relative import, which the lines do not show"
                named |= {f"{node.module}.{alias.name}" for alias in node.names}
        parts = [name.split(".") for name in named]
        above = {".".join(each[:i]) for each in parts for i in range(1, len(each) + 1)}
        found = fingerprint.imports(path)
        assert found >= above & modules, path
        assert all(name in texts for name in found - above), path
