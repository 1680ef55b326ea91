"""What the experts of the pool learn by: a regression, a forest, a kernel machine, and products.

Each learner takes a table of features, of one modality or of all, and gives two things: what is
said of the training samples by what has not learned from them, and what says it of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.subsample import FEWEST, subsample
from balmi.information.machines import radial
from balmi.methods.peers.early import CalibratedMachine, fit_machine
from balmi.methods.peers.logistic import fit_logistic
from balmi.methods.peers.priors import frequencies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.kernel_approximation import Nystroem
    from sklearn.pipeline import Pipeline

    from balmi.methods.peers.early import Classifier, FittedMachine
    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.methods.peers.side import Lesson, TrainingSide

    Said = Callable[[np.ndarray], np.ndarray]
    Learn = Callable[[np.ndarray, np.ndarray], Said]
    # Features that may act together, all of them or those of a modality.
    Blocks = Sequence[slice]

WHOLE = (slice(None),)

# About a third of the trees say something of a training sample that they have not learned from. On
# TCGA-BRCA at seed 200, twice as many take twice the time for .011 nats out of bag, .001 on tests.
TREES = 100
# Trees that a sample is judged by where inner folds do it: as many as have not drawn it above.
JUDGING_TREES = 37
# Training samples that an expert learns from at most, beside the regressions that all peers share;
# a kernel compares every two of them.
MANY_SAMPLES = 5000
# Held-out samples that experts are judged on at least, where there are more: enough to weigh them.
# With 1,000 a real cohort of 2,112 training samples lost .003 of log-loss for a third of the time.
JUDGED = 2000
MOST_PER_TREE = 2000  # training samples that a tree draws at most
COST = 10.0  # of the kernel machine
LANDMARKS = 300  # of a kernel that compares too many samples
COMPONENTS = 20  # whose products are looked at
FEWEST_COMPONENTS = 2  # of a block
SMALLEST_VARIANCE = 1e-6  # of a component, of that of the first
SMALLEST_SPREAD = 1e-12
# Of a product of two components of variance 1: below it there are rounding errors alone, as with
# features of two values. Scaled, they would be learned from, and differ from machine to machine.
SMALLEST_OF_PRODUCT = 1e-12
# There are some 230 products, more than any real cohort needs of them.
PRODUCTS_INVERSE_PENALTY = 0.01
SCORES_INVERSE_PENALTY = 1.0


@dataclass(frozen=True)
class Predicting:
    """What has learned and is asked for probabilities, as a thing to call.

    All that learners return is a frozen dataclass, so that a final model can be written down.
    """

    fitted: Classifier

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities of other samples; (m, classes)."""
        return self.fitted.predict(values)


def taught(
    side: TrainingSide,
    values: np.ndarray,
    has: np.ndarray,
    learn: Learn,
    judge: Learn | None = None,
) -> Lesson:
    """Return what is said of samples by what has not learned from them, and what learned from all.

    Every inner fold is told of by what has learned from the others, until `JUDGED` samples are. Of
    more than `MANY_SAMPLES` one lesson is enough: it takes `MANY_SAMPLES` of them at most, drawn
    evenly from all inner folds but one, and is judged on that one. Where no more than these are
    asked about, others are predicted by what has learned from all of them.

    Parameters
    ----------
    side
        The training side.
    values
        Features of its samples; (n, features).
    has
        The samples that are learned from and asked about; (n,), bool.
    learn
        Given features and labels, returns what gives probabilities of other samples.
    judge
        The same in less time, for what is asked about inner folds alone.

    Returns
    -------
    tuple of numpy.ndarray and callable
        Probabilities, (n, classes): class frequencies of samples outside `has`, NaN where nothing
        was held out; and what gives probabilities of other samples.
    """
    last = has.sum() > MANY_SAMPLES
    held_out = np.tile(side.prior, (len(side), 1))
    held_out[has] = np.nan
    of_fold = learn if last or judge is None else judge
    for rest, here in _lessons(side):
        rest, here = _drawn(side, rest[has[rest]]), here[has[here]]
        if len(np.unique(side.labels[rest])) > 1:
            said = of_fold(values[rest], side.labels[rest])
            if here.size:
                held_out[here] = said(values[here])
            if last:
                return held_out, said
    return held_out, learn(values[has], side.labels[has])


def _lessons(side: TrainingSide) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    """Return the inner folds that are held out: of many samples one, of the most classes.

    Of fewer as many as hold out `JUDGED` samples, and of every class `FEWEST` or all that there
    are: where groups go together, a fold may have none of a rare class, and what nobody is judged
    on would be thought impossible.
    """
    folds = side.base_folds
    if not folds:
        return folds
    held = np.array([np.bincount(side.labels[h], minlength=side.classes) for _, h in folds])
    if len(side) > MANY_SAMPLES:
        best = int((held > 0).sum(axis=1).argmax())
        return folds[best : best + 1]
    counts = held.cumsum(axis=0)
    enough = counts.sum(axis=1) >= JUDGED
    enough &= (counts >= np.minimum(counts[-1], FEWEST)).all(axis=1)
    return folds[: 1 + int(enough.argmax())] if enough.any() else folds


def _drawn(side: TrainingSide, rows: np.ndarray) -> np.ndarray:
    """Return `MANY_SAMPLES` of the rows, an even draw; a class keeps `FEWEST` beyond that."""
    groups = None if side.groups is None else side.groups[rows]
    rng = np.random.default_rng([side.seed, 2])
    labels, available = side.labels[rows], side.samples.available[rows]
    return rows[subsample(labels, available, groups, MANY_SAMPLES, rng, fewest=FEWEST)]


@dataclass(frozen=True)
class Votes:
    """The votes of a forest, and one more of class frequencies, so that no class seen has 0."""

    forest: RandomForestClassifier
    prior: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities of other samples; (m, classes)."""
        trees = len(self.forest.estimators_)
        return self._with_prior(self.forest.predict_proba(values), trees)

    def out_of_bag(self) -> np.ndarray:
        """Return probabilities of the samples learned from, by trees that have not drawn them."""
        said = self.forest.oob_decision_function_
        count = len(said)
        drawn = self.forest.max_samples or count
        trees = len(self.forest.estimators_) * (1 - 1 / count) ** drawn
        return self._with_prior(np.nan_to_num(said), trees)

    def _with_prior(self, votes: np.ndarray, trees: float) -> np.ndarray:
        total = np.zeros((len(votes), len(self.prior)))
        total[:, self.forest.classes_] = votes
        result = trees * total + self.prior
        return result / result.sum(axis=1, keepdims=True)


def forest(side: TrainingSide, values: np.ndarray, has: np.ndarray) -> Lesson:
    """Learn by a forest, judged out of its bags, or on inner folds where groups go together."""
    from sklearn import ensemble

    def grown(
        values: np.ndarray, labels: np.ndarray, *, bags: bool = False, count: int = TREES
    ) -> Votes:
        draw = MOST_PER_TREE if len(labels) > MOST_PER_TREE else None
        trees = ensemble.RandomForestClassifier(
            count, max_samples=draw, oob_score=bags, random_state=side.seed, n_jobs=1
        )
        return Votes(trees.fit(values, labels), frequencies(labels, side.classes))

    values = values.astype(np.float32, copy=False)
    if side.groups is not None or len(side) > MANY_SAMPLES:
        return taught(side, values, has, grown, partial(grown, count=JUDGING_TREES))
    held_out = np.tile(side.prior, (len(side), 1))
    whole = grown(values[has], side.labels[has], bags=True)
    held_out[has] = whole.out_of_bag()
    return held_out, whole


@dataclass(frozen=True)
class MeanKernel:
    """The mean over blocks of features of a radial kernel on each.

    What is learned with it is a sum of functions of each block.

    Parameters
    ----------
    blocks
        Places of the features of every block.
    gammas
        One per block: 1 over the number of its features times their variance.
    """

    blocks: tuple[slice, ...]
    gammas: tuple[float, ...]

    @classmethod
    def of(cls, blocks: Sequence[slice], values: np.ndarray) -> MeanKernel:
        """Return the kernel for features of training samples; (n, features)."""
        parts = [values[:, block] for block in blocks]
        spread = [max(part.shape[1] * part.var(), SMALLEST_SPREAD) for part in parts]
        return cls(tuple(blocks), tuple(1 / each for each in spread))

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return the similarities of two sets of samples; (n, m)."""
        parts = zip(self.blocks, self.gammas, strict=True)
        return sum(radial(one[:, b], other[:, b], gamma) for b, gamma in parts) / len(self.blocks)


def machine(
    side: TrainingSide, values: np.ndarray, has: np.ndarray, blocks: Blocks = WHOLE
) -> Lesson:
    """Learn by a kernel machine, calibrated on inner folds."""
    labels, classes = side.labels, side.classes
    # What calibrates a fold's scores has seen those of another one.
    lessons = _lessons(side)
    lessons = lessons if len(lessons) > 1 else side.base_folds
    folds = [(rest[has[rest]], here[has[here]]) for rest, here in lessons]
    known = np.zeros(len(side), dtype=bool)

    def calibrated(scores: np.ndarray, labels: np.ndarray) -> FittedLogistic:
        penalty = SCORES_INVERSE_PENALTY
        return fit_logistic(scores, labels, classes, inverse_penalty=penalty)

    def fitted(rows: np.ndarray) -> FittedMachine:
        learn = values[rows]
        kernel = MeanKernel.of(blocks, learn)
        return fit_machine(learn, labels[rows], classes, cost=COST, kernel=kernel)

    scores = np.zeros((len(side), classes))
    for rest, here in folds:
        scores[here], known[here] = fitted(rest).scores(values[here]) if here.size else 0, True
    held_out = np.tile(side.prior, (len(side), 1))
    held_out[has] = np.nan
    for rest, here in folds:
        others = rest[known[rest]]
        if here.size and len(np.unique(labels[others])) > 1:
            held_out[here] = calibrated(scores[others], labels[others]).predict(scores[here])
    told = known if known.any() else has  # without inner folds: class frequencies
    whole = CalibratedMachine(fitted(np.flatnonzero(has)), calibrated(scores[told], labels[told]))
    return held_out, Predicting(whole)


@dataclass(frozen=True)
class OnLandmarks:
    """A regression on the similarities to some samples, block by block of features.

    Parameters
    ----------
    blocks
        Places of the features of every block.
    kernels
        What gives similarities in a block, one per block.
    regression
        On all of them side by side.
    """

    blocks: tuple[slice, ...]
    kernels: tuple[Nystroem, ...]
    regression: FittedLogistic

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities of other samples; (m, classes)."""
        pairs = zip(self.kernels, self.blocks, strict=True)
        return self.regression.predict(np.hstack([k.transform(values[:, b]) for k, b in pairs]))


def landmarks(
    side: TrainingSide, values: np.ndarray, has: np.ndarray, blocks: Blocks = WHOLE
) -> Lesson:
    """Learn by a regression on similarities to some samples, in the place of the machine."""
    from sklearn.kernel_approximation import Nystroem

    def learn(values: np.ndarray, labels: np.ndarray) -> Said:
        count = min(LANDMARKS, len(values))
        kernels = [
            Nystroem(gamma=gamma, n_components=count, random_state=side.seed)
            for gamma in MeanKernel.of(blocks, values).gammas
        ]
        parts = [
            kernel.fit_transform(values[:, block])
            for kernel, block in zip(kernels, blocks, strict=True)
        ]
        penalty = SCORES_INVERSE_PENALTY
        fitted = fit_logistic(np.hstack(parts), labels, side.classes, inverse_penalty=penalty)
        return OnLandmarks(tuple(blocks), tuple(kernels), fitted)

    return taught(side, values, has, learn)


def kernel(
    side: TrainingSide, values: np.ndarray, has: np.ndarray, blocks: Blocks = WHOLE
) -> Lesson:
    """Learn by the machine, or by what stands in for it where samples are many."""
    return (machine if len(side) <= MANY_SAMPLES else landmarks)(side, values, has, blocks)


@dataclass(frozen=True)
class Components:
    """Principal components of some features, of those that vary by more than rounding errors.

    Fractions that sum to 1 leave a direction in which only these do.
    """

    pca: PCA
    kept: int

    @classmethod
    def of(cls, values: np.ndarray, most: int, seed: int) -> Components:
        """Return `most` components of training samples, or as many as there are; (n, features)."""
        from sklearn.decomposition import PCA

        count = min(most, len(values) - 1, values.shape[1])
        pca = PCA(count, random_state=seed).fit(values)
        variance = pca.explained_variance_
        return cls(pca, max(1, int((variance > SMALLEST_VARIANCE * variance[0]).sum())))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the scores of samples; (n, components)."""
        return self.pca.transform(values)[:, : self.kept]


@dataclass(frozen=True)
class OnProducts:
    """A regression on products of components, block by block of features.

    Parameters
    ----------
    blocks
        Places of the features of every block.
    components
        The components of every block.
    multiplied
        What scales and multiplies them, one per block.
    regression
        On all products side by side.
    """

    blocks: tuple[slice, ...]
    components: tuple[Components, ...]
    multiplied: tuple[Pipeline, ...]
    regression: FittedLogistic

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities of other samples; (m, classes)."""
        parts = zip(self.blocks, self.components, self.multiplied, strict=True)
        columns = [m.transform(c(values[:, b])) for b, c, m in parts]
        return self.regression.predict(np.hstack(columns))


def products(
    side: TrainingSide, values: np.ndarray, has: np.ndarray, blocks: Blocks = WHOLE
) -> Lesson:
    """Learn by a regression on products of every two principal components of a block."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    def learn(values: np.ndarray, labels: np.ndarray) -> Said:
        # As many in all, however many blocks there are.
        most = max(FEWEST_COMPONENTS, -(-COMPONENTS // len(blocks)))
        components = [Components.of(values[:, block], most, side.seed) for block in blocks]
        multiplied = [
            make_pipeline(
                StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()
            )
            for _ in blocks
        ]
        parts = list(zip(blocks, components, multiplied, strict=True))
        for block, component, steps in parts:
            scaler = steps.fit(component(values[:, block]))[-1]
            scaler.scale_ = np.where(scaler.var_ > SMALLEST_OF_PRODUCT, scaler.scale_, np.inf)
        learned = np.hstack([m.transform(c(values[:, b])) for b, c, m in parts])
        penalty = PRODUCTS_INVERSE_PENALTY
        fitted = fit_logistic(learned, labels, side.classes, inverse_penalty=penalty)
        return OnProducts(tuple(blocks), tuple(components), tuple(multiplied), fitted)

    return taught(side, values, has, learn)


def regression(side: TrainingSide, values: np.ndarray, has: np.ndarray) -> Lesson:
    """Learn by a logistic regression."""

    def learn(values: np.ndarray, labels: np.ndarray) -> Said:
        return Predicting(fit_logistic(values, labels, side.classes))

    return taught(side, values, has, learn)
