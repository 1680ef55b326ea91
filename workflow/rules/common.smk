"""Settings, checks before any job, and what several rules need."""

import os
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

from balmi.again import REFUSED, UNDRAWN
from balmi.config.catalogue import resolve, source
from balmi.config.cautions import cautions
from balmi.config.fingerprint import code_hash
from balmi.config.load import load_settings
from balmi.config.methods import GAINS, METHODS, NETWORKS, PRETRAINING, depends
from balmi.config.needs import growing, needs, reading
from balmi.config.rules.depends import all_settings, of_final_model
from balmi.config.rules.depends import of_probes, of_report
from balmi.config.rules.inputs import Inputs, outcomes
from balmi.config.rules.patterns import any_of
from balmi.config.rules.predictions import Predictions
from balmi.config.rules.selection import Selection
from balmi.config.rules.sources import Sources
from balmi.data.checks import check_datasets
from balmi.data.contents import content
from balmi.data.newcomer_checks import check_predictions
from balmi.endings import Failures, what_was_found
from balmi.errors import UserError
from balmi.faults import fault
from balmi.place import gpu_problem, jobs_problem, slurm_keeps_accounts
from balmi.tables.contract import TABLES, columns_of, tables_of
from balmi.undrawn import what_is_undrawn

# Idle OpenMP threads busy-wait; a job that wants more threads says so by `threads`.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

CHECKED = Path(".snakemake/balmi/checked")  # marks of what was read already


def made(path):
    """Return whether rules make a file, be it these or those of a workflow around them."""
    return any(file.match(path) for rule in workflow.rules for file in rule.output)


# A module's prefix, while the module is read.
placed = workflow.modifier.modify_path


def tell(understood):
    """Say on the terminal what was understood of files, unless nothing is to be said."""
    quiet = set(workflow.output_settings.quiet or ())
    if not {Quietness.ALL, Quietness.PROGRESS} & quiet:
        for name, line in understood.items():
            print(f"{name}: {line}", file=sys.stderr)


def warn(found):
    """Say on the terminal what is accepted, but may mean something else than the user thinks."""
    for warning in found:
        print(f"warning: {warning}", file=sys.stderr)


try:
    SETTINGS = load_settings(config, workflow.configfiles)
    PREDICTED = Predictions(SETTINGS, placed)
    if workflow.is_main_process:
        PREDICTED.check_folders()
        # A workflow around this one may have rules that are yet to make a dataset's files.
        here = {
            name: dataset
            for name, dataset in SETTINGS.datasets.items()
            if dataset.catalogue or not any(map(made, dataset.files))
        }
        warn(cautions(SETTINGS))
        checked = check_datasets(here, SETTINGS.evaluation, CHECKED)
        tell(checked.understood)
        warn(checked.warnings)
        warn(check_predictions(SETTINGS.predict, PREDICTED.behind))
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

SOURCES, SELECTION = Sources(SETTINGS.datasets), Selection.of(SETTINGS)
INPUTS = Inputs(SETTINGS, SELECTION)
DATASETS = {name: resolve(name, dataset) for name, dataset in SETTINGS.datasets.items()}
bases_of = INPUTS.bases_of  # by a name, since the study answers it too


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


def code_of(script):
    """Return the hash of the library code that a script runs."""
    return code_hash(Path(workflow.source_path(f"../scripts/{script}.py")))


def drawing_log(dataset):
    """Return the log of the job that draws."""
    return f"results/{dataset}/logs/build_report.log"


def undrawn():
    """Return what makes a job run again that could not draw, for its params."""
    return lambda wildcards: UNDRAWN.since(placed(drawing_log(wildcards.dataset)))


def refused(rule):
    """Return what makes a job of a prediction run again that was refused or failed, for params."""
    return lambda wildcards: REFUSED.since(
        placed(f"results/{wildcards.prediction}/logs/{rule}.log")
    )


def section(name):
    """Return what results depend on in a section of the settings, for a rule's params."""
    return getattr(SETTINGS, name).deciding()


def files_of(wildcards):
    """Return the files of a dataset that rules make.

    The user's own are no business of Snakemake's: it would compare their times where their contents
    decide (`contents_of`), put a module's prefix before them, and take braces for wildcards.
    """
    dataset = DATASETS[wildcards.dataset]
    if source(SETTINGS.datasets[wildcards.dataset]) != "files":
        return {"cohort": dataset.samples}
    return {"tables": [local(path) for path in dataset.files if made(path)]}


def contents(paths):
    """Return what files of the user hold, by path."""
    return {path: content(path, CHECKED / "contents") for path in paths}


def contents_of(wildcards):
    """Return what the user's own files hold; nothing of files that rules make."""
    if source(SETTINGS.datasets[wildcards.dataset]) != "files":
        return {}
    files = DATASETS[wildcards.dataset].files
    return contents(path for path in files if not made(path))


def contents_for_prediction(wildcards):
    """Return what the user's files hold that a prediction reads."""
    return contents(PREDICTED.given(wildcards))


def memory_to_read(wildcards, attempt):
    """Return the megabytes that reading a dataset's files needs."""
    return attempt * reading(map(Path, DATASETS[wildcards.dataset].files))


def memory_to_predict(wildcards, attempt):
    """Return the megabytes that reading and predicting new samples needs."""
    return attempt * reading(map(Path, SETTINGS.predict[wildcards.prediction].files))


def read_by(wildcards):
    """Return what a method depends on in the settings, by section."""
    return METHODS[wildcards.method].depends(SETTINGS)


wildcard_constraints:
    dataset=any_of(SETTINGS.datasets),
    prediction=any_of(SETTINGS.predict),
