"""What the Snakefile imports must not bring in the science stack."""

import json
import subprocess
import sys
from pathlib import Path

WORKFLOW = Path(__file__).parents[3] / "workflow"
DRIVER = (
    "balmi.config.load",
    "balmi.config.cautions",
    "balmi.config.catalogue",
    "balmi.config.fingerprint",
    "balmi.config.methods",
    "balmi.config.needs",
    "balmi.config.rules.depends",
    "balmi.config.rules.inputs",
    "balmi.config.rules.patterns",
    "balmi.config.rules.predictions",
    "balmi.config.rules.selection",
    "balmi.config.rules.sources",
    "balmi.config.settings",
    "balmi.data.checks",
    "balmi.data.contents",
    "balmi.data.newcomer_checks",
    "balmi.endings",
    "balmi.errors",
    "balmi.faults",
    "balmi.place",
    "balmi.tables.contract",
    "balmi.again",
    "balmi.undrawn",
)
HEAVY = ("torch", "scanpy", "mudata", "anndata", "muon", "sklearn", "altair")


def loaded(modules):
    """Return all that a fresh interpreter has loaded after importing the modules."""
    code = (
        f"import importlib, json, sys; sys.path.insert(0, {str(WORKFLOW)!r});"
        f"[importlib.import_module(name) for name in {modules!r}];"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return set(json.loads(done.stdout))


def test_the_snakefile_imports_nothing_heavy():
    assert not loaded(DRIVER) & set(HEAVY)


def test_the_snakefile_imports_only_what_is_tested_here():
    rules = (WORKFLOW / "rules" / "common.smk").read_text(encoding="utf-8")
    named = {line.split()[1] for line in rules.splitlines() if line.startswith("from balmi")}
    assert named <= set(DRIVER)
    assert not loaded(tuple(sorted(named))) & set(HEAVY)
