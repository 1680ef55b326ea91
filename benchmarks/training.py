"""Measure how fast replicas train together, against one after the other in plain torch.

Run it by ``make benchmark-training``, or from the root of the repository::

    PYTHONPATH=workflow .venv/bin/python benchmarks/training.py --device cuda

Both sides do the same: the same initial weights, minibatches, dropout noise, losses, validation and
AdamW, and in float64 their predictions agree to rounding. Ratios are of processor seconds of one
thread, or of elapsed seconds on a GPU, measured in one run.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from balmi.config.settings import (
    Balancing,
    Distillation,
    Evaluation,
    Expert,
    Information,
    Method,
    Model,
    Preprocessing,
    Settings,
    Training,
)
from balmi.data.cohort import Cohort, read_cohort
from balmi.data.files import write_json, write_table
from balmi.data.splits import make_splits, read_splits
from balmi.information.splits import measure_splits
from balmi.methods.distillation import (
    new_network,
    no_prior_knowledge,
    plan_distillation,
    pretrain,
)
from balmi.methods.recipes import Guidance, train_method
from balmi.networks.balancing import RULES
from balmi.networks.data import ReplicaData, replica_data
from balmi.networks.seeds import replica_generators
from balmi.networks.trained import predict
from balmi.networks.trainer import Trainer
from balmi.preprocess.features import Features

if TYPE_CHECKING:
    from balmi.data.splits import Split
    from balmi.information.files import SplitInformation

COHORT = Path("results/tcga-brca/cohort.h5mu")
PURPOSE = "benchmark"
MODEL = Model(graph_weight=0)
EPOCHS = 4
EQUAL_EPOCHS = 3
WANTED = {"minibatch": 7.0, "full batch": 1.8, "gpu": 30.0, "equal": 1e-10, "seconds": 60.0}


@dataclass(frozen=True)
class Bench:
    """What is trained: the replicas' data, the settings and the number of epochs."""

    data: ReplicaData
    training: Training


def silent(*_: int) -> None:
    """Tell nobody about an epoch."""


def splits_of(cohort: Cohort, evaluation: Evaluation, folder: Path) -> list[Split]:
    """Return the splits as the workflow makes them."""
    path = folder / "splits.parquet"
    write_table(make_splits(cohort, evaluation), path, "splits")
    return read_splits(path, cohort)


def together(bench: Bench) -> np.ndarray:
    """Train all replicas at once; return the joint head's logits, (replicas, n, classes)."""
    network = new_network(bench.data, MODEL, bench.training.seed, PURPOSE, [Expert.MEAN])
    rule = RULES[Balancing.UNIFORM](no_prior_knowledge(bench.data, MODEL), bench.training)
    trained = Trainer(network, bench.data, rule, bench.training, PURPOSE).run(silent)
    return predict(trained, bench.data)[:, :, -1].cpu().numpy()


class Plain(torch.nn.Module):
    """One replica's network of plain torch layers: the same as the batched one's."""

    def __init__(self, data: ReplicaData, settings: Training) -> None:
        super().__init__()
        batched = new_network(data, MODEL, settings.seed, PURPOSE, [Expert.MEAN])
        self.noise_columns = batched.shape.noise_columns
        kinds = [
            (encoder.first, encoder.second, head.top)
            for encoder, head in zip(batched.encoders, batched.heads, strict=True)
        ]
        self.layers = torch.nn.ModuleList(
            torch.nn.ModuleList(self._plain(layer) for layer in group) for group in kinds
        )

    @staticmethod
    def _plain(layer: torch.nn.Module) -> torch.nn.Linear:
        weight, bias = layer.weight[0].detach(), layer.bias[0, 0].detach()
        plain = torch.nn.Linear(*weight.shape, dtype=weight.dtype, device=weight.device)
        plain.weight.data, plain.bias.data = weight.T.contiguous(), bias.clone()
        return plain

    def forward(
        self, inputs: list[torch.Tensor], has: torch.Tensor, noise: torch.Tensor | None
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return the modalities' logits and their mean over those that are there."""
        rate, logits = MODEL.dropout, []
        parts = [None] * (2 * len(inputs)) if noise is None else noise.split(MODEL.hidden, dim=1)
        for index, (values, (first, second, head)) in enumerate(
            zip(inputs, self.layers, strict=True)
        ):
            hidden = values
            for place, layer in enumerate((first, second)):
                hidden = torch.relu(layer(hidden))
                part = parts[2 * index + place]
                if part is not None:
                    hidden = hidden * (part >= rate) / (1 - rate)
            logits.append(head(hidden))
        there = has.to(logits[0]).unsqueeze(-1)
        mean = (torch.stack(logits, dim=1) * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)
        return logits, mean


class OneByOne:
    """The sequential loop: every replica with a torch.optim optimiser of its own."""

    def __init__(self, bench: Bench) -> None:
        self._data, self._settings = bench.data, bench.training
        rows = np.arange(len(bench.data.labels))
        # A plain loop holds every fold's table; together, rows are standardised as they are drawn.
        self._tables = {
            fold: bench.data.standardised(fold, rows) for fold in set(bench.data.folds.tolist())
        }

    def run(self) -> np.ndarray:
        """Train all replicas; return the joint head's logits, (replicas, n, classes)."""
        return np.stack([self._train(replica) for replica in range(len(self._data.splits))])

    def _train(self, replica: int) -> np.ndarray:
        data, settings = self._data.take([replica]), self._settings
        (split,) = data.splits
        network = Plain(data, settings)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        noise, orders = (
            replica_generators(settings.seed, data.splits, f"{PURPOSE}/{use}")[0]
            for use in ("dropout", "batches")
        )
        share = np.bincount(data.labels.cpu()[split.train], minlength=data.classes)
        share = share / share.sum()
        weight = share**settings.class_weight_power
        weight = torch.from_numpy(weight / (weight * share).sum()).to(data.like)
        columns = network.noise_columns
        steps = None if settings.batch_size is None else -(-data.longest // settings.batch_size)
        best, kept = np.inf, None
        for _ in range(settings.epochs):
            batches = [split.train]
            if steps is not None:
                order = torch.randperm(len(split.train), generator=orders).numpy()
                batches = np.array_split(split.train[order], steps)
            for rows in batches:
                drawn = torch.rand(len(rows), columns, generator=noise).to(data.like)
                loss = sum(self._losses(network, data, rows, weight, drawn))
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
            with torch.no_grad():
                score = float(self._losses(network, data, split.validation, weight, None)[-1])
            if score < best:
                best = score
                kept = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(kept)
        with torch.no_grad():
            rows = np.arange(len(data.labels))
            return network(*self._seen(data, rows), None)[1].cpu().numpy()

    def _seen(self, data: ReplicaData, rows: np.ndarray) -> tuple[list[torch.Tensor], torch.Tensor]:
        tables = self._tables[int(data.folds[0])]
        return [values[rows] for values in tables], data.available[0, rows]

    def _losses(
        self,
        network: Plain,
        data: ReplicaData,
        rows: np.ndarray,
        weight: torch.Tensor,
        noise: torch.Tensor | None,
    ) -> list[torch.Tensor]:
        inputs, has = self._seen(data, rows)
        unimodal, joint = network(inputs, has, noise)
        labels, masks = data.labels[rows], [*has.T, has.any(dim=1)]
        found = []
        for logits, mask in zip([*unimodal, joint], masks, strict=True):
            each = weight[labels] * mask
            value = F.cross_entropy(logits, labels, reduction="none")
            found.append((value * each).sum() / each.sum().clamp(min=1e-300))
        return found


def seconds(work: object, device: torch.device) -> float:
    """Return processor seconds of some work, or elapsed seconds on a GPU."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    start = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def peak_megabytes(device: torch.device) -> float:
    """Return the largest memory of the process so far, or of the GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def default_method(
    cohort: Cohort, features: Features, splits: list[Split], device: torch.device
) -> None:
    """Pretrain, distil and train the default method as the workflow does, in all folds."""
    training, model = Training(), Model()
    data = replica_data(
        cohort, features, splits, None, device, members=training.members_for(len(cohort.samples))
    )
    information = _information(cohort, features, splits)
    start = time.process_time(), time.perf_counter()
    plan = plan_distillation(information, Distillation()).take(data.folds.cpu().numpy())
    told = pretrain(data, plan, model, training, Distillation(), lambda _: silent)
    guidance = Guidance(information, told.parameters)
    settings = Settings(model=model, training=training)
    train_method(Method.BALANCED, cohort, data, guidance, settings, silent)
    return time.process_time() - start[0], time.perf_counter() - start[1], len(data.splits)


def _information(cohort: Cohort, features: Features, splits: list[Split]) -> SplitInformation:
    """Return what steers training: a stage of its own, whose time is not counted here."""
    return measure_splits(cohort, features, splits, Information())


def main() -> None:
    """Print all ratios, one line each, and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", type=Path, default=COHORT)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--replicas", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=Path("results/benchmark-training"))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    device = torch.device(asked.device)
    cohort = read_cohort(asked.cohort)
    features = Features(cohort, Preprocessing().max_features)
    evaluation = Evaluation(repeats=-(-asked.replicas // 5), folds=5)
    splits = splits_of(cohort, evaluation, asked.folder)[: asked.replicas]
    found: dict[str, float] = {"replicas": len(splits)}

    def told(name: str, value: float, text: str) -> None:
        found[name] = round(value, 6) if value > 1e-6 else value
        print(f"{name:34} {text}", flush=True)  # the command's own output

    few = splits[:5]
    double = replica_data(cohort, features, few, None, device, torch.float64)
    for name, batch in (("minibatch", 32), ("full batch", None)):
        settings = Training(epochs=EQUAL_EPOCHS, patience=EQUAL_EPOCHS, batch_size=batch)
        bench = Bench(double, settings)
        apart = float(np.abs(together(bench) - OneByOne(bench).run()).max())
        told(f"{name}, difference", apart, f"{apart:.1e} in float64 (wanted {WANTED['equal']})")
    data = replica_data(cohort, features, splits, None, device)
    for name, batch in (("minibatch", 32), ("full batch", None)):
        epochs = EPOCHS if batch else EPOCHS * 10
        bench = Bench(data, Training(epochs=epochs, patience=epochs, batch_size=batch))
        together(Bench(data, bench.training.model_copy(update={"epochs": 1})))  # warm up
        fast = seconds(lambda bench=bench: together(bench), device)
        slow = seconds(lambda bench=bench: OneByOne(bench).run(), device)
        wanted = WANTED["gpu"] if device.type == "cuda" else WANTED[name]
        told(
            f"{name}, ratio",
            slow / fast,
            f"{slow / fast:.1f}x: {slow:.1f} s one by one, {fast:.1f} s together"
            f" ({len(splits)} replicas, {epochs} epochs; wanted {wanted})",
        )
    told("training, peak memory (MB)", peak_megabytes(device), f"{peak_megabytes(device):.0f}")
    whole = splits_of(cohort, Evaluation(), asked.folder)
    processor, elapsed, networks = default_method(cohort, features, whole, device)
    told(
        "balanced, processor seconds",
        processor,
        f"{processor:.1f} ({elapsed:.1f} elapsed; {len(whole)} folds, {networks} networks and their"
        f" pretraining; wanted {WANTED['seconds']:.0f})",
    )
    told("balanced, peak memory (MB)", peak_megabytes(device), f"{peak_megabytes(device):.0f}")
    write_json(found, asked.folder / f"training-{asked.device}.json")


if __name__ == "__main__":
    main()
