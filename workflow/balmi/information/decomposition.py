"""Redundant, unique and synergistic information of two modalities about the label.

The decomposition of Bertschinger, Rauh, Olbrich, Jost and Ay (2014), "Quantifying unique
information", Entropy 16, 2161-2183. It needs the pair of each modality and the label only, and of
a modality only what it tells of the label: so held-out posteriors stand for the modalities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

ATOMS = 20
# Roots are rounded before they are clustered, lest rounding errors tell equal samples apart.
ROOT_DECIMALS = 7
SMALLEST_POSTERIOR = 1e-12
RAKE_ROUNDS = 500
RAKE_TOLERANCE = 1e-12
NEWTON_ROUNDS = 100
NEWTON_TOLERANCE = 1e-10
# Keeps the slope finite where posteriors tell all classes apart.
SLOPE_RIDGE = 1e-8
MARGIN_TOLERANCE = 1e-8
SOLVER_ROUNDS = (512, 512, 1024, 2048, 4096)
SOLVER_TOLERANCE = 1e-5
# Above the largest error of the solver on random tables, 2e-5.
RESOLUTION = 5e-5


@dataclass(frozen=True)
class Decomposition:
    """What two modalities tell of the label: both the same, one alone, only together; nats.

    Estimates are kept as they are: synergy that is not there may read slightly below 0.

    Parameters
    ----------
    redundant
        Told by either modality.
    unique_first, unique_second
        Told by one modality and not by the other.
    synergistic
        Told by the modalities together and by neither of them.
    """

    redundant: float
    unique_first: float
    unique_second: float
    synergistic: float

    @property
    def total(self) -> float:
        """Information of both modalities together."""
        return self.redundant + self.unique_first + self.unique_second + self.synergistic

    def of_amounts(self, first: float, second: float, joint: float) -> Decomposition:
        """Return the parts of given amounts, which hold the same share in common.

        What is redundant is a share of what the lesser side tells, between none and all of it;
        the rest follows, so that parts add up to the amounts.

        Parameters
        ----------
        first, second, joint
            What one modality, the other and both tell; nats, not negative.
        """
        lesser = self.redundant + min(self.unique_first, self.unique_second)
        share = min(1.0, max(0.0, self.redundant / lesser)) if lesser > 0 else 0.0
        redundant = share * min(first, second)
        return Decomposition(
            redundant, first - redundant, second - redundant, joint - first - second + redundant
        )


def _mean_log(table: np.ndarray, factors: np.ndarray) -> float:
    held = table > 0
    return float((table[held] * np.log(factors[held])).sum())


def mutual_information(table: np.ndarray) -> float:
    """Return the information between rows and columns of a table of probabilities; nats."""
    tiny = np.finfo(float).tiny
    rows, columns = table.sum(axis=1, keepdims=True), table.sum(axis=0)
    return _mean_log(table, table / np.maximum(rows, tiny) / np.maximum(columns, tiny))


def least_coupling(
    first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Couple two atom tables so that both atoms together tell least of the class.

    I_q(AB; Y) is the least divergence of q(a, b, y) from r(a, b) p(y) over all r. Alternating
    minimisation: r is the margin of q; then q is r p(y) u_y(a) v_y(b), with the factors u and v
    that give it the margins of the tables. One round of scaling per step is enough, since factors
    start from the last ones. The information is then the mean of log u + log v.

    Parameters
    ----------
    first, second
        p(atom, class) with the same positive class margins; (a, classes) and (b, classes).

    Returns
    -------
    tuple of numpy.ndarray
        r, (a, b); u, (a, classes); v, (b, classes).
    """
    shares = first.sum(axis=0)
    left, right = first / shares, second / shares
    tiny = np.finfo(float).tiny
    cells = first @ right.T
    u, v = np.ones_like(left), np.ones_like(right)
    value = np.inf
    for rounds in SOLVER_ROUNDS:
        for _ in range(rounds):
            cells = cells * ((u * shares) @ v.T)
            u = left / np.maximum(cells @ v, tiny)
            v = right / np.maximum(cells.T @ u, tiny)
        before, value = value, _mean_log(first, u) + _mean_log(second, v)
        # The error falls as 1 / rounds at worst, so what a doubling changed is what is left.
        if abs(before - value) < SOLVER_TOLERANCE:
            break
    return cells, u, v


def union_information(first: np.ndarray, second: np.ndarray) -> float:
    """Return what two modalities tell of the class at least, whatever their dependence; nats.

    The least I(AB; Y) over all couplings that keep p(a, y) and p(b, y). It is never below the
    information of either table, and is that information where the solver cannot tell them apart.

    Parameters
    ----------
    first, second
        Tables p(atom, class); (a, classes) and (b, classes).

    Raises
    ------
    ValueError
        Where the class margins of the tables differ or do not sum to 1.
    """
    margins = first.sum(axis=0), second.sum(axis=0)
    for margin in margins:
        if abs(margin.sum() - 1) > MARGIN_TOLERANCE:
            raise ValueError(f"a table sums to {margin.sum():.9g} instead of 1")
    same_classes = first.shape[1] == second.shape[1]
    if not (same_classes and np.allclose(*margins, rtol=0, atol=MARGIN_TOLERANCE)):
        raise ValueError(f"class margins differ: {margins[0]} and {margins[1]}")
    held = margins[0] > 0
    # The more informative table first: then the order of the tables does not change a digit.
    tables = [np.compress(held, table, axis=1) for table in (first, second)]
    tables.sort(key=mutual_information, reverse=True)
    floor = mutual_information(tables[0])
    _, u, v = least_coupling(*tables)
    value = _mean_log(tables[0], u) + _mean_log(tables[1], v)
    return value if value > floor + RESOLUTION else floor


def rake(posteriors: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Weight the classes of posteriors so that their mean is the class frequencies.

    Parameters
    ----------
    posteriors
        (n, classes).
    frequencies
        Class frequencies, summing to 1; (classes,).

    Returns
    -------
    numpy.ndarray
        Posteriors; (n, classes). Posteriors near 0 and 1 that contradict the frequencies are met
        as far as 500 rounds go.
    """
    raked = np.maximum(posteriors, SMALLEST_POSTERIOR) * (frequencies > 0)
    for _ in range(RAKE_ROUNDS):
        raked /= raked.sum(axis=1, keepdims=True)
        mean = raked.mean(axis=0)
        if np.abs(mean - frequencies).max() < RAKE_TOLERANCE:
            break
        raked *= np.divide(frequencies, mean, out=np.zeros_like(mean), where=mean > 0)
    return raked / raked.sum(axis=1, keepdims=True)


def _softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def calibrate(posteriors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rake held-out posteriors and give them the slope that suits the labels best.

    Maximum likelihood of p_k^t exp(b_k) / sum_j p_j^t exp(b_j) in t >= 0 and b; temperature
    scaling with a correction of the bias (Alexandari, Kundaje and Shrikumar 2020, ICML). Where the
    likelihood is highest, the mean posterior equals the class frequencies, and the mean of
    log p(label) equals that of sum_k p_k log p_k: the information that posteriors claim is what
    they show held out. Linear pools claim too little, since pooling blurs.

    Parameters
    ----------
    posteriors
        Held-out posteriors; (n, classes).
    labels
        Class codes, every class present; (n,).

    Returns
    -------
    numpy.ndarray
        (n, classes); class frequencies where the posteriors tell nothing.
    """
    count, classes = posteriors.shape
    frequencies = np.bincount(labels, minlength=classes) / count
    prior = np.tile(frequencies, (count, 1))
    logits = np.log(np.maximum(posteriors, SMALLEST_POSTERIOR)) - np.log(frequencies)
    logits -= logits.mean(axis=1, keepdims=True)
    width = logits.std()
    if width < SMALLEST_POSTERIOR:
        return prior
    logits /= width
    told = logits[np.arange(count), labels].mean()
    slope, offsets = width, np.log(frequencies)
    for _ in range(NEWTON_ROUNDS):
        raked = _softmax(slope * logits + offsets)
        expected = (raked * logits).sum(axis=1, keepdims=True)
        spread = raked * (logits - expected)
        gradient = np.append(
            frequencies - raked.mean(axis=0), told - expected.mean() - SLOPE_RIDGE * slope
        )
        curvature = np.empty((classes + 1, classes + 1))
        # Offsets are free up to a constant; a constant block makes the system regular.
        curvature[:-1, :-1] = np.diag(raked.mean(axis=0)) - raked.T @ raked / count + 1 / classes
        curvature[-1, :-1] = curvature[:-1, -1] = spread.mean(axis=0)
        curvature[-1, -1] = (spread * logits).sum() / count
        step = np.linalg.solve(curvature + SLOPE_RIDGE * np.eye(classes + 1), gradient)
        # The damping that makes Newton steps on log-sum-exp safe (Sun and Tran-Dinh 2019).
        length = np.ptp(step[-1] * logits + step[:-1], axis=1).max()
        if length < NEWTON_TOLERANCE:
            break
        step *= np.log1p(length) / length
        slope, offsets = slope + step[-1], offsets + step[:-1]
    return rake(_softmax(slope * logits + offsets), frequencies) if slope > 0 else prior


def atoms(posteriors: np.ndarray, count: int = ATOMS) -> np.ndarray:
    """Summarise posteriors in a table of few atoms.

    Clusters of root posteriors, whose Euclidean distance is Hellinger's. Neither the order of
    samples nor that of classes matters.

    Parameters
    ----------
    posteriors
        (n, classes).
    count
        Atoms at most; fewer where there are fewer distinct rows.

    Returns
    -------
    numpy.ndarray
        p(atom, class): the members' posteriors, summed and divided by n; (atoms, classes).
    """
    order = np.lexsort(np.sort(posteriors, axis=0))
    roots = np.round(np.sqrt(posteriors[:, order]), ROOT_DECIMALS)
    distinct, atom, sizes = np.unique(roots, axis=0, return_inverse=True, return_counts=True)
    if len(distinct) > count:
        clusters = KMeans(count, n_init=1, random_state=0).fit(distinct, sample_weight=sizes)
        atom = clusters.labels_[atom]
    table = np.zeros((atom.max() + 1, posteriors.shape[1]))
    np.add.at(table, atom, posteriors)
    return table / len(posteriors)


def decompose(
    first: np.ndarray, second: np.ndarray, joint: np.ndarray, labels: np.ndarray
) -> Decomposition:
    """Decompose what two modalities tell of the label.

    With the information I1 and I2 of the modalities and I12 of both together: R = I1 + I2 - union,
    U1 = union - I2, U2 = union - I1 and S = I12 - union. All come from atom tables of calibrated
    posteriors, so that what clustering and calibration lose, they lose alike. I12 is at least I1
    and I2, since a classifier of both modalities pays for more features, not the modalities.

    Parameters
    ----------
    first, second, joint
        Held-out posteriors given one modality, the other, and both, of the same samples;
        (n, classes).
    labels
        Class codes; (n,). Classes without a sample are left out.
    """
    seen, labels = np.unique(labels, return_inverse=True)
    frequencies = np.bincount(labels) / len(labels)
    tables = []
    for posteriors in (first, second, joint):
        table = atoms(calibrate(posteriors[:, seen], labels))
        tables.append(table * (frequencies / table.sum(axis=0)))
    alone_first, alone_second, together = map(mutual_information, tables)
    union = union_information(*tables[:2])
    return Decomposition(
        redundant=alone_first + alone_second - union,
        unique_first=union - alone_second,
        unique_second=union - alone_first,
        synergistic=max(together, alone_first, alone_second) - union,
    )
