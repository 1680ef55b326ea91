"""Train a final model on part of a real cohort, and predict the rest as new samples.

Run as ``PYTHONPATH=workflow python benchmarks/transfer.py my.yaml``, where the workflow has
assembled the datasets of that configuration; ``--help`` lists the options. An interrupted run
continues where it stopped. Three designs, each with cuts at random:

- lacking: `TRAINED` samples with three modalities, and `NEW` others of which the third is taken
  away. Wrong calls of `pooled`, of a logistic regression on either other modality, and of the mean
  of both regressions' probabilities. Cohorts with enough samples that have three modalities count;
  the third is the one with the fewest features.
- flags: of a held-out third, whole groups together, the share that is flagged as unlike the
  training samples: as measured, without a fifth of the features, and with every sample's values
  permuted among features.
- halves: macro-F1 of `pooled` over folds of one half, classes kept in proportion, and of its final
  model on the other half, with their 95 % intervals. Cohorts of at least `LARGE` samples without
  groups count.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from balmi.config.fingerprint import code_hash
from balmi.config.settings import Evaluation, Final, Method, Preprocessing, Settings
from balmi.data.measurements import Measurements, dense
from balmi.data.newcomers import Newcomer, Newcomers
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.statistics import mean_over_folds, split_ratio
from balmi.methods.peers.run import fit_baseline
from balmi.methods.peers.side import TrainingSide
from balmi.prediction.distribution import MOST_FLAGGED, fit_envelope, strange
from balmi.prediction.external import Estimate, Labelled, difference, validate
from balmi.prediction.final import train_final
from balmi.prediction.predict import predict
from balmi.preprocess.features import Features
from drawings import COLOURS, standalone
from phases import Phase, conclude, taken
from rows import resumed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from balmi.data.cohort import Cohort
    from balmi.prediction.model import FinalModel

TARGET = "make study PHASE=transfer"
CUTS, FIRST_SEED = 20, 300
MAX_FEATURES = 2000
TRAINED, NEW = 150, 70
LARGE, REPEATS, FOLDS = 600, 2, 5
METRIC = "macro_f1"
OWN = str(Method.POOLED)
MEAN = "mean of both"
INSIDE, OUTSIDE = "inside", "outside"
KEYS = ("cohort", "design", "cut")
COLUMNS = (*KEYS, "name", "value", "lower", "upper", "code")
WRONG_MORE = 1.0  # calls by which `pooled` may be behind on average
AGREEING = 0.9  # share of cuts in which each interval holds the other's estimate
MOST_ALIKE, FEWEST_PERMUTED = 0.05, 0.9  # flagged
HELD_OUT, MISSING = 0.3, 0.2  # shares of samples and of features
ALIKE, FEWER, PERMUTED = "as measured", "a fifth missing", "permuted"


class Cut(NamedTuple):
    """A cut that is to be made; the names are those that `Phase.score` reports."""

    repeat: int
    fold: int = 0


def model_of(cohort: Cohort) -> FinalModel:
    """Return the final model of `pooled`, as the workflow trains it."""
    settings = Settings(
        final=Final(method=Method.POOLED), preprocessing=Preprocessing(max_features=MAX_FEATURES)
    )
    return train_final(cohort, settings, {"dataset": "cut"}).model


def newcomers(model: FinalModel, cohort: Cohort, modalities: tuple[str, ...]) -> Newcomers:
    """Return samples as a prediction reads them, with some modalities.

    Parameters
    ----------
    model
        The model, which names the features that it looks at.
    cohort
        The samples.
    modalities
        Those that they have.
    """
    count, found = len(cohort.samples), {}
    for name in modalities:
        places = {feature: place for place, feature in enumerate(cohort.features[name])}
        columns = [places[feature] for feature in model.modalities[name].features]
        values = np.asarray(cohort.values[name].table(count), dtype=float)[:, columns]
        has = np.flatnonzero(~np.isnan(values).all(axis=1))
        nothing = np.zeros(len(columns), dtype=bool)
        kept = len(model.modalities[name].kept)
        found[name] = Newcomer(Measurements(has, values[has]), nothing, 0.0, kept, 0)
    return Newcomers(cohort.samples, None, None, found, ())


def regressions(cohort: Cohort, new: Cohort, modalities: tuple[str, ...]) -> list[np.ndarray]:
    """Return what a logistic regression on each modality says of new samples; (n, classes) each."""
    features, everyone = Features(cohort, MAX_FEATURES), np.arange(len(cohort.samples))
    fitted = features.fit(everyone)
    samples = features.apply(fitted, everyone)
    side = TrainingSide(samples, cohort.labels, cohort.groups, len(cohort.classes), 0)
    others = Features(new, MAX_FEATURES)
    asked = fitted.apply({name: others.values[name] for name in new.modalities}, _all(new))
    return [side.base(name).predict(asked) for name in modalities]


def _all(cohort: Cohort) -> np.ndarray:
    return np.arange(len(cohort.samples))


def three(cohort: Cohort) -> tuple[str, ...] | None:
    """Return the three modalities that most samples have together, the smallest last.

    Returns
    -------
    tuple of str or None
        None where fewer than `TRAINED` and `NEW` samples have three.
    """
    names = cohort.modalities
    together = {
        some: int(cohort.available[:, [names.index(name) for name in some]].all(axis=1).sum())
        for some in combinations(names, 3)
    }
    best = max(together, key=together.__getitem__, default=None)
    if best is None or together[best] < TRAINED + NEW:
        return None
    return tuple(sorted(best, key=lambda name: -len(cohort.features[name])))


def lacking(cohort: Cohort, cut: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield who calls how many of `NEW` samples wrong that lack the third modality."""
    modalities = three(cohort) or ()
    places = [cohort.modalities.index(name) for name in modalities]
    rng = np.random.default_rng([FIRST_SEED, cut])
    order = rng.permutation(np.flatnonzero(cohort.available[:, places].all(axis=1)))
    trained = taken(cohort, modalities, np.sort(order[:TRAINED]))
    new = taken(cohort, modalities, np.sort(order[TRAINED : TRAINED + NEW]))
    model = model_of(trained)
    said = predict(model, newcomers(model, new, modalities[:2]), refuse=False).said
    first, second = regressions(trained, new, modalities[:2])
    called = {
        OWN: said.classes,
        modalities[0]: first.argmax(axis=1),
        modalities[1]: second.argmax(axis=1),
        MEAN: (first + second).argmax(axis=1),
    }
    for name, classes in called.items():
        yield name, int((classes != new.labels).sum()), np.nan, np.nan


def halves(cohort: Cohort, cut: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield macro-F1 inside one half of a cohort, and of its final model on the other."""
    rng = np.random.default_rng([FIRST_SEED, cut])
    codes = range(len(cohort.classes))
    order = np.concatenate([rng.permutation(np.flatnonzero(cohort.labels == k)) for k in codes])
    half, other = (taken(cohort, cohort.modalities, np.sort(order[start::2])) for start in (0, 1))
    table = make_splits(half, Evaluation(repeats=REPEATS, folds=FOLDS, seed=cut))
    splits = as_splits(table, half)
    features = Features(half, MAX_FEATURES)
    made = fit_baseline(Method.POOLED, half, features, splits).predictions
    scores = performance_table(made[made["method"] == OWN], half, [METRIC])["value"]
    inside = mean_over_folds(scores.to_numpy(), split_ratio(table), 0, 1)
    yield INSIDE, inside.mean, inside.lower, inside.upper
    model = model_of(half)
    said = predict(model, newcomers(model, other, other.modalities), refuse=False).said
    held = Labelled(other.labels, said.classes, said.probabilities, None)
    nothing: dict[str, Any] = {"primary": METRIC, "summary": [], "other": None}
    outside = validate(held, cohort.classes, nothing).primary.external
    yield OUTSIDE, outside.value, outside.lower, outside.upper


def flags(cohort: Cohort, cut: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield the share of held-out samples that are flagged, as they are and changed."""
    rng = np.random.default_rng([FIRST_SEED, cut])
    own = np.arange(len(cohort.samples))
    unit = own if cohort.groups is None else np.unique(cohort.groups, return_inverse=True)[1]
    drawn = rng.permutation(unit.max() + 1)
    out = np.isin(unit, drawn[: int(HELD_OUT * len(drawn))])
    rest, here = np.flatnonzero(~out), np.flatnonzero(out)
    features = Features(cohort, MAX_FEATURES)
    fitted = features.fit(rest)
    groups = None if cohort.groups is None else cohort.groups[rest]
    classes, labels = len(cohort.classes), cohort.labels[rest]
    side = TrainingSide(features.apply(fitted, rest), labels, groups, classes, 0)
    envelopes = {name: fit_envelope(side, name) for name in cohort.modalities}
    asked = features.apply(fitted, here)
    missing, fewer, permuted = {}, {}, {}
    for name, scores in asked.features.items():
        missing[name] = rng.random(scores.shape[1]) < MISSING
        fewer[name] = np.where(missing[name], 0, scores)
        measured = dense(features.values[name].of(here))[:, fitted.modalities[name].kept]
        permuted[name] = np.zeros_like(scores)
        shuffled = rng.permuted(measured, axis=1)
        permuted[name][asked.has(name)] = fitted.modalities[name].of_kept().apply(shuffled)
    changes = {ALIKE: (asked.features, {}), FEWER: (fewer, missing), PERMUTED: (permuted, {})}
    for change, (scores, lacking) in changes.items():
        p_values, _ = strange(envelopes, scores, asked.available, lacking)
        known = p_values[~np.isnan(p_values)]
        yield (
            change,
            float((known <= MOST_FLAGGED).mean()) if known.size else np.nan,
            np.nan,
            np.nan,
        )


DESIGNS: dict[str, Callable[[Cohort, int], Iterator[tuple[str, float, float, float]]]] = {
    "lacking": lacking,
    "flags": flags,
    "halves": halves,
}
FITS: dict[str, Callable[[Cohort], bool]] = {
    "lacking": lambda cohort: three(cohort) is not None and cohort.groups is None,
    "flags": lambda cohort: True,
    "halves": lambda cohort: len(cohort.samples) >= LARGE and cohort.groups is None,
}


def scored(head: dict[str, str], cohort: Cohort, cut: Cut) -> pd.DataFrame:
    """Return the rows of one cut."""
    made = DESIGNS[head["design"]](cohort, cut.repeat)
    rows = pd.DataFrame(made, columns=["name", "value", "lower", "upper"])
    return rows.assign(**head, cut=cut.repeat)[list(COLUMNS)]


def lacking_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return wrong calls on average, and how many `pooled` has more than each of the others.

    Parameters
    ----------
    found
        Rows of ``transfer.csv`` of the design.

    Returns
    -------
    pandas.DataFrame
        Columns cohort, cuts, own, single (the modality with fewer wrong calls), of_single, mean,
        and more (than the better of both).
    """
    rows = []
    for cohort, part in found.groupby("cohort", sort=False):
        means = part.groupby("name", sort=False)["value"].mean()
        singles = means.drop([OWN, MEAN])
        rows.append(
            {
                **{"cohort": cohort, "cuts": part["cut"].nunique(), "own": means[OWN]},
                **{"single": singles.idxmin(), "of_single": singles.min(), "mean": means[MEAN]},
                "more": means[OWN] - min(singles.min(), means[MEAN]),
            }
        )
    return pd.DataFrame(rows)


def halves_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return both estimates of every cut, and whether they agree.

    Parameters
    ----------
    found
        Rows of ``transfer.csv`` of the design.

    Returns
    -------
    pandas.DataFrame
        Columns cohort, cut, inside, outside, agree (each one's interval holds the other) and
        zero_held (the interval of their difference, by which pages of predictions judge, holds 0).
    """
    wide = found.pivot(index=["cohort", "cut"], columns="name", values=["value", "lower", "upper"])
    value, lower, upper = wide["value"], wide["lower"], wide["upper"]
    held = [
        (lower[one] <= value[other]) & (value[other] <= upper[one])
        for one, other in ((INSIDE, OUTSIDE), (OUTSIDE, INSIDE))
    ]
    gaps = [
        difference(*(Estimate(value[side], lower[side], upper[side]) for side in (INSIDE, OUTSIDE)))
        for value, lower, upper in zip(
            *(part.to_dict("records") for part in (value, lower, upper)), strict=True
        )
    ]
    zero_held = [gap.lower <= 0 <= gap.upper for gap in gaps]
    return value.assign(agree=held[0] & held[1], zero_held=zero_held).reset_index()


def flags_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return the shares that are flagged, mean over cuts.

    Parameters
    ----------
    found
        Rows of ``transfer.csv`` of the design.

    Returns
    -------
    pandas.DataFrame
        A row per cohort, a column per change.
    """
    changes = [ALIKE, FEWER, PERMUTED]
    return found.pivot_table(index="cohort", columns="name", values="value", sort=False)[changes]


def summary(found: pd.DataFrame) -> str:
    """Return all designs as tables in Markdown."""
    lines = [f"# Final models on samples they have not seen ({TARGET})"]
    part = found[found["design"] == "lacking"]
    if len(part):
        lines += [
            "",
            f"## {TRAINED} trained on three modalities, {NEW} new without the third",
            "",
            f"Wrong calls, mean over cuts. Wanted: `{OWN}` at most {WRONG_MORE:g} more than the"
            " better single modality, and than the mean of both.",
            "",
            f"| cohort | cuts | {OWN} | better single modality | its wrong calls | mean of both"
            " | more |",
            "|" + " --- |" * 7,
        ]
        lines += [
            f"| {row.cohort} | {row.cuts} | {row.own:.2f} | {row.single} | {row.of_single:.2f}"
            f" | {row.mean:.2f} | {row.more:+.2f} |"
            for row in lacking_table(part).itertuples()
        ]
    part = found[found["design"] == "flags"]
    if len(part):
        table = flags_table(part)
        lines += [
            "",
            "## Flagged as unlike the training samples",
            "",
            f"Shares of a held-out third, mean over cuts. Wanted: at most {MOST_ALIKE:.0%} as"
            f" measured ({int((table[ALIKE] <= MOST_ALIKE).sum())} of {len(table)} cohorts), at"
            f" least {FEWEST_PERMUTED:.0%} with values permuted among features"
            f" ({int((table[PERMUTED] >= FEWEST_PERMUTED).sum())} of {len(table)}).",
            "",
            f"| cohort | {ALIKE} | {FEWER} | {PERMUTED} |",
            "|" + " --- |" * 4,
        ]
        lines += [
            f"| {cohort} | " + " | ".join(f"{row[name]:.1%}" for name in table.columns) + " |"
            for cohort, row in table.iterrows()
        ]
        means = " | ".join(f"{mean:.1%}" for mean in table.mean())
        lines += [f"| mean of cohorts | {means} |"]
    part = found[found["design"] == "halves"]
    if len(part):
        table = halves_table(part)
        lines += [
            "",
            "## One half trained on, the other predicted",
            "",
            f"Wanted: each interval holds the other's estimate of macro-F1 in {AGREEING:.0%}"
            " (agree). Of two estimates that are as sure as each other, and differ by chance alone,"
            " 95 % intervals do so in 83 %; the interval of their difference, by which a"
            " prediction's page judges, should hold 0 in 95 % (0 in difference).",
            "",
            "| cohort | cuts | agree | 0 in difference | inside | outside | outside less inside |",
            "|" + " --- |" * 7,
        ]
        lines += [
            f"| {cohort} | {len(rows)} | {int(rows['agree'].sum())}"
            f" | {int(rows['zero_held'].sum())} | {rows[INSIDE].mean():.3f}"
            f" | {rows[OUTSIDE].mean():.3f} | {(rows[OUTSIDE] - rows[INSIDE]).mean():+.3f} |"
            for cohort, rows in table.groupby("cohort", sort=False)
        ]
    return "\n".join(lines) + "\n"


def figure(found: pd.DataFrame) -> str:
    """Return wrong calls, or scores of halves, by cohort and cut as SVG."""
    found = found[found["design"] != "flags"]
    kept = found.assign(panel=found["cohort"] + ", " + found["design"])
    kinds = {OWN: OWN, MEAN: "others", INSIDE: "others", OUTSIDE: OWN}
    kept["kind"] = kept["name"].map(kinds).fillna("others")
    base = alt.Chart(alt.Data(values=kept.to_dict("records")))
    # Strokes: a circle takes twice the bytes.
    chart = base.mark_tick(thickness=1.5, size=9, opacity=0.7).encode(
        x=alt.X("value:Q", title="wrong calls, or macro-F1", scale=alt.Scale(zero=False)),
        y=alt.Y("name:N", title=None),
        color=alt.Color("kind:N", scale=alt.Scale(range=list(COLOURS)), legend=None),
    )
    faceted = (
        chart.properties(width=240)
        .facet("panel:N", columns=2)
        .resolve_scale(x="independent", y="independent")
    )
    return standalone(
        faceted,
        "transfer",
        "Final models on samples they have not seen",
        "A stroke for every cut: wrong calls without the third modality, and macro-F1 of halves.",
    )


def main() -> None:
    """Score the cuts that the table lacks, and write summary and figure."""
    asked = Phase.asked(TARGET, __doc__, CUTS)
    path, code = asked.folder / "transfer.csv", code_hash(Path(__file__))
    done = resumed(path, COLUMNS, KEYS, code)
    for name, cohort in asked.cohorts():
        for design in DESIGNS:
            if not FITS[design](cohort):
                continue
            cuts = range(asked.repeats)
            waiting = [Cut(cut) for cut in cuts if (name, design, cut) not in done]
            if waiting:
                head = {"cohort": name, "design": design, "code": code}
                asked.score(scored, (head, cohort), waiting, path, f"{name}, {design}")
    conclude(path, KEYS, summary, figure)


if __name__ == "__main__":
    main()
