"""Every command that the documents say to type, run in a fresh checkout as far as that is cheap.

Snakemake plans, make plans, and the installation runs with stand-ins for pip and uv; all else is
typed as it stands. A command that nobody here knows how to try is a failure.
"""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
import yaml
from own_cohort import write_named_files
from typed import DOCUMENTS, ROOT, commands

from balmi.config.load import load_settings
from balmi.data.cohort import read_cohort

pytestmark = pytest.mark.workflow

MAKE = shutil.which("make")
TEMPLATE = ROOT / "config" / "my-cohort.yaml"
# As much of conda as Snakemake asks for before it plans.
CONDA = """#!/bin/sh
case "$*" in
  "info --json") echo '{"conda_prefix": "/", "platform": "linux-64"}' ;;
  --version) echo "conda 25.7.0" ;;
  "config --get channel_priority --json") echo '{"get": {"channel_priority": "strict"}}' ;;
  *) echo "not expected: conda $*" >&2; exit 1 ;;
esac
"""
# What takes the place of pip and uv: it notes how it was called.
NOTING = '#!/bin/sh\necho "$0 $*" >> "$NOTES"\n'


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@dataclass
class Reader:
    """Someone who types what a document says, in a checkout."""

    checkout: object
    finished: object
    programs: Path  # a folder that comes first on PATH
    environments: set = field(default_factory=set)  # those of conda that were made

    def shell(self, command, folder=None, **environment):
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder or self.checkout.folder,
            env={**os.environ, "PATH": path, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def types(reader, command):
    """Type the command as it stands."""
    reader.shell(command)


def makes(reader, command):
    """Ask make what it would do."""
    if MAKE:
        planned = command.replace("make", "make --dry-run", 1).replace("<address>", "address")
        assert reader.shell(planned, folder=ROOT)


def installs(reader, command):
    """Run the installation in the checkout, where pip and uv only note what they are asked for."""
    folder = reader.checkout.folder
    notes = folder / "notes"
    for program in (folder / ".venv" / "bin" / "python", reader.programs / "uv"):
        write_program(program, NOTING)
    said = reader.shell(command.replace("<address>", "address"), NOTES=str(notes))
    assert "installed in" in said
    noted = notes.read_text(encoding="utf-8")
    notes.unlink()
    assert re.search(r" -m pip .*install .*torch==\d", noted)
    assert f"-r {folder / 'envs' / 'requirements.txt'}" in noted
    assert ("requirements-test.txt" in noted) == (command.split()[-1] == "test")
    assert ("--index-url address" in noted) == ("--index-url" in command)


def makes_environment(reader, command):
    """Look whether the environment's file is one."""
    words = shlex.split(command)
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options.keys() == {"--name", "--file"}
    content = yaml.safe_load((reader.checkout.folder / options["--file"]).read_text("utf-8"))
    assert any(str(each).startswith("snakemake-minimal") for each in content["dependencies"])
    reader.environments.add(options["--name"])


def runs_in_environment(reader, command):
    """Try what is run in an environment that was made before."""
    _, _, option, name, *inner = shlex.split(command)
    assert (option, name in reader.environments) == ("--name", True)
    type_command(reader, f".venv/bin/{shlex.join(inner)}")


def plans(reader, command):
    """Let Snakemake plan what it would run, with conda where it asks for it."""
    _, *arguments = shlex.split(command)
    own = [] if "--configfile" in arguments else ["--configfile", "config/config.yaml"]
    write_program(reader.programs / "conda", CONDA)
    path = f"{reader.programs}{os.pathsep}{os.environ['PATH']}"
    done = reader.checkout.snakemake("-n", *own, *arguments, PATH=path)
    if "--unlock" in arguments:
        return
    target = Path(arguments[-1]).suffix if "--" in arguments else ".html"
    rule = {".html": "build_report", ".h5mu": "assemble_cohort"}[target]
    assert rule in reader.checkout.rules_in(done.text)
    for environment in ("analysis", "training") if "--sdm" in arguments else ():
        assert f"envs/{environment}.yaml" in done.text


def predicts(reader, command):
    """Plan a prediction by the model of the finished run, with files as the document names them."""
    folder = reader.finished.folder
    cohort = read_cohort(folder / "results" / "simulated" / "cohort.h5mu")
    names, values = cohort.features["strong"], cohort.tables["strong"]
    pd.DataFrame(values, cohort.samples, names).to_csv(folder / "strong.csv", index_label="id")
    given = {"model": "results/simulated/model", "modalities": {"strong": {"path": "strong.csv"}}}
    path = folder / shlex.split(command)[-1]
    path.write_text(yaml.safe_dump({"predict": {"documented": given}}), encoding="utf-8")
    done = reader.finished.snakemake(*shlex.split(command)[1:], "-n")
    assert {"predict_samples", "build_prediction_page"} <= reader.finished.rules_in(done.text)


def packs(reader, command):
    """Pack a finished run into Snakemake's own report."""
    arguments = shlex.split(command.replace("my.yaml", "test.yaml"))[1:]
    reader.finished.snakemake(*arguments)
    assert (reader.finished.folder / arguments[-1]).stat().st_size > 100_000


def calls_python(reader, command):
    """Run a line of Python where the files of a reader lie."""
    reader.shell(command.replace(".venv/bin/python", shlex.quote(sys.executable), 1))


# The beginning of a command, and who tries it; the first that fits counts.
HANDLERS = {
    r"make\b": makes,
    r"(cp|printf) ": types,
    r"python3 envs/install\.py\b": installs,
    r"conda env create ": makes_environment,
    r"conda run ": runs_in_environment,
    r"\.venv/bin/python -c ": calls_python,
    r"\.venv/bin/snakemake\b.* --report ": packs,
    r"\.venv/bin/snakemake predict ": predicts,
    r"\.venv/bin/snakemake\b": plans,
}


def type_command(reader, command):
    """Try a command.

    Raises
    ------
    LookupError
        Where nobody knows how to.
    """
    for pattern, handler in HANDLERS.items():
        if re.match(pattern, command):
            return handler(reader, command)
    raise LookupError(f"no test knows how to try: {command}")


def template():
    """Return the dataset of the template."""
    content = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    (dataset,) = load_settings(content, [TEMPLATE]).datasets.values()
    return dataset


@pytest.fixture(scope="module")
def tried():
    """Return what was tried in any of the documents: planning it twice would tell nothing."""
    return set()


@pytest.fixture
def reader(fresh, finished, tmp_path):
    """Return someone with a fresh checkout, and data as the template names them."""
    write_named_files(template(), fresh.folder)
    return Reader(fresh, finished, tmp_path / "programs")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_does_what_it_says(reader, tried, document):
    if document != "README.md":  # which says how the file is made
        shutil.copy(TEMPLATE, reader.checkout.folder / "my.yaml")
    told = commands(document)
    assert told
    for command in told:
        essence = re.sub(r" (-n|--cores \S+)(?= |$)", "", command)
        if essence not in tried:
            type_command(reader, command)
        tried.add(essence)


def test_the_readme_shows_the_paths_of_laptop_conda_and_cluster():
    shown = commands("README.md")
    for command in (
        "make run",
        ".venv/bin/snakemake",
        "conda run --name balmi snakemake --sdm conda",
        ".venv/bin/snakemake --configfile my.yaml",
        ".venv/bin/snakemake --workflow-profile workflow/profiles/slurm --configfile my.yaml",
    ):
        assert command in shown


@pytest.mark.parametrize("command", ["rm -rf results", "pip install x", "snakemake", "makes"])
def test_a_command_that_nobody_can_try_is_a_failure(command):
    with pytest.raises(LookupError, match="no test knows how to try"):
        type_command(None, command)


@pytest.mark.parametrize(
    "command",
    [
        "cp config/no-such.yaml my.yaml",
        "make no-such-target",
        "python3 envs/install.py no-such-list",
        "conda env create --name balmi --file envs/no-such.yaml",
        "conda run --name never-made snakemake",
    ],
)
def test_a_command_that_cannot_work_is_found(fresh, tmp_path, command):
    with pytest.raises((AssertionError, FileNotFoundError)):
        type_command(Reader(fresh, None, tmp_path / "programs"), command)


def test_snakemake_without_arguments_asks_for_no_cores(fresh):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--", "no-such-file"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
    )
    # Without a number of cores Snakemake would end before it looks for the file.
    assert "No rule to produce no-such-file" in done.stdout + done.stderr
