"""What the workflow's rules ask for by name, answered for the study.

A dataset of theirs is a cohort in a phase here, and a section of the settings depends on the cohort
and on what is trained.
"""

import os
import sys
from pathlib import Path

from balmi.config.fingerprint import code_hash
from balmi.config.methods import NETWORKS
from balmi.config.needs import growing, needs, reading
from balmi.config.rules.inputs import bases
from balmi.config.rules.patterns import any_of
from balmi.config.rules.selection import Selection
from balmi.config.rules.sources import Sources
from balmi.errors import UserError
from balmi.tables.contract import TABLES, columns_of, tables_of
from study.plan import load_study

# Idle OpenMP threads busy-wait.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

try:
    STUDY = load_study(config)
except UserError as error:
    sys.exit(str(error))

SETTINGS = STUDY.settings
COHORTS = {f"study/{STUDY.phase}/{name}": each for name, each in STUDY.cohorts.items()}
DATASETS = {folder: cohort.dataset for folder, cohort in COHORTS.items()}
METHODS = sorted({variant.method.value for variant in STUDY.variants.values()})
NETWORK_METHODS = [name for name in METHODS if name in NETWORKS]
# Nothing is probed here, and every variant is a job of its own.
SELECTION = Selection(methods=tuple(METHODS), networks=tuple(NETWORK_METHODS))
SOURCES = Sources(SETTINGS.datasets)
PRETRAININGS, GRAPHS = STUDY.pretrainings(), STUDY.graphs()
SCRIPTS = Path(workflow.basedir).parents[1] / "workflow" / "scripts"


def code_of(script):
    """Return the hash of the library code that a script runs."""
    return code_hash(SCRIPTS / f"{script}.py")


def files_of(wildcards):
    """Return the file of a cohort, which a rule makes."""
    return {"cohort": DATASETS[wildcards.dataset].samples}


def memory_to_read(wildcards, attempt):
    """Return the megabytes that reading a cohort's file needs."""
    return attempt * reading(map(Path, DATASETS[wildcards.dataset].files))


def contents_of(wildcards):
    """Return nothing: no cohort of the study is a file of the user's own."""
    return {}


def section(name):
    """Return a function that gives a section of the settings for a rule's params."""

    def find(wildcards):
        if name == "evaluation":
            return COHORTS[wildcards.dataset].evaluation.model_dump(mode="json")
        known = PRETRAININGS.get(wildcards.get("pretraining"), {})
        if name in known:
            return known[name]
        if name == "graph":
            return GRAPHS[wildcards.graph]
        variant = STUDY.variants.get(wildcards.get("variant"))
        settings = SETTINGS if variant is None else variant.settings
        return getattr(settings, name).model_dump(mode="json")

    return find


def sections(*names):
    """Return a function that gives several sections of the settings for a rule's params."""
    finds = {name: section(name) for name in names}
    return lambda wildcards: {name: find(wildcards) for name, find in finds.items()}


def networks_of(wildcards):
    """Return the fused networks where a variant or a pretraining passes messages on them."""
    users = {
        each.pretraining_key: each
        for each in STUDY.variants.values()
        if each.pretrained
    }
    user = STUDY.variants.get(wildcards.get("variant")) or users.get(
        wildcards.get("pretraining")
    )
    if user is None or not user.graph:
        return []
    return f"results/{{dataset}}/graphs/{user.graph_key}/networks.parquet"


def bases_of(wildcards):
    """Return the regressions of single modalities, for what rests on them."""
    variant = STUDY.variants.get(wildcards.get("variant"))
    settings = SETTINGS if variant is None else variant.settings
    return bases(wildcards.method, settings.model)


def guidance_of(wildcards):
    """Return what a variant takes besides the cohort: only `balanced` is guided."""
    if wildcards.method != "balanced":
        return {}
    variant = STUDY.variants[wildcards.variant]
    files = {"information": "results/{dataset}/information.safetensors"}
    if variant.pretrained:
        folder = f"results/{{dataset}}/pretraining/{variant.pretraining_key}"
        files["pretrained"] = f"{folder}/parameters.safetensors"
        files["pretraining"] = f"{folder}/status.json"
    return files


def outcomes_of(wildcards):
    """Return the predictions and the status of every variant on a cohort."""
    folder = f"results/{wildcards.dataset}"
    folders = STUDY.outcomes(folder, COHORTS[wildcards.dataset].name).values()
    files = ("predictions.parquet", "status.json")
    return [f"{each}/{file}" for each in folders for file in files]


wildcard_constraints:
    dataset=any_of(COHORTS),
    variant=any_of(STUDY.variants),
    pretraining=any_of(PRETRAININGS),
    graph=any_of(GRAPHS),
