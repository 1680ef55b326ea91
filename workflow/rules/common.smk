"""Settings, checks before any job, and what several rules need."""

import os
import re
import sys
from pathlib import Path

from snakemake.io import local
from snakemake.logging import logger
from snakemake.settings.types import Quietness

# Snakemake fetches a hosted workflow file by file, as far as it is asked for one.
if not isinstance(workflow.current_basedir, os.PathLike):
    listed = Path(workflow.source_path("../balmi/files.txt")).read_text("utf-8")
    fetched = [workflow.source_path(f"../balmi/{name}") for name in listed.split()]
    # The list begins with the package's __init__.py.
    sys.path.insert(0, str(Path(fetched[0]).parents[1]))

from balmi.config.catalogue import catalogue, resolve, simulation_of, source
from balmi.config.fingerprint import code_hash
from balmi.config.load import load_settings
from balmi.config.methods import GAINS, NETWORKS, PRETRAINING, SHARING, depends
from balmi.config.methods import METHODS as REGISTRY
from balmi.config.needs import growing, needs, reading
from balmi.data.checks import check_datasets
from balmi.data.contents import content
from balmi.data.newcomers import check_predictions
from balmi.endings import Failures, what_was_found
from balmi.errors import UserError
from balmi.faults import fault
from balmi.place import gpu_problem, jobs_problem, slurm_keeps_accounts
from balmi.tables.contract import SHOWN, TABLES, columns_of, tables_of
from balmi.undrawn import undrawn_since, what_is_undrawn

# Idle OpenMP threads busy-wait; a job that wants more threads says so by `threads`.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

CHECKED = Path(".snakemake/balmi/checked")  # marks of what was read already


def made(path):
    """Return whether rules make a file, be it these or those of a workflow around them."""
    return any(file.match(path) for rule in workflow.rules for file in rule.output)


# A module's prefix, while the module is read.
placed = workflow.modifier.modify_path


def dataset_of_model(path):
    """Return the dataset of this configuration whose model lies at a path, or None.

    As of every file that a user names, the path is where the file lies: below a module's prefix.
    """
    path = os.path.normpath(path)
    places = {
        os.path.normpath(placed(f"results/{name}/{kind}")): name
        for name in SETTINGS.datasets
        for kind in ("model", "model.zip")
    }
    return places.get(path) if SETTINGS.final.method else None


try:
    SETTINGS = load_settings(config, workflow.configfiles)
    if workflow.is_main_process:
        # A workflow around this one may have rules that are yet to make a dataset's files.
        here = {
            name: dataset
            for name, dataset in SETTINGS.datasets.items()
            if dataset.catalogue or not any(map(made, dataset.files))
        }
        for warning in check_datasets(here, SETTINGS.evaluation, CHECKED):
            print(f"warning: {warning}", file=sys.stderr)
        for warning in check_predictions(SETTINGS.predict, dataset_of_model):
            print(f"warning: {warning}", file=sys.stderr)
except UserError as error:
    # The message alone: a WorkflowError would bring lines of the Snakefile.
    sys.exit(str(error))
except Exception as error:
    reason = fault(error)
    if reason is None:
        raise
    sys.exit(reason)

FAILURES = Failures()
if workflow.is_main_process:
    logger.addHandler(FAILURES)

DATASETS = {name: resolve(name, dataset) for name, dataset in SETTINGS.datasets.items()}
# What who has which modality tells alone is always told.
METHODS = list(dict.fromkeys([*map(str, SETTINGS.methods), "absence-lr"]))
NETWORK_METHODS = [method.value for method in SETTINGS.methods if method in NETWORKS]
PRETRAINED = "balanced" in NETWORK_METHODS and SETTINGS.distillation.pretraining
OF_PRETRAINING = {"plan", "complementarity"}
PROBED = [name for name in METHODS if name in map(str, SETTINGS.robustness.methods)]
PROBED_NETWORKS = [name for name in PROBED if name in NETWORK_METHODS]
POOLS = [name for name in map(str, SHARING) if name in METHODS]
PROBED_POOLS = [name for name in POOLS if name in PROBED]
PEERS = [name for name in METHODS if name not in [*NETWORK_METHODS, *POOLS]]
PROBED_PEERS = [name for name in PEERS if name in PROBED]
UNPROBED_PEERS = [name for name in PEERS if name not in PROBED]
SHARES = list(dict.fromkeys(f"{share:g}" for share in SETTINGS.robustness.shares))
CONTROLS = ["labels", "leak"] if SETTINGS.robustness.controls else []
MODELS = [
    f"results/{name}/model.zip" for name in SETTINGS.datasets if SETTINGS.final.method
]
PREDICTIONS = [
    f"results/{name}/{file}"
    for name in SETTINGS.predict
    for file in ("predictions.csv", "report.html")
]


def look_ahead():
    """End a run that is not what was asked for, and ask SLURM what it can answer."""
    executor, settings = workflow.executor_plugin.name, workflow.executor_settings
    problem = jobs_problem(
        executor, sys.argv[1:], workflow.resource_settings.cores or 0
    )
    if problem:
        sys.exit(problem)
    own_environments = workflow.deployment_settings.deployment_method
    asked = any(job.resources.get("gpu") for job in workflow.dag.needrun_jobs())
    problem = gpu_problem(executor) if asked and not own_environments else None
    if problem:
        sys.exit(problem)
    # The executor would ask sacct for the state of its jobs, and wait for an answer for ever.
    sacct = executor == "slurm" and settings.status_command == "sacct"
    if sacct and not slurm_keeps_accounts():
        settings.status_command = "squeue"
        logger.info(
            "SLURM keeps no accounts here, so squeue is asked for the state of jobs: put"
            " `slurm-status-command: squeue` into the profile"
        )


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
    return code_hash(Path(workflow.source_path(f"../scripts/{script}.py")))


def drawing_log(dataset):
    """Return the log of the job that draws."""
    return f"results/{dataset}/logs/build_report.log"


def undrawn():
    """Return what makes a job run again that could not draw, for its params."""
    return lambda wildcards: undrawn_since(placed(drawing_log(wildcards.dataset)))


def section(name):
    """Return what results depend on in a section of the settings, for a rule's params."""
    return getattr(SETTINGS, name).deciding()


def probing(methods):
    """Return what probes of some methods depend on in the settings; of none, nothing."""
    chosen = section("robustness")
    return {key: chosen[key] for key in ("noise", "seed")} if methods else {}


def untracked(value):
    """Return a value for a rule's params that reruns nothing when it changes.

    Snakemake hands over what is computed from `threads`, and does not compare it.
    """
    return lambda wildcards, threads: value


def files_of(wildcards):
    """Return the files of a dataset that rules make.

    The user's own are no business of Snakemake's: it would compare their times where their contents
    decide (`contents_of`), put a module's prefix before them, and take braces for wildcards.
    """
    dataset = DATASETS[wildcards.dataset]
    if source(SETTINGS.datasets[wildcards.dataset]) != "files":
        return {"cohort": dataset.samples}
    return {"tables": [local(path) for path in dataset.files if made(path)]}


def contents_of(wildcards):
    """Return what the user's own files hold, by path; nothing of files that rules make."""
    if source(SETTINGS.datasets[wildcards.dataset]) != "files":
        return {}
    paths = [path for path in DATASETS[wildcards.dataset].files if not made(path)]
    return {path: content(path, CHECKED / "contents") for path in paths}


def memory_to_read(wildcards, attempt):
    """Return the megabytes that reading a dataset's files needs."""
    return attempt * reading(map(Path, DATASETS[wildcards.dataset].files))


def entry_of(wildcards):
    """Return the entry of the catalogue behind a dataset."""
    return catalogue()[SETTINGS.datasets[wildcards.dataset].catalogue]


def about(wildcards, key):
    """Return what the catalogue says about a dataset; None for files of one's own."""
    dataset = SETTINGS.datasets[wildcards.dataset]
    return getattr(catalogue()[dataset.catalogue], key) if dataset.catalogue else None


def networks_of(wildcards):
    """Return the fused networks where the encoders pass messages on them."""
    network = NETWORKS.get(wildcards.get("method"), PRETRAINING)
    used = network.passes_messages(SETTINGS.model)
    return "results/{dataset}/networks.parquet" if used else []


def guidance_of(wildcards):
    """Return what a network method takes besides the cohort, where it is guided."""
    if not NETWORKS[wildcards.method].pretrained:
        return {}
    files = {"information": "results/{dataset}/information.safetensors"}
    if PRETRAINED:
        files["pretrained"] = "results/{dataset}/pretraining/parameters.safetensors"
        files["pretraining"] = "results/{dataset}/pretraining/status.json"
    return files


def bases_of(wildcards):
    """Return the regressions of single modalities, for a method that rests on them."""
    rests = REGISTRY[wildcards.method].reads_bases(SETTINGS.model)
    return {"bases": "results/{dataset}/bases.safetensors"} if rests else {}


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


def settings_of_all():
    """Return what results depend on in the settings of all datasets."""
    return {
        key: value
        for key, value in SETTINGS.deciding().items()
        if key not in ("datasets", "predict")
    }


def read_by(wildcards):
    """Return what a method depends on in the settings, by section."""
    return REGISTRY[wildcards.method].depends(SETTINGS)


def all_settings():
    """Return all settings but the datasets, for a rule's params, untracked."""
    return untracked(SETTINGS.model_dump(mode="json", exclude={"datasets", "predict"}))


def final_depends():
    """Return what the final model depends on in the settings, by section."""
    if SETTINGS.final.method is None:
        return {}
    found = REGISTRY[SETTINGS.final.method].depends(SETTINGS)
    return {
        **found,
        "final": SETTINGS.final.deciding(),
        "seed": SETTINGS.evaluation.seed,
        "most_probable": SETTINGS.primary_metric.value == "accuracy",
    }


def made_for_prediction(wildcards):
    """Return the files of the model where this run makes it."""
    path = SETTINGS.predict[wildcards.prediction].model
    dataset = dataset_of_model(path)
    if dataset is None:
        return []
    packed = f"results/{dataset}/model.zip"
    names = ("model.json", "arrays.safetensors", "evaluation.json", "SHA256SUMS")
    return [packed, *(f"results/{dataset}/model/{name}" for name in names)]


def contents_for_prediction(wildcards):
    """Return what the user's files hold that a prediction reads, the model's checksums too."""
    prediction = SETTINGS.predict[wildcards.prediction]
    model = Path(prediction.model)
    own = [] if dataset_of_model(prediction.model) else [model]
    own = [path / "SHA256SUMS" if path.is_dir() else path for path in own]
    return {
        str(path): content(path, CHECKED / "contents")
        for path in [*prediction.files, *own]
    }


def memory_to_predict(wildcards, attempt):
    """Return the megabytes that reading and predicting new samples needs."""
    return attempt * reading(map(Path, SETTINGS.predict[wildcards.prediction].files))


def trained_files(wildcards):
    """Return what a probed network method left behind."""
    folder = "results/{dataset}/methods/{method}"
    files = {
        "status": f"{folder}/status.json",
        "parameters": f"{folder}/model.safetensors",
        "experts": f"{folder}/experts.csv",
        "regressions": f"{folder}/regressions.safetensors",
    }
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
    model = {"model": "results/{dataset}/model.zip"} if SETTINGS.final.method else {}
    return {
        "roster": "results/{dataset}/samples.json",
        **{name: TABLES[name].path for name in shown_tables()},
        **model,
    }


def shown_tables():
    """Return the tables that the report of a dataset is made of."""
    return [name for name in SHOWN if PRETRAINED or name not in OF_PRETRAINING]


def predicted_by(wildcards):
    """Return the predictions that are made with the model of a dataset."""
    found = SETTINGS.predict.items()
    return [
        name
        for name, each in found
        if dataset_of_model(each.model) == wildcards.dataset
    ]


wildcard_constraints:
    dataset=any_of(SETTINGS.datasets),
    prediction=any_of(SETTINGS.predict),
