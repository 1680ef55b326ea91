"""Small cohorts of files: one whose methods train nothing, and files that a dataset names."""

import numpy as np
import pandas as pd

OWN = """
datasets:
  mine:
    samples: {folder}labels.csv
    label: subtype
    modalities:
      rna: {{path: {folder}rna.csv, kind: rna-log}}
      protein: {{path: {folder}protein.csv, kind: protein}}
evaluation: {{repeats: 1, folds: 2}}
methods: [stacked-lr, unimodal-lr]
robustness: {{shares: [], controls: false, methods: []}}
attribution: {{enabled: false}}
final: {{method: stacked-lr}}
information: {{permutations: 19}}
advanced: {{evaluation: {{seed: 1}}, information: {{fold_permutations: 19, folds: 3}}}}
"""


def write_cohort(folder, count=48):
    """Write a table of samples and two modalities, of which one tells the label."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    labels = np.arange(count) % 2
    rows = [f"s{i:02},{'ab'[label]}" for i, label in enumerate(labels)]
    (folder / "labels.csv").write_text("\n".join(["id,subtype", *rows, ""]), encoding="utf-8")
    for name, shift in (("rna", 1.5), ("protein", 0.0)):
        values = random.standard_normal((count, 4)) + shift * labels[:, None]
        rows = [f"s{i:02}," + ",".join(f"{x:.4f}" for x in row) for i, row in enumerate(values)]
        text = "\n".join([f"id,{','.join(f'{name}{j}' for j in range(4))}", *rows, ""])
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


# Mean and standard deviation of values that suit a kind.
VALUES = {"rna-log": (6.0, 1.5), "methylation-beta": (0.5, 0.1), "protein": (0.0, 1.0)}


def write_named_files(dataset, folder, count=120):
    """Write files as a dataset names them, with paths relative to a folder."""
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
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(file)
