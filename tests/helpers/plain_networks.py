"""Networks pair by pair, as their formulas are written."""

import numpy as np


def distances_of(values):
    return np.array([[np.linalg.norm(a - b) for b in values] for a in values])


def nearest_mean(distances, neighbours):
    return float(np.mean(sorted(distances)[:neighbours])) if len(distances) else 0.0


def scales_of(values, neighbours):
    """Mean distance of every sample to its nearest others."""
    distance = distances_of(values)
    return np.array([nearest_mean(np.delete(row, i), neighbours) for i, row in enumerate(distance)])


def kernel_of(values, neighbours):
    """Scaled kernel of the samples among each other."""
    distance, nearest = distances_of(values), scales_of(values, neighbours)
    n = len(values)
    kernel = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            eps = (nearest[i] + nearest[j] + distance[i, j]) / 3
            kernel[i, j] = np.exp(-(distance[i, j] ** 2) / (0.5 * eps**2))
    return kernel


def full(w):
    """P of Wang et al. (2014), equation 2: one half on the diagonal."""
    n = len(w)
    p = np.empty_like(w)
    for i in range(n):
        total = sum(w[i, k] for k in range(n) if k != i)
        for j in range(n):
            p[i, j] = 0.5 if i == j else w[i, j] / (2 * total)
    return p


def local(w, neighbours):
    """S of equation 3; the neighbours of a sample include it."""
    s = np.zeros_like(w)
    for i in range(len(w)):
        near = sorted(range(len(w)), key=lambda j: -w[i, j])[:neighbours]
        for j in near:
            s[i, j] = w[i, j] / sum(w[i, k] for k in near)
    return s


def plain_fusion(kernels, neighbours, iterations):
    """Equations 4 and 5, each network diffused by the mean of the others, then renormalised."""
    p = [full(w) for w in kernels]
    s = [local(w, neighbours) for w in kernels]
    for _ in range(iterations):
        new = []
        for v in range(len(kernels)):
            others = sum(p[k] for k in range(len(kernels)) if k != v) / (len(kernels) - 1)
            diffused = s[v] @ others @ s[v].T
            new.append(full((diffused + diffused.T) / 2))
        p = new
    fused = sum(p) / len(p)
    return (fused + fused.T) / 2


def plain_pruned(fused, kept):
    """The largest `kept` per row, joined with its transpose, and D^-1/2 W D^-1/2."""
    n = len(fused)
    pruned = np.zeros_like(fused)
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: -fused[i, j])
        for j in order[:kept]:
            pruned[i, j] = fused[i, j]
    for i in range(n):
        for j in range(i):
            pruned[i, j] = pruned[j, i] = max(pruned[i, j], pruned[j, i])
    degree = pruned.sum(axis=1)
    normalised = np.zeros_like(pruned)
    for i, j in np.argwhere(pruned):
        normalised[i, j] = pruned[i, j] / np.sqrt(degree[i] * degree[j])
    return normalised


def plain_candidates(features, available, core, neighbours, count):
    """Mean similarity of the pairs near in some modality, 0 elsewhere; every row by the core.

    `neighbours` decides the scales, and `count` how long a modality's list of neighbours is.
    """
    n = len(available)
    total, seen, near = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n), dtype=bool)
    for values, has in zip(features.values(), available.T, strict=True):
        distance = distances_of(values)
        inside = [j for j in core if has[j]]
        targets = {i: [j for j in inside if j != i] for i in range(n) if has[i]}
        scale = {i: nearest_mean(distance[i, js], neighbours) for i, js in targets.items()}
        for i, js in targets.items():
            for j in js:
                eps = (scale[i] + scale[j] + distance[i, j]) / 3
                total[i, j] += np.exp(-(distance[i, j] ** 2) / (0.5 * eps**2))
                seen[i, j] += 1
            near[i, sorted(js, key=lambda j, i=i: distance[i, j])[:count]] = True
    inner = np.ix_(core, core)
    near[inner] |= near[inner].T
    return np.where(near, total / np.maximum(seen, 1), 0)
