"""A simulated CITE-seq cohort of any number of cells: counts of RNA, and of antibodies (ADT).

Four lineages have three cell types each, of which three are rare (1 to 2 % of the cells). Mean
expression is log-normal over genes; a lineage raises some of them, a type changes others, and a
donor all of them a little. A cell has a size, and its counts are Poisson: every molecule comes from
its type's profile, from a programme that cells of all types run to a different degree, or from the
ambient RNA of the suspension, which is the mean of all profiles. Some 5 % of 20,000 genes are seen
in a cell. Antibodies tell lineages apart less well than genes do, and types of one lineage far
less: they are the weak modality. Their counts are gamma-Poisson around a background.

Cells are drawn in blocks with a generator of their own each, and stay sparse: time grows with the
cells, and memory is twice what is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

if TYPE_CHECKING:
    from anndata import AnnData

    from balmi.config.settings import Simulation

# Cell type -> share of the cells; the first letter is its lineage.
SHARES = {
    **{"a1": 0.18, "a2": 0.14, "a3": 0.02},
    **{"b1": 0.14, "b2": 0.10, "b3": 0.015},
    **{"c1": 0.12, "c2": 0.08, "c3": 0.01},
    **{"d1": 0.085, "d2": 0.07, "d3": 0.04},
}
LINEAGES = np.unique([name[0] for name in SHARES], return_inverse=True)[1]  # of each type
DONORS = 10
BLOCK = 1_000  # cells that are drawn at once
GENES_PER_ANTIBODY = 100

SPREAD = 2.0  # standard deviation of the genes' log mean expression
MARKERS = 0.05  # share of the genes that a lineage raises
MARKED = 1.0  # by how much, in log units
CHANGED = 0.03  # share of the genes that a type changes
CHANGE, DONOR_EFFECT, PROGRAMME = 1.0, 0.15, 1.0  # standard deviations of log fold changes
ACTIVITY = (1.0, 9.0)  # Beta distribution of the share of a cell's molecules from the programme
AMBIENT = 0.1  # share of a cell's molecules that are not its own
MOLECULES = 0.08  # per gene, of a cell of median size
SIZES = 0.4  # standard deviation of the log sizes

BACKGROUND, BACKGROUNDS = 1.0, 1.0  # mean and standard deviation of log counts of an antibody
LINEAGE_SIGNAL, TYPE_SIGNAL, DONOR_SIGNAL = 0.15, 0.1, 0.1  # standard deviations, log units
SHAPE = 4.0  # of the gamma distribution behind a count: its variance is mean + mean^2 / shape


@dataclass(frozen=True)
class _World:
    """What all cells are drawn from.

    Parameters
    ----------
    profiles
        Cumulative shares of the genes in the molecules of every source; (types x donors + 2,
        genes): own ones, type by type, then the programme, then ambient RNA.
    antibodies
        Mean counts in a cell of median size; (types x donors, antibodies).
    """

    profiles: np.ndarray
    antibodies: np.ndarray


def _world(genes: int, seed: int) -> _World:
    """Draw mean expression and effects of lineages, types and donors."""
    rng = np.random.default_rng([seed, 0])
    types = len(SHARES)
    base = SPREAD * rng.standard_normal(genes)
    lineages = MARKED * (rng.random((LINEAGES.max() + 1, genes)) < MARKERS)
    changed = rng.random((types, genes)) < CHANGED
    own = lineages[LINEAGES] + np.where(changed, CHANGE * rng.standard_normal((types, genes)), 0)
    donors = DONOR_EFFECT * rng.standard_normal((DONORS, genes))
    logs = (base + own[:, None, :] + donors).reshape(types * DONORS, genes)
    programme = base + PROGRAMME * rng.standard_normal(genes)
    shares = np.exp(np.vstack([logs, programme]))
    shares /= shares.sum(axis=1, keepdims=True)
    cells = np.repeat(list(SHARES.values()), DONORS) / DONORS
    ambient = cells @ shares[:-1]
    profiles = np.cumsum(np.vstack([shares, ambient]), axis=1)
    profiles /= profiles[:, -1:]

    antibodies = max(types, genes // GENES_PER_ANTIBODY)
    background = BACKGROUND + BACKGROUNDS * rng.standard_normal(antibodies)
    raised = LINEAGE_SIGNAL * rng.standard_normal((LINEAGES.max() + 1, antibodies))[LINEAGES]
    raised += TYPE_SIGNAL * rng.standard_normal((types, antibodies))
    batches = DONOR_SIGNAL * rng.standard_normal((DONORS, antibodies))
    means = np.exp(background + raised[:, None, :] + batches)
    return _World(profiles, means.reshape(types * DONORS, antibodies))


def cells_per_type(cells: int) -> np.ndarray:
    """Return how many cells each type has: its share, and one per donor at least; (types,)."""
    shares = np.array(list(SHARES.values()))
    wanted = np.maximum(shares * cells - DONORS, 0)
    spare = cells - DONORS * len(shares)
    counts = DONORS + np.floor(wanted / wanted.sum() * spare + 1e-9).astype(int)
    counts[np.argmax(shares)] += cells - counts.sum()
    return counts


def _deal(cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return type and donor of every cell; no donor lacks a type, and donors differ in size."""
    rng = np.random.default_rng([seed, 1])
    sizes = rng.dirichlet(np.full(DONORS, 5.0))
    counts = cells_per_type(cells)
    donors = [
        np.concatenate([np.arange(DONORS), rng.choice(DONORS, count - DONORS, p=sizes)])
        for count in counts
    ]
    order = rng.permutation(cells)
    return np.repeat(np.arange(len(counts)), counts)[order], np.concatenate(donors)[order]


def _genes(
    world: _World, sources: np.ndarray, sizes: np.ndarray, rng: np.random.Generator
) -> csr_array:
    """Draw the counts of genes of some cells, whose own profiles are the `sources`."""
    genes = world.profiles.shape[1]
    molecules = rng.poisson(MOLECULES * genes * sizes)
    ambient = rng.binomial(molecules, AMBIENT)
    running = rng.binomial(molecules - ambient, rng.beta(*ACTIVITY, len(sizes)))
    programme = len(world.profiles) - 2
    counts = np.concatenate([molecules - ambient - running, running, ambient])
    profiles = np.concatenate([sources, np.repeat([programme, programme + 1], len(sources))])
    cells = np.tile(np.arange(len(sources)), 3)
    order = np.argsort(profiles, kind="stable")  # molecules of one source are drawn together
    drawn = np.concatenate(
        [
            np.searchsorted(world.profiles[profile], rng.random(counts[profiles == profile].sum()))
            for profile in np.unique(profiles)
        ]
    )
    rows = np.repeat(cells[order], counts[order])
    ones = np.ones(len(rows), dtype=np.float32)
    places = (rows.astype(np.int32), drawn.astype(np.int32))  # half the memory of 64 bits
    return csr_array((ones, places), shape=(len(sources), genes))


def _table(values: np.ndarray | csr_array, cells: list[str], feature: str) -> AnnData:
    from anndata import AnnData

    digits = len(str(values.shape[1] - 1))
    names = [f"{feature}-{i:0{digits}d}" for i in range(values.shape[1])]
    return AnnData(values, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=names))


def simulate_citeseq(settings: Simulation) -> tuple[pd.DataFrame, dict[str, AnnData]]:
    """Draw a CITE-seq cohort.

    Parameters
    ----------
    settings
        Samples are cells, features the genes; there is an antibody per hundred genes, and one per
        type at least.

    Returns
    -------
    samples
        Columns celltype and donor, indexed by cell.
    modalities
        ``rna``, counts of genes as CSR, and ``adt``, counts of antibodies, dense; float32.
    """
    world = _world(settings.features, settings.seed)
    types, donors = _deal(settings.samples, settings.seed)
    sources = types * DONORS + donors
    rna, adt = [], np.empty((settings.samples, world.antibodies.shape[1]), dtype=np.float32)
    for number, start in enumerate(range(0, settings.samples, BLOCK)):
        rng = np.random.default_rng([settings.seed, 2, number])
        block = slice(start, start + BLOCK)
        own = sources[block]
        size, depth = np.exp(SIZES * rng.standard_normal((2, len(own))))
        rna.append(_genes(world, own, size, rng))
        means = world.antibodies[own] * depth[:, None]
        adt[block] = rng.poisson(rng.gamma(SHAPE, means / SHAPE))
    cells = [f"cell-{i:07d}" for i in range(settings.samples)]
    samples = pd.DataFrame(
        {
            "celltype": np.array(list(SHARES))[types],
            "donor": [f"donor-{donor:02d}" for donor in donors],
        },
        index=cells,
    )
    counts = csr_array(vstack(rna, format="csr"))
    return samples, {"rna": _table(counts, cells, "gene"), "adt": _table(adt, cells, "protein")}
