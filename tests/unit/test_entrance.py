"""What a newcomer copies: the template of a configuration, the targets of make, the README."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from own_cohort import write_named_files

from balmi.config.load import load_settings
from balmi.data.checks import check_datasets
from balmi.evaluation.decision import FEWEST_FOLDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "config" / "my-cohort.yaml"
MAKE = shutil.which("make")


def test_the_template_and_files_as_it_names_them_pass_every_check(tmp_path, monkeypatch):
    settings = load_settings(yaml.safe_load(TEMPLATE.read_text(encoding="utf-8")), [TEMPLATE])
    monkeypatch.chdir(tmp_path)
    (dataset,) = settings.datasets.values()
    write_named_files(dataset, tmp_path)
    assert check_datasets(settings.datasets, settings.evaluation).warnings == ()
    assert len(dataset.modalities) > 1


def test_the_template_has_the_data_and_what_is_chosen_before_any_result():
    content = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    assert list(content) == ["datasets", "primary_metric", "seed", "resources"]


@pytest.mark.skipif(MAKE is None, reason="no make")
def test_the_targets_of_make_fit_a_screen():
    done = subprocess.run([MAKE, "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_the_readme_shows_the_template_and_a_prediction():
    shown = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    template = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    first, second = (yaml.safe_load(text) for text in shown)
    assert first == template
    (prediction,) = load_settings(second).predict.values()
    assert prediction.model.startswith("results/my-cohort/")
    assert set(prediction.modalities) < set(template["datasets"]["my-cohort"]["modalities"])


def test_the_readme_is_read_in_five_minutes():
    # 220 words in a minute, blocks of commands included.
    assert 500 < len(README.split()) < 5 * 220


def test_the_picture_of_the_readme_is_there_and_small():
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).stat().st_size < 150_000


def test_the_quick_first_look_is_a_configuration_with_enough_folds():
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(evaluation:.*?)```", text, re.DOTALL)
    settings = load_settings(yaml.safe_load(f"datasets: {{simulated: }}\n{block}"))
    assert settings.evaluation.repeats * settings.evaluation.folds == FEWEST_FOLDS
