"""Each modality absent in each fold in turn: whatever runs per fold ends, up to the report."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from balmi.config.methods import NETWORKS
from balmi.config.settings import Configuration, Method
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import read_json, read_table, write_table
from balmi.data.splits import as_splits, make_splits, read_splits
from balmi.evaluation.absence import NOBODY, absence_table
from balmi.evaluation.checklist import Evidence, trust_table
from balmi.evaluation.evaluate import evaluation_tables, joined, status_table
from balmi.evaluation.statistics import split_ratio
from balmi.experiments.attribution.job import attribute_job
from balmi.experiments.controls.run import run_control
from balmi.experiments.controls.table import control_table
from balmi.experiments.gains.observe import observe_job
from balmi.experiments.gains.table import complementarity_table, margins_of
from balmi.experiments.probes.contributions import contribution_table
from balmi.experiments.probes.embedding import embedding_table
from balmi.experiments.probes.job import probe_job
from balmi.experiments.probes.peers import fit_peers_job
from balmi.experiments.robustness import robustness_table, run_status_table
from balmi.experiments.scores import all_scores
from balmi.experiments.shares.run import run_share
from balmi.graph.files import write_networks
from balmi.graph.fusion import fuse_splits
from balmi.information.files import write_split_information
from balmi.information.measure import measure_cohort
from balmi.information.splits import measure_splits
from balmi.methods.jobs import TrainingInputs, pretrain_job, train_job
from balmi.methods.outcome import Result, attempt, read_status, write_outcome
from balmi.methods.peers.bases import fit_bases, write_bases
from balmi.methods.peers.registry import PEERS
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.features import Features
from balmi.preprocess.files import write_preprocessing
from balmi.report.render import ReportInputs, build_report

pytestmark = pytest.mark.usefixtures("few_trees")

MODALITIES = ("rna", "protein")
FOLDS = 3
NAME = "made"
SECTIONS = ("preprocessing", "information", "graph", "model", "training", "distillation")
PROBED = (Method.BALANCED, Method.STACKED_LR)
# The forest sees the table that other concatenating peers see, and takes as long as all of them.
PEERS_SWEPT = [method for method in PEERS if method is not Method.CONCAT_FOREST]
PEERS_SHOWN = (Method.STACKED_LR, Method.UNIMODAL_LR, Method.CONCAT_FOREST)
DATASET = {
    "samples": "samples.csv",
    "label": "subtype",
    "modalities": {name: {"path": f"{name}.csv", "kind": "generic"} for name in MODALITIES},
}
SETTINGS = Configuration(
    datasets={NAME: DATASET},
    evaluation={"repeats": 1, "folds": FOLDS},
    preprocessing={"max_features": 3},
    information={"folds": 2, "permutations": 19, "fold_permutations": 19},
    graph={"neighbours": 5, "kept": 3, "iterations": 1},
    model={"hidden": 4},
    training={"epochs": 1, "members": 2, "learning_rate": 0.02},
    robustness={"noise": [1], "shares": [0.5]},
    attribution={"steps": 8, "features": 2},
)


@dataclass(frozen=True)
class Workflow:
    """The jobs of the workflow, one after the other in this process."""

    folder: Path
    settings: Configuration = SETTINGS

    def file(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def table(self, name):
        return read_table(self.file(f"tables/{name}.csv"))

    def inputs(self, *, information=True, graph=False, bases=False):
        return TrainingInputs(
            samples=self.file("samples.json"),
            splits=self.file("splits.parquet"),
            preprocessing=self.file("preprocessing.safetensors"),
            settings=self.settings,
            networks=self.file("networks.parquet") if graph else None,
            information=self.file("information.safetensors") if information else None,
            bases=self.file("bases.safetensors") if bases else None,
        )

    def features(self, cohort):
        return Features(cohort, self.settings.preprocessing.max_features)

    def measure(self, cohort, splits):
        features = self.features(cohort)
        write_preprocessing(features, splits, cohort, self.file("preprocessing.safetensors"))
        bases = fit_bases(cohort, features, splits)
        write_bases(bases, splits, cohort, self.file("bases.safetensors"))
        information = measure_splits(cohort, features, splits, self.settings.information)
        write_split_information(information, self.file("information.safetensors"))
        networks = fuse_splits(features, splits, self.settings.graph)
        write_networks(networks, splits, cohort, self.file("networks.parquet"))

    def fit(self, cohort, splits, methods):
        features = self.features(cohort)
        for method in methods:
            fit = partial(fit_baseline, method, cohort, features, splits)
            found = attempt(method, fit, Result.none(cohort.classes))
            folder = f"methods/{method}"
            predictions = self.file(f"{folder}/predictions.parquet")
            write_outcome(*found, predictions, self.file(f"{folder}/status.json"))

    def train(self):
        names = "parameters.safetensors", "training.parquet", "plan.csv", "status.json"
        before = [self.file(f"pretraining/{name}") for name in names]
        pretrain_job(self.inputs(), *before)
        gains = self.file("pretraining/gains.parquet"), self.file("pretraining/gains.json")
        observe_job(self.inputs(information=False), *gains)
        names = "predictions.parquet", "training.parquet", "experts.csv", "status.json"
        names += "model.safetensors", "regressions.safetensors"
        for method in NETWORKS:
            guided = method is Method.BALANCED
            files = [self.file(f"methods/{method}/{name}") for name in names]
            start = (before[0], before[3]) if guided else (None, None)
            inputs = self.inputs(information=guided, bases=guided)
            train_job(method, inputs, *start, *files)

    def probe(self):
        for method in PROBED:
            folder, worse = f"methods/{method}", self.worse(f"probes-{method}")
            files = {"samples": "samples.json", "splits": "splits.parquet"}
            files["preprocessing"] = "preprocessing.safetensors"
            files["bases"] = "bases.safetensors"
            inputs = {name: self.file(file) for name, file in files.items()}
            if method not in NETWORKS:
                own = [self.file(f"{folder}/{name}") for name in ("again.parquet", "again.json")]
                kinds = ("predictions", "status", "probes", "probes_status")
                outputs = {kind: [file] for kind, file in zip(kinds, (*own, *worse), strict=True)}
                fit_peers_job([method], [method], self.settings.robustness, inputs, outputs)
                continue
            files = {"status": "status.json", "parameters": "model.safetensors"}
            files |= {"experts": "experts.csv", "regressions": "regressions.safetensors"}
            inputs |= {name: self.file(f"{folder}/{file}") for name, file in files.items()}
            inputs["information"] = self.file("information.safetensors")
            probe_job(method, self.settings, inputs, *worse)

    def compare(self, cohort, splits):
        share = run_share(0.5, PROBED, cohort, self.settings)
        share.write("share", 0.5, *self.worse("share-0.5"))
        for name in ("labels", "leak"):
            control = run_control(name, PROBED, cohort, splits, self.settings)
            control.write(name, None, *self.worse(f"control-{name}"))

    def worse(self, name):
        return self.file(f"robustness/{name}.parquet"), self.file(f"robustness/{name}.json")

    def evaluate(self, cohort, splits):
        methods = [*NETWORKS, *PEERS_SHOWN]
        predictions = joined(
            [self.file(f"methods/{name}/predictions.parquet") for name in methods], "predictions"
        )
        write_table(predictions, self.file("predictions.parquet"))
        dealt = read_table(self.file("splits.parquet"))
        ratio = split_ratio(dealt)
        probes = joined([self.worse(f"probes-{name}")[0] for name in PROBED], "probes")
        shares = {0.5: read_table(self.worse("share-0.5")[0])}
        scores = all_scores(
            cohort, predictions, probes, shares, dealt, self.settings.primary_metric
        )
        controls = [read_table(self.worse(f"control-{name}")[0]) for name in ("labels", "leak")]
        gains = read_table(self.file("pretraining/gains.parquet"))
        told = [self.worse(f"probes-{name}")[1] for name in PROBED]
        told += [self.worse(name)[1] for name in ("share-0.5", "control-labels", "control-leak")]
        tables = {
            **evaluation_tables(predictions, cohort, ratio, self.settings.primary_metric),
            "training": joined(
                [self.file(f"methods/{name}/training.parquet") for name in NETWORKS], "training"
            ),
            "experts": joined(
                [self.file(f"methods/{name}/experts.csv") for name in NETWORKS], "experts"
            ),
            "methods": status_table([self.file(f"methods/{name}/status.json") for name in methods]),
            "complementarity": complementarity_table(
                margins_of(self.table("information")), gains, ratio
            ),
            "robustness": robustness_table(scores, cohort.modalities),
            "contributions": contribution_table(
                scores, cohort.modalities, self.settings.robustness
            ),
            "embedding": embedding_table(cohort, predictions, probes),
            "controls": control_table(controls, cohort.classes, ratio),
            "robustness_status": run_status_table(told),
        }
        for name, table in tables.items():
            ending = "parquet" if name == "training" else "csv"
            write_table(table, self.file(f"tables/{name}.{ending}"))
        evidence = Evidence(
            cohort=cohort,
            splits=splits,
            predictions=predictions,
            information=self.table("information"),
            controls=self.table("controls"),
            absence=absence_table(cohort),
            features=self.features(cohort),
        )
        write_table(trust_table(evidence), self.file("tables/trust.csv"))

    def attribute(self):
        folder = self.file("methods/balanced/model.safetensors").parent
        names = "attribution.csv", "attribution_modalities.csv", "attribution_values.csv"
        attribute_job(
            self.inputs(),
            folder / "model.safetensors",
            folder / "status.json",
            *(self.file(f"tables/{name}") for name in names),
            self.file("attribution.json"),
        )

    def report(self):
        files = {path.stem: path for path in (self.folder / "tables").iterdir()}
        settings = self.settings.model_dump(mode="json", exclude={"datasets"})
        inputs = ReportInputs(
            dataset=NAME,
            settings=settings,
            dataset_settings=DATASET,
            samples=self.file("samples.json"),
            tables={
                "predictions": self.file("predictions.parquet"),
                "plan": self.file("pretraining/plan.csv"),
                **files,
            },
        )
        build_report(inputs, self.file("report.html"), self.file("view.json"))
        return self.file("report.html").read_text(encoding="utf-8")

    def run(self):
        """Run everything; return the page."""
        cohort = read_cohort(self.file("cohort.h5mu"))
        splits = read_splits(self.file("splits.parquet"), cohort)
        self.measure(cohort, splits)
        write_table(
            measure_cohort(cohort, self.features(cohort), self.settings.information),
            self.file("tables/information.csv"),
        )
        self.fit(cohort, splits, PEERS_SHOWN)
        self.train()
        self.probe()
        self.compare(cohort, splits)
        self.evaluate(cohort, splits)
        self.attribute()
        return self.report()


def _nowhere(values, rows, cohort):
    values[rows] = np.nan


def _all_but(count):
    def lose(values, rows, cohort):
        values[rows[count:]] = np.nan

    return lose


def _constant(values, rows, cohort):
    values[rows] = 1.0


def _without_a_class(values, rows, cohort):
    values[rows[cohort.labels[rows] == 0]] = np.nan


# What is done to a modality in a fold: the rows, and how their measurements change.
LACKS = {
    "test": (lambda split: split.test, _nowhere),
    "training": (lambda split: split.fit, _nowhere),
    "validation": (lambda split: split.validation, _nowhere),
    "another inner fold": (lambda split: split.fit[split.inner == split.usable[-1]], _nowhere),
    "all but one": (lambda split: split.fit, _all_but(1)),
    "all but two": (lambda split: split.fit, _all_but(2)),
    "constant": (lambda split: split.fit, _constant),
    "a class": (lambda split: split.fit, _without_a_class),
}


SWEEP = [
    pytest.param(lack, modality, (row + 2 * place) % FOLDS, id=f"{lack}: {modality}")
    for row, lack in enumerate(LACKS)
    for place, modality in enumerate(MODALITIES)
]


@pytest.fixture
def made(make_cohort, tmp_path):
    """Return the maker of a workflow: what is lacking where, and whether that fold is alone.

    The folds are the same whatever is lacking.
    """

    def make(*lacks, alone=False):
        cohort = make_cohort(np.arange(48) % 2, dict.fromkeys(MODALITIES, 3), seed=1)
        values = cohort.tables
        values["rna"][:, 0] += 2 * cohort.labels
        table = make_splits(cohort, SETTINGS.evaluation)
        splits = as_splits(table, cohort)
        for lack, modality, fold in lacks:
            rows, lose = LACKS[lack]
            lose(values[modality], rows(splits[fold]), cohort)
        if alone:
            table = table[table["fold"] == lacks[0][2]]
        write_table(table, tmp_path / "splits.parquet")
        cohort = replace(cohort, values=values)
        write_cohort(cohort, tmp_path / "cohort.h5mu", tmp_path / "samples.json")
        return Workflow(tmp_path)

    return make


@pytest.mark.parametrize(("lack", "modality", "fold"), SWEEP)
def test_whatever_runs_in_the_fold_ends(made, lack, modality, fold):
    workflow = made((lack, modality, fold), alone=True)
    cohort = read_cohort(workflow.file("cohort.h5mu"))
    splits = read_splits(workflow.file("splits.parquet"), cohort)
    workflow.measure(cohort, splits)
    workflow.fit(cohort, splits, PEERS_SWEPT)
    workflow.train()
    workflow.probe()
    workflow.attribute()
    for method in (*NETWORKS, *PEERS_SWEPT):
        status = read_status(workflow.file(f"methods/{method}/status.json"))
        if method == Method.ABSENCE_LR and cohort.available.all():
            assert (status.status, status.reason) == ("not_applicable", NOBODY)
            continue
        assert (status.method, status.status) == (method, "ok")
        predictions = read_table(workflow.file(f"methods/{method}/predictions.parquet"))
        assert np.isfinite(predictions.filter(like="p:").to_numpy()).all()
        assert set(predictions["sample"]) == set(cohort.samples[splits[0].test])
    tested = cohort.available[splits[0].test, MODALITIES.index(modality)].any()
    skipped = f"not made worse where no test sample has it: {modality} in 1 of 1 fold"
    for method in PROBED:
        probes, status = workflow.worse(f"probes-{method}")
        (ended,) = read_json(status)
        assert (ended["status"], ended["reason"]) == ("ok", None if tested else skipped)
        table = read_table(probes)
        changed = set(table.loc[table["kind"] != "subset", "modalities"])
        assert changed == {name for name in MODALITIES if tested or name != modality}


def test_the_page_counts_the_folds_and_says_what_was_skipped(made):
    workflow = made(("test", "rna", 0), ("test", "protein", 1))
    page = workflow.run()
    assert "rna in 1 of 3 folds, protein in 1 of 3 folds" in page
    assert set(workflow.table("methods")["status"]) == {"ok"}
    status = workflow.table("robustness_status")
    assert set(status["status"]) == {"ok"}
    assert status["reason"].notna().sum() == len(PROBED)
    table = workflow.table("robustness").query("metric == 'macro_f1'")
    for modality in MODALITIES:
        assert set(table[table["modality"] == modality]["folds"]) <= {1, 2}
    assert set(table[table["kind"] == "share"]["folds"]) == {3}
