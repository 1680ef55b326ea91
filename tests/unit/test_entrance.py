"""What a newcomer copies: the template of a configuration, the targets of make, the README."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from balmi.config.load import load_settings
from balmi.data.checks import check_datasets

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "config" / "my-cohort.yaml"
MAKE = shutil.which("make")
VALUES = {"rna-log": (6.0, 1.5), "methylation-beta": (0.5, 0.1), "protein": (0.0, 1.0)}


def write_files(dataset, count=120):
    """Write files as a dataset names them, relative to the working directory."""
    random = np.random.default_rng(0)
    ids = pd.Index([f"s{i:03}" for i in range(count)], name="id")
    samples = {dataset.label: np.array(["a", "b", "c"])[np.arange(count) % 3]}
    samples[dataset.group] = [f"p{i:03}" for i in range(count)]
    tables = {dataset.samples: pd.DataFrame(samples, index=ids)}
    for name, modality in dataset.modalities.items():
        values = random.normal(*VALUES[modality.kind], (count, 12)).round(4)
        columns = [f"{name}{j}" for j in range(12)]
        tables[modality.path] = pd.DataFrame(values, index=ids, columns=columns)
    for path, table in tables.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path)


def test_the_template_and_files_as_it_names_them_pass_every_check(tmp_path, monkeypatch):
    settings = load_settings(yaml.safe_load(TEMPLATE.read_text(encoding="utf-8")), [TEMPLATE])
    monkeypatch.chdir(tmp_path)
    (dataset,) = settings.datasets.values()
    write_files(dataset)
    assert check_datasets(settings.datasets, settings.evaluation) == ()
    assert len(dataset.modalities) > 1


def test_the_template_needs_no_key_beyond_the_data_and_the_gpu():
    content = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    assert set(content) == {"datasets", "resources"}


@pytest.mark.skipif(MAKE is None, reason="no make")
def test_the_targets_of_make_fit_a_screen():
    done = subprocess.run([MAKE, "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def commands():
    """Return every line of the README that is meant to be typed, with lines that go on joined."""
    blocks = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line and line[0] != "#"]


@pytest.mark.skipif(MAKE is None, reason="no make")
@pytest.mark.parametrize("command", [each for each in commands() if each.startswith("make")])
def test_a_target_that_the_readme_names_is_one(command):
    done = subprocess.run(
        ["bash", "-c", command.replace("make", "make --dry-run", 1).replace("<address>", "x")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_picture_of_the_readme_is_there_and_small():
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).stat().st_size < 150_000
