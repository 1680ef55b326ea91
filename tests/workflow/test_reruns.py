"""What a change of the user's files, of the configuration and of names brings about."""

import json
import os
import re
import shutil

import pytest

pytestmark = pytest.mark.workflow
COHORT = ("results/mine/cohort.h5mu",)
HOSTILE = [
    "run{1}",
    "{dataset}",
    "{wildcards.dataset}",
    "{{x}}",
    "a{b,c{1,2}}",
    "two words",
    "100 %s %",
    "a*b?[c]",
    'it\'s "quoted"',
    "#1 & co; $HOME `x`",
    "back\\slash",
    "größe-ü",
    "..dots.",
]


def nothing(checkout):
    return "Nothing to be done" in checkout.snakemake(*COHORT, "-n").text


def test_contents_decide_and_times_do_not(own):
    data = own.folder / "data"
    for file in data.iterdir():
        os.utime(file, (10**9, 10**9))
    own.snakemake(*COHORT)
    assert nothing(own)
    for file in data.iterdir():
        os.utime(file)
    assert nothing(own)
    labels = data / "labels.csv"
    before = labels.read_text(encoding="utf-8")
    corrected = data / "corrected.csv"
    corrected.write_text(before.replace("s00,a", "s00,b"), encoding="utf-8")
    os.utime(corrected, (5 * 10**8, 5 * 10**8))
    shutil.copy2(corrected, labels)
    assert not nothing(own)
    labels.write_text(before, encoding="utf-8")
    assert nothing(own)
    own.folder = own.folder.rename(own.folder.with_name("moved"))
    assert nothing(own)


def test_a_file_dated_in_the_future_fails_no_job(own):
    os.utime(own.folder / "data" / "rna.csv", (4 * 10**9, 4 * 10**9))
    own.snakemake(*COHORT)


def test_hostile_names_of_folders_are_names(own):
    text = (own.folder / "test.yaml").read_text(encoding="utf-8")
    head, _, rest = text.partition("evaluation:")
    dataset = head.split("mine:\n")[1]
    names = {f"d{i}": name for i, name in enumerate(HOSTILE)}
    text = "datasets:\n"
    for key, name in names.items():
        shutil.copytree(own.folder / "data", own.folder / name)
        quoted = "'" + name.replace("'", "''") + "/"
        text += f"  {key}:\n" + dataset.replace("data/", quoted).replace(".csv", ".csv'")
    (own.folder / "test.yaml").write_text(f"{text}evaluation:{rest}", encoding="utf-8")
    planned = own.snakemake("-n", "--quiet", "rules").text
    assert "Error" not in planned
    chosen = [f"results/d{i}/cohort.h5mu" for i in (1, 4, 8)]
    own.snakemake(*chosen)
    assert all((own.folder / path).is_file() for path in chosen)
    assert "Nothing to be done" in own.snakemake(*chosen, "-n").text


def test_a_key_given_twice_is_refused_before_any_job(own):
    path = own.folder / "test.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "evaluation: {repeats: 1, folds: 3}\n", encoding="utf-8")
    done = own.snakemake("-n", check=False)
    assert done.returncode != 0
    assert "test.yaml: evaluation" in done.text
    assert "given 2 times, in lines 9, 16" in done.text
    assert "Traceback" not in done.text


def test_why_a_job_failed_is_the_last_thing_said(own):
    script = own.folder / "workflow" / "scripts" / "split_cohort.py"
    text = script.read_text(encoding="utf-8")
    dies = "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    head, middle, rest = text.partition("    cohort = ")
    script.write_text(head + dies + middle + rest, encoding="utf-8")
    done = own.snakemake("results/mine/splits.parquet", check=False)
    said = done.text.partition("Failed jobs:")[2]
    assert "1. split_cohort (results/mine/logs/split_cohort.log)" in said
    assert "without a word" in said
    assert "--set-resources split_cohort:mem_mb=" in said


def test_quiet_is_quiet(own):
    folder = own.folder / "results" / "mine"
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    said = {"question": "Does combining help?", "sentence": "Undecided.", "value": "+0.1"}
    (folder / "view.json").write_text(json.dumps({"conclusions": [said]}), encoding="utf-8")
    loud = own.snakemake("results/mine/samples.json")
    assert "Undecided. [+0.1]" in loud.stdout
    assert re.search(r"^mine: \d+ samples by subtype \(", loud.stderr, re.MULTILINE)
    silent = own.snakemake("results/mine/splits.parquet", "--quiet")
    assert not silent.stdout.strip()
    assert "samples by" not in silent.stderr
