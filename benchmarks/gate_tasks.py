"""Gates: two modalities and a label with known redundant, unique and synergistic information.

Bits are embedded in 20 features a modality. The nearest states lie 12.6 standard deviations of the
noise apart, so that fewer than 2 in 10^10 are misread: the features know what the bits know. The
truth is that of the table of the bits, in the definition of Bertschinger et al. 2014 (Entropy
16:2161, 'BROJA'): the union information is the least I(X1 X2; Y) over all tables q with
q(x1, y) = p(x1, y) and q(x2, y) = p(x2, y).
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from task import ATOMS, Gate, Task, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Bits = tuple[int, ...]

FEATURES = 20
LOADING = 2.0
SOFTNESS = 0.3
SMALLEST = 1e-12
LARGEST = 30.0
RESTARTS = 4
LN2 = float(np.log(2))


class Rule(NamedTuple):
    """A gate of fair input bits: number of bits, and what both modalities and the label take."""

    inputs: int
    left: Callable[[Bits], Bits]
    right: Callable[[Bits], Bits]
    label: Callable[[Bits], Bits]


RULES = {
    "RDN": Rule(1, lambda b: b, lambda b: b, lambda b: b),
    "UNQ": Rule(2, lambda b: b[:1], lambda b: b[1:], lambda b: b[:1]),
    "XOR": Rule(2, lambda b: b[:1], lambda b: b[1:], lambda b: (b[0] ^ b[1],)),
    "AND": Rule(2, lambda b: b[:1], lambda b: b[1:], lambda b: (b[0] & b[1],)),
    "2UNQ": Rule(2, lambda b: b[:1], lambda b: b[1:], lambda b: b),
    "RDN+XOR": Rule(3, lambda b: b[:2], lambda b: b[::2], lambda b: (b[0], b[1] ^ b[2])),
    "RDN+UNQ": Rule(2, lambda b: b, lambda b: b[:1], lambda b: b),
    "none": Rule(3, lambda b: b[:1], lambda b: b[1:2], lambda b: b[2:]),
}


def _code(bits: Iterable[int]) -> int:
    return sum(bit << place for place, bit in enumerate(bits))


def table_of(rule: Rule, softness: float = 0.0) -> np.ndarray:
    """Return p(x1, x2, y) of a gate of fair bits.

    Parameters
    ----------
    rule
        The gate.
    softness
        Probability with which a uniform label takes the place of the gate's.
    """
    parts = (rule.left, rule.right, rule.label)
    states = [
        tuple(_code(part(bits)) for part in parts) for bits in product((0, 1), repeat=rule.inputs)
    ]
    widths = [2 ** len(part((0,) * rule.inputs)) for part in parts]
    table = np.zeros(widths)
    for state in states:
        table[state] += 1 / len(states)
    uniform = table.sum(axis=2, keepdims=True) / widths[2]
    return (1 - softness) * table + softness * uniform


def information(joint: np.ndarray) -> float:
    """Return I(X; Y) of a table p(x, y), nats."""
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    held = joint > 0
    return float((joint[held] * np.log(joint[held] / independent[held])).sum())


def _margin_matrix(shape: tuple[int, ...], held: np.ndarray) -> np.ndarray:
    """Return the rows that sum a table to q(x1, y) and q(x2, y), for the held cells only."""
    cells = np.eye(held.size).reshape(-1, *shape)
    both = [cells.sum(axis=2).reshape(held.size, -1), cells.sum(axis=1).reshape(held.size, -1)]
    return np.hstack(both)[held].T


def _least(table: np.ndarray) -> float:
    """Return the least information of a table with the margins kept, by quadratic programming."""
    left, right, label = table.sum(axis=1), table.sum(axis=0), table.sum(axis=(0, 1))
    start = left[:, None] * right[None] / np.maximum(label, SMALLEST)
    held = start.ravel() > 0
    matrix = _margin_matrix(table.shape, held)
    # Margins repeat each other, and the solver wants independent rows.
    basis, size, _ = np.linalg.svd(matrix, full_matrices=False)
    basis = basis[:, size > 1e-9].T
    equations = basis @ matrix
    values = basis @ np.concatenate([left.ravel(), right.ravel()])

    def ratios(cells: np.ndarray) -> np.ndarray:
        full = np.zeros(table.size)
        full[held] = np.maximum(cells, SMALLEST)
        q = full.reshape(table.shape)
        independent = q.sum(axis=2, keepdims=True) * label
        return np.log(np.maximum(q, SMALLEST) / np.maximum(independent, SMALLEST)).ravel()[held]

    constraint = {
        "type": "eq",
        "fun": lambda cells: equations @ cells - values,
        "jac": lambda _: equations,
    }
    best, begin = np.inf, start.ravel()[held]
    for _ in range(RESTARTS):
        found = minimize(
            lambda cells: float(cells @ ratios(cells)),
            begin,
            jac=ratios,
            bounds=[(0, 1)] * int(held.sum()),
            constraints=constraint,
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 1000},
        )
        best = min(best, float(found.fun))
        # The slope has no limit where a cell empties, and the solver may stop there too early.
        begin = (np.clip(found.x, 0, 1) + start.ravel()[held]) / 2
    return best


def _largest_bound(table: np.ndarray) -> float:
    """Return the greatest lower bound of the dual, by quadratic programming.

    With log r(y|x1, x2) = log p(y) + a(x1, y) + b(x2, y) and sums of r over y at most 1, every
    table q with the margins has I_q >= sum q log(r / p(y)) = sum p(x1, y) a + sum p(x2, y) b.
    """
    label = table.sum(axis=(0, 1))
    table = table[:, :, label > 0]
    left, right, label = table.sum(axis=1), table.sum(axis=0), table.sum(axis=(0, 1))
    weights = np.concatenate([left.ravel(), right.ravel()])

    def sums(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = terms[: left.size].reshape(left.shape)
        second = terms[left.size :].reshape(right.shape)
        parts = np.exp(np.clip(first[:, None] + second[None], None, LARGEST)) * label
        return parts, parts.sum(axis=2)

    def slopes(terms: np.ndarray) -> np.ndarray:
        parts, _ = sums(terms)
        cells = np.eye(parts[..., 0].size).reshape(-1, *parts.shape[:2], 1) * parts
        both = [
            cells.sum(axis=2).reshape(len(cells), -1),
            cells.sum(axis=1).reshape(len(cells), -1),
        ]
        return -np.hstack(both)

    terms = minimize(
        lambda terms: -float(weights @ terms),
        np.zeros(weights.size),
        jac=lambda _: -weights,
        bounds=[(-LARGEST, LARGEST)] * weights.size,
        constraints={
            "type": "ineq",
            "fun": lambda terms: 1 - sums(terms)[1].ravel(),
            "jac": slopes,
        },
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 1000},
    ).x
    # Taking the worst violation off every term makes the solver's point feasible for certain.
    return float(weights @ terms - np.log(sums(terms)[1].max()))


def broja_union(table: np.ndarray) -> tuple[float, float]:
    """Return the union information of a table and a bound of its error, both in nats.

    The problem is convex, and the truth lies between what the primal and the dual problem reach.

    Parameters
    ----------
    table
        p(x1, x2, y); (a, b, c).
    """
    least = _least(table)
    return least, least - _largest_bound(table)


def atoms_of(table: np.ndarray) -> dict[str, float]:
    """Return R, U1, U2 and S of a table p(x1, x2, y), nats."""
    first, second = information(table.sum(axis=1)), information(table.sum(axis=0))
    union = broja_union(table)[0]
    both = information(table.reshape(-1, table.shape[2]))
    values = (first + second - union, union - second, union - first, both - union)
    return dict(zip(ATOMS, values, strict=True))


# By hand, in nats. AND: I(X1; Y) = H(1/4) - H(1/2)/2 = .2158, where H is the entropy of one bit.
# The tables of (x1, y) and (x2, y) are equal, and X1 = X2 is feasible, so that both share all they
# know: R = .2158 = .311 bits, U1 = U2 = 0 and S = H(1/4) - .2158 = LN2/2 = .3466.
_AND = 1.5 * LN2 - 0.75 * float(np.log(3))
CLOSED_FORMS = {
    "RDN": {"R": LN2, "U1": 0.0, "U2": 0.0, "S": 0.0},
    "UNQ": {"R": 0.0, "U1": LN2, "U2": 0.0, "S": 0.0},
    "XOR": {"R": 0.0, "U1": 0.0, "U2": 0.0, "S": LN2},
    "AND": {"R": _AND, "U1": 0.0, "U2": 0.0, "S": LN2 / 2},
    "2UNQ": {"R": 0.0, "U1": LN2, "U2": LN2, "S": 0.0},
    "RDN+XOR": {"R": LN2, "U1": 0.0, "U2": 0.0, "S": LN2},
    "RDN+UNQ": {"R": LN2, "U1": LN2, "U2": 0.0, "S": 0.0},
    "none": {"R": 0.0, "U1": 0.0, "U2": 0.0, "S": 0.0},
}


def embed(codes: np.ndarray, states: int, rng: np.random.Generator) -> np.ndarray:
    """Return 20 noisy features of states coded in bits, each bit shown by as many features.

    Parameters
    ----------
    codes
        States; (n,).
    states
        Number of states, 2 or 4.
    rng
        Source of the noise.
    """
    count = states.bit_length() - 1
    bits = (codes[:, None] >> (np.arange(FEATURES) % count)) & 1
    return LOADING * (2 * bits - 1) + rng.normal(size=bits.shape)


def gate(name: str, table: np.ndarray, derive: Callable[[], dict[str, float]]) -> Gate:
    """Return a gate that draws states from a table and embeds them."""

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        cells = rng.choice(table.size, n, p=table.ravel())
        left, right, label = np.unravel_index(cells, table.shape)
        views = [embed(x, size, rng) for x, size in ((left, len(table)), (right, table.shape[1]))]
        return views[0], views[1], label

    return Gate(name, "soft gate" if name.startswith("soft") else "gate", sample, table, derive)


def gates() -> list[Gate]:
    """Return the eight gates with their values by hand, and a soft version of seven of them."""
    hard = [gate(name, table_of(RULES[name]), partial(dict, CLOSED_FORMS[name])) for name in RULES]
    soft = [(f"soft-{name}", table_of(RULES[name], SOFTNESS)) for name in RULES if name != "none"]
    return hard + [gate(name, table, partial(atoms_of, table)) for name, table in soft]


def random_tables() -> list[Task]:
    """Return the task whose n samples are random tables p(x1, x2, y) of 36 cells.

    An estimator of it reports how far its solver is from `broja_union`, so that the truth is 0.
    """
    shape = (3, 4, 3)

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray]:
        return (rng.dirichlet(np.full(np.prod(shape), 0.5), n).reshape(n, *shape),)

    return [Task("random-tables", "random tables", sample, lambda: Truth(0.0))]
