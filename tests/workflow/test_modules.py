"""The workflow inside another one: as a module, by include, from a hosting service."""

import os
import subprocess
import sys
import textwrap

import pandas as pd
import pytest
from own_cohort import OWN, write_cohort

pytestmark = pytest.mark.workflow
MODULE = """
configfile: "outer.yaml"


module balmi:
    snakefile: {snakefile}
    config: config["balmi"]
    {prefix}


use rule * from balmi as balmi_*
"""
HOSTED = 'github("lab/balmi", path="workflow/Snakefile", tag="v1")'
LOCAL = '"../checkout/workflow/Snakefile"'


@pytest.fixture
def outer(fresh, tmp_path):
    """Return a function that runs a Snakefile in a folder of its own, beside the checkout."""
    folder = tmp_path / "outer"
    write_cohort(folder / "data")
    settings = OWN.format(folder="data/")
    (folder / "own.yaml").write_text(settings, encoding="utf-8")
    inner = textwrap.indent(settings, "  ")
    (folder / "outer.yaml").write_text(f"mine: {{of: another}}\nbalmi:{inner}", encoding="utf-8")

    def run(snakefile, *arguments):
        (folder / "Snakefile").write_text(snakefile, encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        assert done.returncode == 0, text
        return text

    run.folder = folder
    return run


@pytest.fixture
def hosted(fresh, tmp_path):
    """Put a bare clone of the checkout, with a tag, where Snakemake keeps what it has cloned."""

    def git(*arguments, cwd):
        names = ("-c", "user.name=lab", "-c", "user.email=lab@localhost")
        subprocess.run(["git", *names, *arguments], cwd=cwd, check=True, capture_output=True)

    cache = tmp_path / "cache" / "snakemake" / "snakemake" / "source-cache"
    place = cache / "snakemake-git-cache" / "github.com" / "lab"
    place.mkdir(parents=True)
    git("init", ".", cwd=fresh.folder)
    git("add", "--all", cwd=fresh.folder)
    git("commit", "--message", "all", cwd=fresh.folder)
    git("tag", "v1", cwd=fresh.folder)
    git("clone", "--bare", str(fresh.folder), str(place / "balmi"), cwd=place)


def test_from_a_hosting_service_with_a_table_that_a_rule_makes_it_runs_to_the_report(outer, hosted):
    """With a prefix, too. One of the tables is made by a rule of the workflow around it."""
    page = "made/results/overview.html"  # which links to the report
    (outer.folder / "data" / "rna.csv").rename(outer.folder / "data" / "raw.csv")
    rule = 'rule make:\n    input: "data/raw.csv"\n    output: "data/rna.csv"\n'
    head = MODULE.partition("module")[0]
    rule = f'{head}{rule}    shell: "cp {{{{input}}}} {{{{output}}}}"\n\nmodule'
    module = MODULE.replace(f"{head}module", rule)
    module = module.format(snakefile=HOSTED, prefix='prefix: "made"')
    outer(module, "--", page)
    made = outer.folder / "made" / "results"
    for name in ("overview.html", "mine/report.html"):
        assert "</html>" in (made / name).read_text(encoding="utf-8")
    assert (made / "mine" / "cohort.h5mu").is_file()
    scores = pd.read_csv(made / "mine" / "tables" / "performance.csv")
    assert {"stacked-lr", "unimodal-lr/rna"} < set(scores["method"])
    log = (made / "mine" / "logs" / "assemble_cohort.log").read_text(encoding="utf-8")
    assert str(outer.folder.parent / "cache") in log.splitlines()[0]
    there = {path.name for path in outer.folder.iterdir()}
    assert there == {"made", "data", "own.yaml", "outer.yaml", "Snakefile", ".snakemake"}
    assert "Nothing to be done" in outer(module, "-n", "--", page)


def test_a_cohort_that_a_rule_fetches_lies_below_the_prefix(outer):
    text = (outer.folder / "outer.yaml").read_text(encoding="utf-8")
    simulated = "simulated: {simulate: {samples: 120, features: 4}, catalogue: simulated}"
    text = text.replace("    mine:\n", f"    {simulated}\n    mine:\n")
    (outer.folder / "outer.yaml").write_text(text, encoding="utf-8")
    module = MODULE.format(snakefile=LOCAL, prefix='prefix: "made"')
    outer(module, "--", "made/results/simulated/cohort.h5mu", "made/results/mine/cohort.h5mu")
    assert (outer.folder / "made" / "resources" / "simulated.h5mu").is_file()
    assert not (outer.folder / "results").exists()


def test_a_model_of_the_same_run_lies_below_the_prefix(outer):
    given = "{model: made/results/mine/model, modalities: {rna: {path: data/rna.csv}}}"
    path = outer.folder / "outer.yaml"
    text = path.read_text("utf-8")
    path.write_text(f"{text}  predict: {{later: {given}}}\n", encoding="utf-8")
    module = MODULE.format(snakefile=LOCAL, prefix='prefix: "made"')
    planned = outer(module, "-n", "--", "made/results/later/report.html")
    for rule in ("fit_final_model", "describe_model", "predict_samples", "build_prediction_page"):
        assert f"balmi_{rule} " in planned


def test_by_include_it_runs_where_it_is_included(outer):
    snakefile = 'configfile: "own.yaml"\n\n\ninclude: "../checkout/workflow/Snakefile"\n'
    table = "results/mine/splits.parquet"
    outer(snakefile, "--", table)
    assert (outer.folder / table).is_file()
    assert "Nothing to be done" in outer(snakefile, "-n", "--", table)
    assert "build_overview " in outer(snakefile, "-n", "--", "all")
