"""A site that did not measure a modality, and files that are damaged between two runs."""

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.workflow
CONFIG = """
datasets:
  sites:
    samples: labels.csv
    label: subtype
    group: site
    modalities:
      rna: {path: rna.csv, kind: rna-log}
      protein: {path: protein.csv, kind: protein}
evaluation: {scheme: leave-one-group-out}
methods: [stacked-lr, unimodal-lr]
robustness: {shares: [], controls: false, noise: [1]}
final: {method: null}
information: {permutations: 19}
advanced: {information: {fold_permutations: 19, folds: 3}}
"""


def write_sites(folder):
    """Write a cohort of four sites, of which the last did not measure protein."""
    rng = np.random.default_rng(0)
    names = pd.Index([f"s{number:03d}" for number in range(96)], name="sample")
    labels = np.arange(96) % 2
    sites = np.array(["north", "east", "south", "west"])[np.arange(96) // 24]
    samples = pd.DataFrame({"subtype": np.array(["a", "b"])[labels], "site": sites}, index=names)
    samples.to_csv(folder / "labels.csv")
    for modality in ("rna", "protein"):
        values = rng.uniform(2, 9, size=(96, 4)).round(3)
        values[:, 0] += 2 * labels
        columns = [f"{modality}{number}" for number in range(4)]
        table = pd.DataFrame(values, index=names, columns=columns)
        has = sites != "west" if modality == "protein" else slice(None)
        table[has].to_csv(folder / f"{modality}.csv")
    (folder / "test.yaml").write_text(CONFIG, encoding="utf-8")


def test_a_site_without_a_modality_and_a_damaged_file_on_the_way_to_the_page(fresh):
    write_sites(fresh.folder)
    fresh.snakemake("results/sites/report.html")
    results = fresh.folder / "results" / "sites"
    status = pd.read_csv(results / "tables" / "robustness_status.csv")
    assert set(status["status"]) == {"ok"}
    assert set(status["reason"]) == {
        "not made worse where no test sample has it: protein in 1 of 4 folds"
    }
    robustness = pd.read_csv(results / "tables" / "robustness.csv").query("metric == 'macro_f1'")
    assert robustness.groupby("modality")["folds"].unique().map(list).to_dict() == {
        "protein": [3],
        "rna": [4],
    }
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "protein in 1 of 4 folds" in page
    # The message's remedy, tried: a damaged file that is deleted is made anew.
    path = results / "tables" / "controls.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    target = "results/sites/tables/trust.csv"
    done = fresh.snakemake(target, "--forcerun", "assess_trust", check=False)
    assert done.returncode != 0
    assert "results/sites/tables/controls.csv\n" in done.text
    assert "delete it and run again" in done.text
    assert "Traceback" not in done.text
    path.unlink()
    fresh.snakemake(target)
    assert path.read_bytes() == whole
    assert (fresh.folder / target).exists()
