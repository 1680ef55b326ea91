"""Settings, checks before any job, and what several rules need."""

import os
import re
import sys
from pathlib import Path

from balmi.config.catalogue import catalogue, resolve, simulation_of, source
from balmi.config.fingerprint import code_hash
from balmi.config.growth import growing
from balmi.config.load import load_settings
from balmi.data.checks import check_datasets
from balmi.errors import UserError

# Idle OpenMP threads busy-wait; a job that wants more threads says so by `threads`.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

try:
    SETTINGS = load_settings(config)
    if workflow.is_main_process:
        checked = Path(".snakemake/balmi/checked")
        for warning in check_datasets(SETTINGS.datasets, SETTINGS.evaluation, checked):
            print(f"warning: {warning}", file=sys.stderr)
except UserError as error:
    sys.exit(
        str(error)
    )  # the message alone: a WorkflowError would bring lines of the Snakefile

DATASETS = {name: resolve(name, dataset) for name, dataset in SETTINGS.datasets.items()}
# What who has which modality tells alone is always told.
METHODS = list(dict.fromkeys([*map(str, SETTINGS.methods), "absence-lr"]))
NETWORK_METHODS = [method.value for method in SETTINGS.methods if method.is_network]
PRETRAINED = "balanced" in NETWORK_METHODS and SETTINGS.distillation.pretraining
PEER_METHODS = [name for name in METHODS if name not in NETWORK_METHODS]
PROBED = [name for name in METHODS if name in map(str, SETTINGS.robustness.methods)]
SHARES = list(dict.fromkeys(f"{share:g}" for share in SETTINGS.robustness.shares))
CONTROLS = ["labels", "leak"] if SETTINGS.robustness.controls else []


def any_of(names):
    """Return a pattern that matches the names and nothing else."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def coming_from(kind):
    """Return a pattern of the datasets that come from files, a wheel or a simulation."""
    return any_of(
        name for name, dataset in SETTINGS.datasets.items() if source(dataset) == kind
    )


def code_of(script):
    """Return the hash of the library code that a script runs."""
    return code_hash(Path(workflow.basedir) / "scripts" / f"{script}.py")


def section(name):
    """Return one section of the settings, for a rule's params."""
    return getattr(SETTINGS, name).model_dump(mode="json")


def files_of(wildcards):
    """Return the files of a dataset, each once."""
    dataset = DATASETS[wildcards.dataset]
    paths = [dataset.samples, *(file.path for file in dataset.used.values())]
    return list(dict.fromkeys(paths))


def entry_of(wildcards):
    """Return the entry of the catalogue behind a dataset."""
    return catalogue()[SETTINGS.datasets[wildcards.dataset].catalogue]


def about(wildcards, key):
    """Return what the catalogue says about a dataset; None for files of one's own."""
    dataset = SETTINGS.datasets[wildcards.dataset]
    return getattr(catalogue()[dataset.catalogue], key) if dataset.catalogue else None


def networks_of(wildcards):
    """Return the fused networks where the encoders pass messages on them."""
    used = SETTINGS.model.graph_weight > 0 and wildcards.get("method") != "concat-mlp"
    return "results/{dataset}/networks.parquet" if used else []


def guidance_of(wildcards):
    """Return what a network method takes besides the cohort: only `balanced` is guided."""
    if wildcards.method != "balanced":
        return {}
    files = {"information": "results/{dataset}/information.safetensors"}
    if PRETRAINED:
        files["pretrained"] = "results/{dataset}/pretraining/parameters.safetensors"
        files["pretraining"] = "results/{dataset}/pretraining/status.json"
    return files


def plan_of(wildcards):
    """Return who taught whom and with what gain, where the balanced network was pretrained."""
    if not PRETRAINED:
        return {}
    return {
        "plan": "results/{dataset}/pretraining/plan.csv",
        "complementarity": "results/{dataset}/tables/complementarity.csv",
    }


def simulation(wildcards):
    """Return the settings of a simulated dataset."""
    return simulation_of(SETTINGS.datasets[wildcards.dataset]).model_dump(mode="json")


def configured(wildcards):
    """Return the settings of a dataset: its files, and what it was fetched or simulated by."""
    dataset = SETTINGS.datasets[wildcards.dataset]
    found = DATASETS[wildcards.dataset].model_dump(mode="json")
    if source(dataset) == "simulation":
        found["simulate"] = simulation(wildcards)
    return found | {"catalogue": dataset.catalogue}


def outcomes(name, methods):
    """Return the same file of several methods."""
    return [f"results/{{dataset}}/methods/{method}/{name}" for method in methods]


def histories():
    """Return the training histories of the configured network methods."""
    pretraining = ["results/{dataset}/pretraining/training.parquet"]
    files = outcomes("training.parquet", NETWORK_METHODS)
    return files + (pretraining if PRETRAINED else [])


def sections_of_methods():
    """Return the sections of the settings that methods depend on, by name."""
    names = ("preprocessing", "information", "graph", "model", "training")
    return {name: section(name) for name in (*names, "distillation")}


def trained_files(wildcards):
    """Return what a probed method left behind: the networks, where it has any."""
    folder = "results/{dataset}/methods/{method}"
    files = {"status": f"{folder}/status.json"}
    if wildcards.method in NETWORK_METHODS:
        files["parameters"] = f"{folder}/model.safetensors"
        files["experts"] = f"{folder}/experts.csv"
    if wildcards.method == "balanced":
        files["information"] = "results/{dataset}/information.safetensors"
    return files


def robustness_files(kind, names, ending="parquet"):
    """Return a file of every probe, training share or control."""
    folder = "results/{dataset}/robustness"
    return [f"{folder}/{kind}-{name}.{ending}" for name in names if PROBED]


def trained_networks(wildcards):
    """Return what `balanced` left behind, where it runs and features are attributed."""
    if not SETTINGS.attribution.enabled or "balanced" not in NETWORK_METHODS:
        return {}
    return {
        "model": "results/{dataset}/methods/balanced/model.safetensors",
        "ended": "results/{dataset}/methods/balanced/status.json",
        "information": "results/{dataset}/information.safetensors",
    }


def report_files(wildcards):
    """Return the files that the report of a dataset is made of."""
    tables = (
        "summary performance class_performance comparisons reliability curves trust information"
        " absence experts methods robustness robustness_status controls contributions embedding"
        " attribution attribution_modalities"
    ).split()
    files = {name: f"results/{{dataset}}/tables/{name}.csv" for name in tables}
    files["cohort"] = "results/{dataset}/cohort.h5mu"
    files["predictions"] = "results/{dataset}/predictions.parquet"
    files["training"] = "results/{dataset}/tables/training.parquet"
    return files | plan_of(wildcards)


wildcard_constraints:
    dataset=any_of(SETTINGS.datasets),
