"""Run balmi on a small cohort and keep what it made, below the version's name."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.own_cohort import write_cohort

import balmi

ROOT = Path(__file__).parents[2]
# Long ones and pages stay behind: the archive is read by a test, and weighs on every clone.
KEPT = ("cohort.h5mu", "splits.parquet", "predictions.parquet", "preprocessing.safetensors")
LARGEST = 60_000
CONFIG = """
datasets:
  mine:
    samples: data/labels.csv
    label: subtype
    modalities:
      rna: {path: data/rna.csv, kind: rna-log}
      protein: {path: data/protein.csv, kind: protein}
seed: 3
evaluation: {repeats: 2, folds: 3}
methods: [balanced, stacked-lr, unimodal-lr, concat-lr]
training: {members: 2, epochs: 8}
information: {permutations: 19}
robustness: {shares: [0.5]}
advanced: {information: {fold_permutations: 19, folds: 3}}
"""


def main() -> None:
    """Write the folder of the version."""
    kept = Path(__file__).with_name(balmi.__version__)
    if kept.exists():
        sys.exit(f"{kept} is there already, and what was released is never changed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "workflow", folder / "workflow")
        write_cohort(folder / "data")
        (folder / "config.yaml").write_text(CONFIG.lstrip(), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config.yaml"]
        subprocess.run(command, cwd=folder, check=True)
        made = folder / "results" / "mine"
        files = [made / name for name in KEPT]
        files += [file for file in (made / "tables").iterdir() if file.stat().st_size <= LARGEST]
        shutil.copytree(folder / "data", kept / "data")
        shutil.copy(folder / "config.yaml", kept)
        for file in files:
            place = kept / "results" / file.relative_to(made)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)


if __name__ == "__main__":
    main()
