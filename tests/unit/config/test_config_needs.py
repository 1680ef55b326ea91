"""Jobs ask for what they need: never less than was measured, and at most about twice as much."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from balmi.config.needs import (
    FINAL_NETWORKS,
    MEGABYTE,
    NEEDS,
    Size,
    growing,
    needs,
    reading,
)
from balmi.config.settings import Settings

# Peaks by job and size, of 20,000 genes and 200 proteins in 5 folds (`make benchmark-scale`) and,
# as 671, of TCGA-BRCA in 25.
MEASURED = pd.read_csv(Path(__file__).with_name("needs.csv"))
# What `Size` reads from the files of those runs.
KEPT, LARGEST = 1200, Settings().information.largest
SIZES = {
    671: Size(671, 1260, 1260, 2.5, 671, 125),
    500: Size(500, 20_200, KEPT, 7.1, 500, 25),
    1000: Size(1000, 20_200, KEPT, 12.0, 1000, 25),
    2000: Size(2000, 20_200, KEPT, 21.5, 2000, 25),
    5000: Size(5000, 20_200, KEPT, 50.5, 5000, 20),
    20_000: Size(20_000, 20_200, KEPT, 196.3, LARGEST, 10),
    100_000: Size(100_000, 20_200, KEPT, 974.5, LARGEST, 10),
}
# Jobs of which one formula serves several methods or controls: the largest of them.
ROWS = MEASURED.groupby(["rule", "samples"], as_index=False)["peak_mb"].max()


def write(folder, samples=100, features=(50, 3000)):
    about = {
        "samples": [str(place) for place in range(samples)],
        "modalities": [{"features": count} for count in features],
    }
    (folder / "samples.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "cohort.h5mu").write_bytes(bytes(3 * MEGABYTE))


def test_resources_grow_with_the_attempt():
    assert [growing(4000)(None, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]


@pytest.mark.parametrize(
    "row", list(ROWS.itertuples()), ids=lambda row: f"{row.rule}-{row.samples}"
)
def test_within_twice_of_what_was_measured(row):
    asked = NEEDS[row.rule].megabytes(SIZES[row.samples])
    assert row.peak_mb <= asked <= 2 * row.peak_mb


# Peaks of 500 samples of 1,000 genes and as many probes (`make benchmark-scale`).
WIDE = {
    2000: Size(500, 3000, 2000, 6.4, 500, 25),
    100_000: Size(500, 101_000, 2000, 211.2, 500, 25),
}
OF_WIDE = {
    "assess_trust": (311, 1153),
    "attribute_features": (791, 772),
    "fit_baseline": (283, 280),
    "fit_bases": (284, 285),
    "fit_final_model": (507, 1363),
    "fit_pools": (438, 438),
    "fit_preprocessing": (293, 1077),
    "measure_information": (545, 1402),
    "measure_splits": (330, 1300),
    "observe_gains": (424, 437),
    "pretrain_distillation": (562, 587),
    "probe_method": (677, 685),
    "run_control": (680, 1488),
    "train_network": (590, 601),
    "train_share": (636, 1385),
}


@pytest.mark.parametrize("rule", OF_WIDE)
def test_of_many_features_within_twice_of_what_was_measured(rule):
    for size, peak in zip(WIDE.values(), OF_WIDE[rule], strict=True):
        assert peak <= NEEDS[rule].megabytes(size) <= 2 * peak


def test_three_sizes_at_least_were_measured_of_every_job():
    unmeasured = {"fuse_networks"}  # runs where model.graph_weight is above 0 alone
    assert set(ROWS["rule"]) == set(NEEDS) - unmeasured
    assert (ROWS.groupby("rule").size() >= 3).all()


def test_the_size_is_that_of_the_files(tmp_path):
    write(tmp_path)
    settings = Settings(preprocessing={"max_features": 1000}, evaluation={"folds": 4, "repeats": 3})
    assert Size.of(tmp_path, settings) == Size(
        samples=100, features=3050, kept=1050, cohort_mb=3, studied=100, networks=4 * 3 * 5
    )
    fewer = settings.model_copy(
        update={"training": settings.training.model_copy(update={"replicas": 7})}
    )
    assert Size.of(tmp_path, fewer).networks == 7


def test_a_rule_asks_by_the_files_and_more_at_every_attempt(tmp_path):
    settings = Settings()
    asked = needs("train_network", settings)
    inputs = {"samples": str(tmp_path / "samples.json")}
    with pytest.raises(FileNotFoundError) as caught:  # by which Snakemake knows that it is early
        asked["mem_mb"](None, inputs, 1)
    assert caught.value.filename == inputs["samples"]
    write(tmp_path)
    need, size = NEEDS["train_network"], Size.of(tmp_path, settings)
    for attempt in (1, 2, 3):
        assert asked["mem_mb"](None, inputs, attempt) == attempt * need.megabytes(size)
        assert asked["runtime"](None, inputs, attempt) == attempt * need.minutes
    by_cohort = needs("train_share", settings)["mem_mb"]
    assert by_cohort(None, {"cohort": str(tmp_path / "cohort.h5mu")}, 1) > 0


def test_time_grows_with_the_features_that_are_kept():
    small, large = (Size(samples, 1000, 1000, 1, 100, 1) for samples in (10_000, 100_000))
    assert [NEEDS["fit_bases"].time(size) for size in (small, large)] == [60, 240]


def test_reading_takes_memory_by_the_files_and_more_where_they_are_compressed(tmp_path):
    for name, size in (("a.csv", 10), ("b.csv.gz", 2)):
        (tmp_path / name).write_bytes(bytes(size * MEGABYTE))
    files = [tmp_path / name for name in ("a.csv", "b.csv.gz", "missing.csv")]
    assert reading(files) == 400 + 3 * (10 + 5 * 2)


def test_every_rule_that_asks_is_known_and_named_by_itself():
    rules = Path(__file__).parents[3] / "workflow" / "rules"
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(rules.glob("*.smk")))
    parts = {part.split(":", 1)[0]: part for part in re.split(r"\n *rule ", text)[1:]}
    asking = {name: part for name, part in parts.items() if "**needs(" in part}
    assert set(asking) == set(NEEDS)
    assert all(f'**needs("{name}", SETTINGS)' in part for name, part in asking.items())


# Peaks of the job's function (MB) where its method is one of networks, by the cohort: simulated
# cells of 20,000 genes, and simulated cohorts of four modalities with 40 and 420 features each.
FINAL = [
    (Size(200, 160, 160, 0.28, 200, 125), {"balanced": 482, "ensemble": 465, "concat-mlp": 451}),
    (Size(671, 1680, 1680, 4.74, 671, 125), {"balanced": 630, "ensemble": 591, "concat-mlp": 574}),
    (
        Size(200, 20_200, 2200, 4.12, 200, 125),
        {"balanced": 700, "ensemble": 683, "concat-mlp": 675},
    ),
    (
        Size(1000, 20_200, 2200, 11.99, 1000, 125),
        {"balanced": 1049, "ensemble": 999, "concat-mlp": 1005},
    ),
    (Size(2000, 20_200, 2200, 21.5, 2000, 125), {"balanced": 1198, "concat-mlp": 1187}),
    (
        Size(5000, 20_200, 2200, 50.5, 5000, 20),
        {"balanced": 1382, "ensemble": 1266, "concat-mlp": 1274},
    ),
]


@pytest.mark.parametrize(
    ("size", "peaks"), FINAL, ids=lambda each: str(getattr(each, "samples", ""))
)
def test_final_models_of_networks_within_twice_of_what_was_measured(size, peaks):
    asked = FINAL_NETWORKS.megabytes(size)
    assert max(peaks.values()) <= asked <= 2 * min(peaks.values())


def test_a_final_model_asks_by_its_method(tmp_path):
    write(tmp_path)
    inputs = {"cohort": str(tmp_path / "cohort.h5mu")}

    def asked(method):
        settings = Settings(methods=[method], final={"method": method})
        return needs("fit_final_model", settings)["mem_mb"](None, inputs, 2)

    size = Size.of(tmp_path, Settings())
    assert asked("balanced") == 2 * FINAL_NETWORKS.megabytes(size)
    assert asked("pooled") == 2 * NEEDS["fit_final_model"].megabytes(size)
