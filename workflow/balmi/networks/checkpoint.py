"""Checkpoints: all that a training needs to go on bit-equal, in one safetensors file.

Tensors are stored as such and everything else as JSON in the file's header; nothing is pickled. A
checkpoint belongs to one training: it carries a fingerprint of all that the training starts from,
and is not used for another. It is a convenience: what goes wrong with it is said, and stops no
training.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from balmi.data.files import DiskFull
from balmi.errors import UserError
from balmi.networks.parameters import read_parameters, write_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

logger = logging.getLogger("balmi")


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
        """Write a training's checkpoint, whole or not at all; a full disk is only warned of.

        Parameters
        ----------
        name
            The training's fingerprint.
        tensors
            Names -> tensors.
        header
            What is no tensor, as JSON can hold it.
        """
        try:
            write_parameters(tensors, self._path(name), header)
        except (DiskFull, OSError) as error:
            logger.warning("no checkpoint is kept, and training goes on: %s", error)

    def load(self, name: str) -> tuple[dict[str, torch.Tensor], dict[str, object]] | None:
        """Read the checkpoint of a training; None where there is none, or none of use."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            tensors, header = read_parameters(path)
        except (UserError, OSError) as error:
            logger.warning("a checkpoint is dropped, and training starts anew: %s", error)
            return None
        logger.info("going on from a checkpoint after epoch %s", header.get("epochs"))
        return tensors, header

    def clear(self) -> None:
        """Remove the folder and all that lies there: the job has come to its end."""
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as error:
            logger.warning("checkpoints that are not needed any more stay behind: %s", error)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name[:32]}.safetensors"
