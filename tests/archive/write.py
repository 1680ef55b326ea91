"""Run balmi on a small cohort and keep what it made, in a file of the version's name.

With a name of one's own, below ``between``, a state between two releases is kept: a prediction of
new samples, and the tables that the last release lacks or has with other columns.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from shutil import copytree

import pandas as pd
from helpers.own_cohort import write_cohort

import balmi

ROOT = Path(__file__).parents[2]
# Long tables and pages stay behind: the archive is read by a test, and weighs on every clone.
KEPT = ("cohort.h5mu", "splits.parquet", "predictions.parquet", "preprocessing.safetensors")
PREDICTED = ("predictions.csv", "prediction.json", "view.json")
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
methods: [balanced, stacked-lr, unimodal-lr, pooled]
training: {members: 2, epochs: 8}
information: {permutations: 19}
robustness: {shares: [0.5]}
predict:
  new:
    model: results/mine/model
    modalities: {rna: {path: data/new-rna.csv}, protein: {path: data/new-protein.csv}}
    samples: data/new-labels.csv
advanced: {information: {fold_permutations: 19, folds: 3}}
"""


def write_new(folder: Path) -> None:
    """Write files of new samples: those of the cohort moved a little, some without proteins."""
    for name, count in (("labels", 12), ("rna", 12), ("protein", 9)):
        table = pd.read_csv(folder / f"{name}.csv", index_col=0).head(count)
        table.index = table.index.str.replace("s", "new")
        moved = table if name == "labels" else (table + 0.1).round(4)
        moved.to_csv(folder / f"new-{name}.csv")


def header(text: bytes) -> bytes:
    """Return the first line of a table."""
    return text.partition(b"\n")[0]


def released(table: Path) -> bytes | None:
    """Return the first line of a table as the last release wrote it, None where it did not."""
    with zipfile.ZipFile(Path(__file__).with_name(f"{balmi.__version__}.zip")) as archive:
        name = f"results/mine/tables/{table.name}"
        return header(archive.read(name)) if name in archive.namelist() else None


def main() -> None:
    """Write the archive of this version, or of a state between two."""
    between = sys.argv[1] if sys.argv[1:] else None
    folder = Path(__file__).parent
    kept = folder / "between" / f"{between}.zip" if between else folder / f"{balmi.__version__}.zip"
    kept.parent.mkdir(exist_ok=True)
    if kept.exists():
        sys.exit(f"{kept} is there already, and what was released is never changed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("workflow", "envs"):
            copytree(ROOT / part, folder / part)
        write_cohort(folder / "data")
        write_new(folder / "data")
        (folder / "config.yaml").write_text(CONFIG.lstrip(), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config.yaml"]
        subprocess.run(command, cwd=folder, check=True)
        made = folder / "results" / "mine"
        tables = (file for file in made.glob("tables/*") if file.stat().st_size <= LARGEST)
        if between:
            tables = (file for file in tables if header(file.read_bytes()) != released(file))
        files = [*tables, *map((made.parent / "new").joinpath, PREDICTED)]
        if not between:
            files += [folder / "config.yaml", *folder.glob("data/*"), *map(made.joinpath, KEPT)]
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in sorted(files):
                archive.write(file, file.relative_to(folder))


if __name__ == "__main__":
    main()
