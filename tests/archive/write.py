"""Run balmi on a small cohort and keep what it made, in a file of the version's name."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from shutil import copytree

from helpers.own_cohort import write_cohort

import balmi

ROOT = Path(__file__).parents[2]
# Long tables and pages stay behind: the archive is read by a test, and weighs on every clone.
KEPT = ("cohort.h5mu", "splits.parquet", "predictions.parquet", "preprocessing.safetensors")
LARGEST = 15_000
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
    """Write the archive of this version."""
    kept = Path(__file__).with_name(f"{balmi.__version__}.zip")
    if kept.exists():
        sys.exit(f"{kept} is there already, and what was released is never changed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("workflow", "envs"):
            copytree(ROOT / part, folder / part)
        write_cohort(folder / "data")
        (folder / "config.yaml").write_text(CONFIG.lstrip(), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config.yaml"]
        subprocess.run(command, cwd=folder, check=True)
        made = folder / "results" / "mine"
        tables = (file for file in made.glob("tables/*") if file.stat().st_size <= LARGEST)
        files = [folder / "config.yaml", *folder.glob("data/*"), *map(made.joinpath, KEPT), *tables]
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(files):
                archive.write(file, file.relative_to(folder))


if __name__ == "__main__":
    main()
