"""Which class is predicted, given probabilities.

The most probable class is right most often. Where classes are rare it is hardly ever one of them,
so that scores in which every class counts alike suffer, however good the probabilities are. With
class frequencies pi of the training samples, the classes

    argmax_k p_k / pi_k ** power

lie between the most probable one (power 0) and the one that is most probable where all classes are
equally frequent (power 1), which maximises the mean recall. The probabilities stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Rule:
    """How a class is decided on.

    Parameters
    ----------
    power
        Of the class frequencies that probabilities are divided by.
    prior
        Class frequencies, (classes,), None where the power is 0. A class of frequency 0 is never
        decided on.
    """

    power: float = 0.0
    prior: np.ndarray | None = None

    def classes(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the codes of the classes decided on; (n,)."""
        if self.prior is None:
            return probabilities.argmax(axis=1)
        divisor = np.where(self.prior > 0, self.prior**self.power, np.inf)
        return (probabilities / divisor).argmax(axis=1)


MOST_PROBABLE = Rule()


@dataclass(frozen=True)
class Said:
    """What is said of some samples.

    Parameters
    ----------
    probabilities
        (n, classes).
    rule
        How a class is decided on.
    """

    probabilities: np.ndarray
    rule: Rule = MOST_PROBABLE

    @property
    def classes(self) -> np.ndarray:
        """The codes of the classes decided on; (n,)."""
        return self.rule.classes(self.probabilities)


def expected_macro_f1(probabilities: np.ndarray, decided: np.ndarray) -> float:
    """Return the macro-F1 that decisions have where the probabilities are right.

    Expected counts of true positives and of samples of a class, in place of counts, as
    Ye et al. (2012), ICML, have them for F1.

    Parameters
    ----------
    probabilities
        (n, classes).
    decided
        Class codes; (n,).
    """
    classes = probabilities.shape[1]
    sizes = probabilities.sum(axis=0) + np.bincount(decided, minlength=classes)
    own = probabilities[np.arange(len(decided)), decided]
    hits = np.bincount(decided, own, minlength=classes)
    scores = np.divide(2 * hits, sizes, out=np.zeros(classes), where=sizes > 0)
    return float(scores.mean())


def fit_rule(probabilities: np.ndarray, prior: np.ndarray) -> Rule:
    """Return the rule of the largest expected macro-F1; of equal ones that of the smallest power.

    Labels are not asked: with few of a class, which rule scores best on them is chance. On twelve
    public cohorts at seed 200, 2 x 5 folds, that choice scores .004 to .010 lower in macro-F1.

    Parameters
    ----------
    probabilities
        Of training samples, by what has not learned from them; (n, classes).
    prior
        Class frequencies, none of them 0.
    """
    rules = [Rule(power, prior) for power in POWERS]
    return max(
        rules, key=lambda rule: expected_macro_f1(probabilities, rule.classes(probabilities))
    )
