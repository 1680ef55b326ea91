"""The training history as a tidy table."""

import numpy as np
import pandas as pd
import torch

from balmi.networks.epoch import Epoch
from balmi.networks.history import head_names, history_table
from balmi.tables.contract import TABLES


def epoch(active, weight, fusions=1):
    replicas = len(active)
    weights = torch.full((replicas, 1), weight, dtype=torch.float64)
    heads = torch.full((replicas, 1 + fusions), 0.5)
    share = torch.ones(replicas, 1)
    joint = torch.full((replicas,), 0.7)
    return Epoch(torch.tensor(active), weights, joint, heads, heads + 1, heads + 2, share)


def test_history_is_tidy_and_ends_with_each_replica(data):
    two = data.only("weak").take([0, 1])
    history = [epoch([True, True], 1.0), epoch([True, False], 0.5)]
    table = history_table("balanced", "joint", history, two)
    expected = pd.DataFrame(
        {
            "fold": [0, 0, 1, 1, 0, 0],
            "epoch": [0, 0, 0, 0, 1, 1],
            "modality": ["weak", "joint"] * 3,
            "weight": [1.0, 0.7, 1.0, 0.7, 0.5, 0.7],
            "loss": 0.5,
            "validation_loss": 1.5,
            "macro_f1": 2.5,
            "gradient_share": [1.0, np.nan] * 3,
        }
    )
    pd.testing.assert_frame_equal(table[list(expected)], expected, check_dtype=False)
    assert (table["member"] == 0).all()


def test_members_and_further_heads_have_rows_of_their_own(ensemble):
    own = ensemble.only("weak")
    table = history_table("ensemble", "joint", [epoch([True] * 9, 1.0, fusions=3)], own)
    assert list(table) == list(TABLES["training"].names)
    kinds = {
        name: kind for name, kind in TABLES["training"].empty().dtypes.items() if kind != "str"
    }
    assert table[list(kinds)].dtypes.astype(str).to_dict() == kinds
    key = ["repeat", "fold", "member", "epoch", "modality"]
    assert not table.duplicated(key).any()
    assert table.groupby("fold")["member"].unique().map(list).tolist() == [[0, 1, 2]] * 3
    assert table["modality"].iloc[:4].tolist() == ["weak", "joint", "joint-2", "joint-3"]
    assert head_names(own, 0) == ["weak"]
