"""Metrics of predicted probabilities, one registry for all.

Every metric is computed from true class codes and probabilities, so that all can be recomputed from
``predictions.parquet`` without training again, and knows its direction and its bounds. A metric
that the samples leave undefined is NaN: the AUROC of a class that is absent, or alone.

SciPy and scikit-learn are loaded by what computes: the pages only read the names, and the two take
more than a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST_PROBABILITY = 1e-15
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Metric:
    """A metric that can be called.

    Parameters
    ----------
    function
        In `METRICS` of true class codes, shape (n,), and of probabilities, shape (n, classes),
        where it is graded, else of predicted class codes, shape (n,); in `CLASS_METRICS` of whether
        a sample is of the class, whether it is predicted to be, and the class's probability, each
        of shape (n,).
    title
        Its name for people.
    graded
        Whether it looks at the probabilities, and not only at the predicted class.
    more_is_better
        Whether a larger value is a better one.
    lowest, highest
        Bounds of its values.
    unit
        Their unit; empty where they have none.
    """

    function: Callable[..., float]
    title: str
    graded: bool = False
    more_is_better: bool = True
    lowest: float = 0.0
    highest: float = 1.0
    unit: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """Its lowest and highest value."""
        return self.lowest, self.highest

    def __call__(
        self, labels: np.ndarray, probabilities: np.ndarray, predicted: np.ndarray | None = None
    ) -> float:
        """Return the value, of one of `METRICS`, on some samples; NaN where it is undefined.

        Parameters
        ----------
        labels
            True class codes; (n,).
        probabilities
            Of the classes; (n, classes).
        predicted
            Predicted class codes; the most probable ones where None; (n,).
        """
        if self.graded:
            return self.function(labels, probabilities)
        return self.function(
            labels, most_probable(probabilities) if predicted is None else predicted
        )


def most_probable(probabilities: np.ndarray) -> np.ndarray:
    """Return the code of the most probable class, the first of several; (n,)."""
    return probabilities.argmax(axis=1)


def class_f1(true: np.ndarray, predicted: np.ndarray, probability: np.ndarray) -> float:
    """Return 2 TP / (2 TP + FP + FN); NaN for a class that is absent."""
    return _share(2 * (true & predicted).sum(), true.sum() + predicted.sum(), true)


def class_precision(true: np.ndarray, predicted: np.ndarray, probability: np.ndarray) -> float:
    """Return the share of the class among what is predicted as it; NaN where it is absent.

    A class that is never predicted has precision 0, as it counts in F1.
    """
    return _share((true & predicted).sum(), max(predicted.sum(), 1), true)


def class_recall(true: np.ndarray, predicted: np.ndarray, probability: np.ndarray) -> float:
    """Return the share of the class that is predicted as it; NaN where it is absent."""
    return _share((true & predicted).sum(), true.sum(), true)


def class_auroc(true: np.ndarray, predicted: np.ndarray, probability: np.ndarray) -> float:
    """Return the area under the ROC curve against the rest; NaN for a class absent or alone.

    By ranks (Hanley and McNeil 1982, Radiology 143:29-36): the share of pairs of a sample of the
    class and another in which the first has the higher probability, ties counted half.
    """
    from scipy.stats import rankdata

    if not _separable(true):
        return np.nan
    inside = int(true.sum())
    excess = rankdata(probability)[true].sum() - inside * (inside + 1) / 2
    return float(excess / (inside * (len(true) - inside)))


def class_auprc(true: np.ndarray, predicted: np.ndarray, probability: np.ndarray) -> float:
    """Return the average precision against the rest; NaN for a class absent or alone."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(true, probability)) if _separable(true) else np.nan


def _share(part: int, whole: int, true: np.ndarray) -> float:
    return float(part / whole) if true.any() else np.nan


def _separable(true: np.ndarray) -> bool:
    return bool(true.any() and not true.all())


def by_class(
    name: str,
    labels: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray | None = None,
) -> np.ndarray:
    """Return one of `CLASS_METRICS` for every class; shape (classes,).

    Parameters
    ----------
    name
        Its name.
    labels
        Class codes; shape (n,).
    probabilities
        Of the classes; shape (n, classes).
    predicted
        Predicted class codes; the most probable ones where None; shape (n,).
    """
    metric = CLASS_METRICS[name].function
    codes = most_probable(probabilities) if predicted is None else predicted
    return np.array(
        [metric(labels == k, codes == k, column) for k, column in enumerate(probabilities.T)]
    )


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean F1 over classes; a class neither present nor predicted is left out."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predicted, average="macro", zero_division=0))


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean recall over the classes that are present."""
    return float(np.mean([(predicted[labels == k] == k).mean() for k in np.unique(labels)]))


def accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the share of samples whose predicted class is the true one."""
    return float(np.mean(labels == predicted))


def macro_auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean one-vs-rest AUROC over the classes that are present but not alone."""
    return _mean(by_class("auroc", labels, probabilities))


def macro_auprc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean one-vs-rest average precision over the classes present but not alone."""
    return _mean(by_class("auprc", labels, probabilities))


def mcc(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return Matthews' correlation of true and predicted classes; NaN for a single true class.

    Gorodkin (2004), Computational Biology and Chemistry 28:367-374: 0 where one class is predicted
    for all.
    """
    from sklearn.metrics import matthews_corrcoef

    if (labels == labels[0]).all():
        return np.nan
    return float(matthews_corrcoef(labels, predicted))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean negative log-probability of the true class, in nats."""
    true = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(true, SMALLEST_PROBABILITY)).mean())


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean over samples of the squared error summed over classes, between 0 and 2.

    Brier (1950), Monthly Weather Review 78:1-3. For two classes it is twice the error of one.
    """
    error = probabilities - np.eye(probabilities.shape[1])[labels]
    return float((error**2).sum(axis=1).mean())


def calibration_bins(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of every confidence, from 0, of ten of equal width; shape (n,)."""
    return np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)


def ece(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error of the top class, ten bins of equal width.

    Guo et al. (2017), ICML: the mean over samples of |accuracy - confidence| of their bin.
    """
    return float(np.abs(calibration_gaps(labels, probabilities)).sum() / len(labels))


def calibration_gaps(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return how many more samples of every bin are right than their confidence says; (bins,)."""
    confidence = probabilities.max(axis=1)
    correct = labels == most_probable(probabilities)
    bins = calibration_bins(confidence)
    return np.bincount(bins, correct - confidence, minlength=CALIBRATION_BINS)


def _mean(values: np.ndarray) -> float:
    """Return the mean of the values that are defined; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan


METRICS = {
    "macro_f1": Metric(macro_f1, "macro-F1"),
    "balanced_accuracy": Metric(balanced_accuracy, "balanced accuracy"),
    "accuracy": Metric(accuracy, "accuracy"),
    "macro_auroc": Metric(macro_auroc, "macro AUROC", graded=True),
    "macro_auprc": Metric(macro_auprc, "macro AUPRC", graded=True),
    "mcc": Metric(mcc, "Matthews correlation", lowest=-1.0),
    "log_loss": Metric(
        log_loss, "log-loss", graded=True, more_is_better=False, highest=np.inf, unit="nats"
    ),
    "brier": Metric(brier, "Brier score", graded=True, more_is_better=False, highest=2.0),
    "ece": Metric(ece, "calibration error", graded=True, more_is_better=False),
}
CLASS_METRICS = {
    "f1": Metric(class_f1, "F1"),
    "precision": Metric(class_precision, "precision"),
    "recall": Metric(class_recall, "recall"),
    "auroc": Metric(class_auroc, "AUROC", graded=True),
    "auprc": Metric(class_auprc, "AUPRC", graded=True),
}
# What each metric is that verdicts can follow, in a sentence.
GLOSSES = {
    "macro_f1": (
        "Macro-F1 is the mean over classes of F1, so a rare class counts as much as a common one."
    ),
    "balanced_accuracy": (
        "Balanced accuracy is the mean of recall over classes, so a rare class counts as much as a"
        " common one."
    ),
    "accuracy": (
        "Accuracy is the share of samples whose predicted class is the true one, so a common"
        " class counts more than a rare one."
    ),
    "macro_auroc": (
        "Macro AUROC is the mean over classes of the area under the ROC curve against the rest: .5"
        " is chance, and a rare class counts as much as a common one."
    ),
    "macro_auprc": (
        "Macro AUPRC is the mean over classes of the area under the precision-recall curve against"
        " the rest, so a rare class counts as much as a common one."
    ),
    "mcc": (
        "Matthews correlation is that of the true and the predicted classes: 1 where all agree, 0"
        " where one class is predicted for all."
    ),
    "log_loss": (
        "Log-loss is the mean negative log-probability of the true class, in nats: less is better,"
        " and a sure prediction that is wrong costs most."
    ),
    "brier": (
        "The Brier score is the squared error of the probabilities, summed over classes, mean over"
        " samples, from 0 to 2: less is better."
    ),
}
