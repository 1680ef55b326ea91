"""The balancing rules by name, and what the manual says of each.

How each works is in `balmi.networks.balancing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Balancing(StrEnum):
    """The rules that balance the modalities in training."""

    UNIFORM = "uniform"
    INFORMATION = "information"
    INVERSE = "inverse"
    OGM = "ogm"
    OGM_GE = "ogm-ge"
    AGM = "agm"
    PMR = "pmr"
    G_BLENDING = "g-blending"
    MMPARETO = "mmpareto"
    GRADNORM = "gradnorm"
    KENDALL = "kendall"
    UMT = "umt"
    MODALITY_DROPOUT = "modality-dropout"


@dataclass(frozen=True)
class Rule:
    """A rule, as the manual tells of it.

    Parameters
    ----------
    meaning
        What it does, in words.
    source
        Where it comes from; empty where that needs no words.
    """

    meaning: str
    source: str = ""


OGM = "Peng et al., CVPR 2022, arXiv:2203.15332"
BALANCING: dict[Balancing, Rule] = {
    Balancing.UNIFORM: Rule("all losses weigh alike"),
    Balancing.INFORMATION: Rule(
        "a modality's own loss weighs more the worse its macro-F1 and the more it knows of the"
        " label and shares with the others; 0 where it knows no more than chance",
        "arXiv:2511.00987, as read here",
    ),
    Balancing.INVERSE: Rule("the negative control: the better the macro-F1, the larger the weight"),
    Balancing.OGM: Rule(
        "slows the encoder of a modality that is surer of the true class than the others", OGM
    ),
    Balancing.OGM_GE: Rule("the same, and adds noise as large as the gradients", OGM),
    Balancing.AGM: Rule(
        "speeds up and slows encoder and head by how the modality's Shapley share in the joint"
        " prediction compares with its running mean",
        "Li et al., ICCV 2023, arXiv:2308.07686",
    ),
    Balancing.PMR: Rule(
        "pulls embeddings of a modality that lags behind towards the prototypes of their classes",
        "Fan et al., CVPR 2023, arXiv:2211.07089",
    ),
    Balancing.G_BLENDING: Rule(
        "every five epochs, weighs heads by what their validation losses gained over the square of"
        " how much more they overfit",
        "Wang et al., CVPR 2020, arXiv:1905.12681",
    ),
    Balancing.MMPARETO: Rule(
        "where joint and own gradients of an encoder conflict, takes the combination that harms"
        " neither",
        "Wei and Hu, ICML 2024, arXiv:2405.17730",
    ),
    Balancing.GRADNORM: Rule(
        "learns weights under which all modalities' gradients are alike, larger for those that"
        " learn slowly",
        "Chen et al., ICML 2018, arXiv:1711.02257",
    ),
    Balancing.KENDALL: Rule(
        "learns weights as inverse variances of the losses",
        "Kendall et al., CVPR 2018, arXiv:1705.07115",
    ),
    Balancing.UMT: Rule(
        "holds every encoder to the embeddings of the one pretrained alone",
        "Du et al., ICML 2023, arXiv:2305.01233",
    ),
    Balancing.MODALITY_DROPOUT: Rule(
        "hides modalities of a sample at random, never the last that it has",
        "Neverova et al., TPAMI 2016, arXiv:1501.00102",
    ),
}
