"""Checkpoints: all that a training needs to go on bit-equal, in one safetensors file.

Tensors are stored as such and everything else as JSON in the file's header; nothing is pickled. A
checkpoint belongs to one training: it carries a fingerprint of all that the training starts from,
and is not used for another.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from balmi.data.files import replace_when_written

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

logger = logging.getLogger("balmi")

HEADER = "balmi"


def tensor_hash(tensors: Iterable[torch.Tensor], *words: object) -> str:
    """Return a hash of tensors (type, shape, values) and of words."""
    digest = hashlib.sha256(json.dumps([str(word) for word in words]).encode())
    for tensor in tensors:
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{values.dtype}{tuple(values.shape)}".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoints:
    """The folder of one job's checkpoints; each training in the job has a file of its own.

    Parameters
    ----------
    folder
        Where they lie. It is no output of the job, so that it outlives a killed one.
    every
        Epochs between checkpoints.
    """

    folder: Path
    every: int

    def save(self, name: str, tensors: dict[str, torch.Tensor], header: dict[str, object]) -> None:
        """Write a training's checkpoint, whole or not at all.

        Parameters
        ----------
        name
            The training's fingerprint.
        tensors
            Names -> tensors.
        header
            What is no tensor, as JSON can hold it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        stored = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        with replace_when_written(self._path(name)) as part:
            save_file(stored, part, metadata={HEADER: json.dumps(header)})

    def load(self, name: str) -> tuple[dict[str, torch.Tensor], dict[str, object]] | None:
        """Read the checkpoint of a training; None where there is none."""
        path = self._path(name)
        if not path.exists():
            return None
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()[HEADER])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        logger.info("going on from a checkpoint after epoch %s", header.get("epochs"))
        return tensors, header

    def clear(self) -> None:
        """Remove all checkpoints: the job has come to its end."""
        if self.folder.exists():
            for path in self.folder.glob("*.safetensors"):
                path.unlink()
            self.folder.rmdir()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name[:32]}.safetensors"
