"""A small synthetic cohort with tables that keep the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from evaluated import evaluated
from synthetic_robustness import robustness_tables

from balmi.config.settings import Configuration, PrimaryMetric
from balmi.data.cohort import Cohort, write_cohort
from balmi.data.files import write_table
from balmi.evaluation.decision import decide
from balmi.experiments.attribution.values import value_table
from balmi.experiments.gains.table import complementarity_table
from balmi.preprocess.features import Features
from balmi.report.render import ReportInputs
from balmi.report.sections.cohort.view import cohort_view
from balmi.report.sections.performance.view import performance_view
from balmi.report.sections.verdict.answers import Views
from balmi.report.sections.verdict.trust import trust_view
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from balmi.report.sections.information.view import InformationView

REPEATS, FOLDS = 4, 3
STRENGTHS = {
    "balanced": 2.4,
    "uniform": 2.2,
    "concat-mlp": 1.6,
    "concat-lr": 1.5,
    "stacked-lr": 2.3,
    "unimodal-lr": 1.4,
    "late-fusion": 1.9,
}
POOLS = {"pooled": 2.5, "unimodal-pooled": 1.6}
NETWORKS = ("balanced", "uniform")
CHECKS = ("leak control", "label shuffle", "rarest class", "folds", "samples per feature")
CHECKS += ("separability", "calibration", "group structure", "absence", "information", "inputs")
INFORMATION = ["quantity", "modality", "other", "estimate", "lower", "upper", "null95"]
INFORMATION += ["p_value", "n", "components", "status", "reason", "seen_from"]
COMPLEMENTARITY = ["teacher", "student", "teacher_student", "student_label", "margin", "lower"]
COMPLEMENTARITY += ["upper", "predicted", "observed_gain", "observed_lower", "observed_upper"]
TRAINING = ["method", "stage", "repeat", "fold", "member", "epoch", "modality", "weight"]
TRAINING += ["loss", "validation_loss", "macro_f1", "gradient_share"]

SCRIPT = "</script><script>alert(1)</script>"
ATTRIBUTE = '"><img src=x onerror=alert(1)>'
FORMULA = "=1+1"
UNICODE = "Ünïcode ✓"
LONG = "long " * 60
HOSTILE = (SCRIPT, ATTRIBUTE, FORMULA, UNICODE, LONG)


@dataclass(frozen=True)
class Names:
    """What a synthetic dataset is made of."""

    dataset: str = "synthetic"
    classes: tuple[str, ...] = ("Basal", "Her2", "LumA", "LumB")
    modalities: tuple[str, ...] = ("rna", "methylation", "mirna")
    feature: str = "feature"
    methods: tuple[str, ...] = tuple(STRENGTHS)
    failed: tuple[tuple[str, str, str], ...] = ()
    samples: int = 180
    epochs: int = 40
    refusal: str | None = None
    repeats: int = REPEATS
    trust: tuple[tuple[str, str], ...] = (("folds", "caution"), ("leak control", "not run"))
    own_folds: tuple[str, ...] = ()
    followed: PrimaryMetric = PrimaryMetric.MACRO_F1


def make_cohort(names: Names) -> Cohort:
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, len(names.classes) + 1)
    labels = np.sort(rng.choice(len(names.classes), names.samples, p=shares / shares.sum()))
    values = {}
    for place, name in enumerate(names.modalities):
        table = rng.normal(size=(names.samples, 4 + place))
        if place:
            table[rng.random(names.samples) < 0.1 * place] = np.nan
        values[name] = table
    return Cohort(
        samples=np.array([f"s{number:04d}" for number in range(names.samples)]),
        labels=labels,
        classes=names.classes,
        groups=None,
        values=values,
        features={
            name: tuple(f"{names.feature}-{name}-{number}" for number in range(table.shape[1]))
            for name, table in values.items()
        },
        kinds=dict.fromkeys(names.modalities, "generic"),
        provenance={
            "dataset": names.dataset,
            "label": "subtype",
            "group": None,
            "folds": list(names.own_folds),
            "dropped": {
                "samples without a label": 3,
                "labelled samples without any measurement": 0,
            },
        },
    )


def make_predictions(
    cohort: Cohort, strengths: dict[str, float], repeats: int = REPEATS
) -> pd.DataFrame:
    parts = []
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        shared = rng.gumbel(size=(len(cohort.samples), len(cohort.classes)))
        fold = rng.permutation(np.arange(len(cohort.samples)) % FOLDS)
        for method, strength in strengths.items():
            own = rng.gumbel(size=shared.shape)
            logits = (
                0.8 * shared + 0.2 * own + strength * np.eye(len(cohort.classes))[cohort.labels]
            )
            odds = np.exp(logits)
            table = pd.DataFrame({"sample": cohort.samples, "repeat": repeat, "fold": fold})
            table["method"] = method
            table["predicted"] = np.array(cohort.classes)[odds.argmax(axis=1)]
            table["prior_power"] = 0.0
            for code, name in enumerate(cohort.classes):
                table[f"p:{name}"] = odds[:, code] / odds.sum(axis=1)
            parts.append(table)
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(
            columns=[
                "sample",
                "repeat",
                "fold",
                "method",
                "predicted",
                "prior_power",
                *(f"p:{name}" for name in cohort.classes),
            ]
        )
    )


def make_trust(states: dict[str, str]) -> pd.DataFrame:
    """Return the checklist; a check that is not named passes."""
    rows = [
        (
            check,
            states.get(check, "pass"),
            None if place % 3 == 0 else f"0.{place}12",
            f"What {check} means.",
        )
        for place, check in enumerate(CHECKS)
    ]
    return pd.DataFrame(rows, columns=["check", "state", "value", "detail"])


def own_information(names: Names, modality: str) -> float:
    """Return what a modality knows of the label: the first most, the last less than nothing."""
    place = names.modalities.index(modality)
    return 0.7 / (place + 1) ** 2 - 0.1 * (place > 1)


def margin_of(names: Names, teacher: str, student: str) -> float:
    return 0.2 * (names.modalities.index(student) - names.modalities.index(teacher))


def estimate(value: float, half: float | None = None, **others: float) -> dict[str, float]:
    """Return the cells of an estimate: its interval reaches `half` to either side."""
    limits = {} if half is None else {"lower": value - half, "upper": value + half}
    return {"estimate": value, **limits, **others}


def _label_rows(names: Names, ordered: list[str]) -> Iterator[tuple]:
    yield "label_entropy", None, None, estimate(1.1, 0.0)
    coalitions = [
        members
        for size in range(1, len(ordered) + 1)
        for members in combinations(ordered, size)
        if size in (1, 2, len(ordered) - 1, len(ordered))
    ]
    for members in coalitions:
        kind = "label" if len(members) == 1 else "subset"
        value = max(own_information(names, name) for name in members) + 0.02 * (len(members) - 1)
        test = {"null95": 0.03, "p_value": 0.01 if value > 0.03 else 0.62, "components": 12}
        yield f"{kind}_information", "+".join(members), None, estimate(value, 0.09, **test)
        yield f"{kind}_extrapolated", "+".join(members), None, estimate(max(0.0, 1.05 * value))


def _pair_rows(names: Names, ordered: list[str]) -> Iterator[tuple]:
    test = {"null95": 0.05, "p_value": 0.01, "components": 12}
    for place, (first, second) in enumerate(combinations(ordered, 2)):
        most = 0.4 / (place + 1) + 0.15
        yield "label_difference", first, second, estimate(0.2, 0.1)
        yield "pairwise_information", first, second, estimate(most - 0.1, 0.1, **test)
        yield "pairwise_linear", first, second, estimate(most - 0.12, components=12)
        yield "pairwise_nonlinear", first, second, estimate(most, components=12)
        yield "pairwise_wide", first, second, estimate(most - 0.05, components=12)
        needed = {"seen_from": 20 * (place + 1)}
        yield "pairwise_composite", first, second, estimate(most, **test, **needed)
        yield "representation_information", first, second, estimate(0.3)
    for teacher, student in permutations(ordered, 2):
        known = own_information(names, student)
        yield "student_information", teacher, student, estimate(known, 0.09)
        margin = estimate(margin_of(names, teacher, student), 0.25)
        yield "complementarity_margin", teacher, student, margin


def _part_rows(names: Names, ordered: list[str]) -> Iterator[tuple]:
    sides = [((first,), (second,)) for first, second in combinations(ordered, 2)]
    if len(ordered) > 2:
        sides += [((name,), tuple(other for other in ordered if other != name)) for name in ordered]
    for first, second in sides:
        one, two = (max(own_information(names, name) for name in side) for side in (first, second))
        both = 0.8 * max(0.0, min(one, two))
        values = {
            "redundant_information": both,
            "unique_information": one - both,
            "unique_of_other": two - both,
            "synergistic_information": 0.05 if len(second) == 1 else -0.004,
        }
        for quantity, value in values.items():
            yield quantity, "+".join(first), "+".join(second), estimate(value, 0.03)


def _share_rows(names: Names, ordered: list[str]) -> Iterator[tuple]:
    if len(ordered) < 2:
        return
    values = {name: max(0.002, own_information(names, name)) for name in ordered}
    shares = {name: value / sum(values.values()) for name, value in values.items()}
    for name, value in values.items():
        yield "shapley_information", name, None, estimate(value, 0.04)
    for name, value in shares.items():
        yield "shapley_share", name, None, estimate(value, 0.03)
    entropy = -sum(share * np.log(share) for share in shares.values())
    yield "balance", None, None, estimate(entropy / np.log(len(shares)), 0.04)


def make_information(names: Names) -> pd.DataFrame:
    """Return the table of the contract; with a reason for refusal, only the label's entropy."""
    ordered = sorted(names.modalities)
    parts = (_label_rows, _pair_rows, _part_rows, _share_rows)
    rows = []
    for quantity, modality, other, cells in (row for part in parts for row in part(names, ordered)):
        head = {"quantity": quantity, "modality": modality, "other": other, "n": names.samples}
        if names.refusal and quantity != "label_entropy":
            rows.append({**head, "n": 12, "status": "not_applicable", "reason": names.refusal})
        else:
            rows.append({**head, **cells, "status": "ok"})
    return pd.DataFrame(rows, columns=INFORMATION).astype(
        {"components": "Int64", "seen_from": "Int64"}
    )


def make_complementarity(names: Names) -> pd.DataFrame:
    """Return margins beside gains: one pair is not observed, and another has the wrong sign."""
    gains = {1: 0.05, 2: -0.04, -1: 0.01, -2: -0.05}
    margins = []
    for teacher, student in permutations(sorted(names.modalities), 2):
        margin = margin_of(names, teacher, student)
        values = (0.3, own_information(names, student), margin, margin - 0.25, margin + 0.25)
        margins.append((teacher, student, *values))
    table = pd.DataFrame(margins, columns=COMPLEMENTARITY[:7])
    observed = []
    for place, row in enumerate(margins):
        if place == 0:
            continue
        step = round(row[4] / 0.2)
        for fold in range(FOLDS):
            gain = gains.get(step, 0.0) + 0.01 * (fold - 1)
            observed.append((row[0], row[1], 0, fold, 0.5 + gain, 0.5))
    columns = ["teacher", "student", "repeat", "fold", "macro_f1", "macro_f1_alone"]
    return complementarity_table(table, pd.DataFrame(observed, columns=columns), 1 / (FOLDS - 1))


def make_training(names: Names, methods: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    parts = []
    for method in methods:
        for repeat in range(REPEATS):
            for fold in range(FOLDS):
                epoch = np.arange(names.epochs - 3 * fold)
                for place, name in enumerate([*names.modalities, "joint"]):
                    rise = 1 - np.exp(-epoch / (8 + 4 * place))
                    noise = 0.02 * rng.normal(size=len(epoch))
                    table = pd.DataFrame({"epoch": epoch, "modality": name})
                    table["weight"] = 1 + 0.2 * (place - 1) * rise
                    table["loss"] = 1.2 - 0.9 * rise + noise
                    table["validation_loss"] = 1.3 - 0.6 * rise + noise
                    table["macro_f1"] = 0.3 + (0.45 - 0.06 * place) * rise + noise
                    table["gradient_share"] = np.nan if name == "joint" else 1 / (place + 2) + noise
                    replica = {"repeat": repeat, "fold": fold, "member": 0}
                    parts.append(table.assign(method=method, stage="joint", **replica))
    if not parts:
        return pd.DataFrame(columns=TRAINING)
    return pd.concat(parts, ignore_index=True)[TRAINING]


def make_experts(methods: list[str]) -> pd.DataFrame:
    """Return three experts of the own method, with weights of .5, .3 and .2 on average."""
    weights = {"linear": 0.3, "mean": 0.5, "concatenation": 0.2}
    rows = [
        ("balanced", repeat, fold, name, 1.1, weight + 0.01 * (fold - 1) * sign)
        for repeat in range(REPEATS)
        for fold in range(FOLDS)
        for (name, weight), sign in zip(weights.items(), (1, -1, 0), strict=True)
        if "balanced" in methods
    ]
    return pd.DataFrame(rows, columns=list(TABLES["experts"].names))


def make_methods(names: Names, ran: list[str]) -> pd.DataFrame:
    rows = [(name, "ok", None, "cpu", 1.5, 2.5) for name in ran]
    rows += [(name, status, reason, None, 0.0, 0.0) for name, status, reason in names.failed]
    return pd.DataFrame(rows, columns=list(TABLES["methods"].names))


def make_settings(names: Names) -> Configuration:
    file = {"path": "values.csv", "kind": "generic"}
    dataset = {"samples": "samples.csv", "label": "subtype", "modalities": {"rna": file}}
    evaluation = {"repeats": names.repeats, "folds": FOLDS}
    chosen = {"primary_metric": names.followed, "evaluation": evaluation}
    return Configuration.model_validate({"datasets": {"own": dataset}, **chosen})


@cache
def _evaluated(names: Names) -> dict[str, pd.DataFrame]:
    """Return predictions of the named methods and what is computed from them, which takes long."""
    strengths = {name: (STRENGTHS | POOLS)[name] for name in names.methods}
    if "unimodal-lr" in names.methods:
        strengths |= {
            f"unimodal-lr/{name}": 1.4 - 0.3 * place for place, name in enumerate(names.modalities)
        }
    cohort = make_cohort(names)
    predictions = make_predictions(cohort, strengths, names.repeats)
    return {"predictions": predictions, **evaluated(predictions, cohort, names.followed)}


def write_dataset(folder: Path, names: Names = Names()) -> ReportInputs:
    """Write the files of a synthetic dataset and return them as the report's inputs."""
    failed = {name for name, _, _ in names.failed}
    ran = [name for name in names.methods if name not in failed]
    cohort = make_cohort(names)
    # Datasets that differ in what no prediction depends on share their evaluation.
    alike = replace(names, methods=tuple(ran), dataset="", failed=(), epochs=0, trust=())
    tables = {
        **_evaluated(replace(alike, refusal=None)),
        "trust": make_trust(dict(names.trust)),
        "information": make_information(names),
        "training": make_training(names, [name for name in NETWORKS if name in ran]),
        "experts": make_experts(ran),
        "methods": make_methods(names, ran),
    }
    if "balanced" in ran and len(names.modalities) > 1 and not names.refusal:
        tables["complementarity"] = make_complementarity(names)
    tables |= robustness_tables(cohort, ran, names.followed)
    measured = Features(cohort, max_features=2000)
    tables["attribution_values"] = value_table(tables["attribution"], cohort, measured)
    paths = {}
    for name, table in tables.items():
        ending = "parquet" if name in ("predictions", "training") else "csv"
        paths[name] = folder / f"{name}.{ending}"
        write_table(table, paths[name])
    write_cohort(cohort, folder / "cohort.h5mu", folder / "samples.json")
    settings = make_settings(names).model_dump(mode="json")
    return ReportInputs(
        dataset=names.dataset,
        samples=folder / "samples.json",
        settings=settings,
        dataset_settings=settings["datasets"]["own"],
        versions={"balmi": "0.1.0", "python": "3.11"},
        commit="0123abc",
        tables=paths,
    )


def bare_views(information: InformationView, cohort: Cohort) -> Views:
    """Return the views of a cohort on which no method was run."""
    tables = evaluated(make_predictions(cohort, {}), cohort)
    tables |= {"trust": make_trust({})}
    tables |= {"methods": make_methods(Names(), []), "predictions": make_predictions(cohort, {})}
    decision = decide(tables, cohort, PrimaryMetric.MACRO_F1)
    performance = performance_view(tables, cohort, "k-fold", decision)
    return Views(
        cohort_view(cohort), performance, information, trust_view(tables["trust"]), decision
    )


def hostile_names() -> Names:
    return Names(
        dataset=SCRIPT,
        classes=(ATTRIBUTE, SCRIPT, FORMULA, UNICODE, LONG),
        modalities=('"><svg onload=alert(1)>', "=1+1", LONG.strip()),
        feature=SCRIPT,
        failed=(("concat-mlp", "failed", f"{SCRIPT} {ATTRIBUTE}"),),
    )
