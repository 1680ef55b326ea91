"""The methods that a configuration names."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """The classifiers that can be compared."""

    POOLED = "pooled"
    UNIMODAL_POOLED = "unimodal-pooled"
    BALANCED = "balanced"
    UNIFORM = "uniform"
    CONCAT_MLP = "concat-mlp"
    CONCAT_LR = "concat-lr"
    STACKED_LR = "stacked-lr"
    UNIMODAL_LR = "unimodal-lr"
    LATE_FUSION = "late-fusion"
    MAJORITY = "majority"
    CONCAT_LR_BALANCED = "concat-lr-balanced"
    CONCAT_SVM = "concat-svm"
    CONCAT_FOREST = "concat-forest"
    CONCAT_BOOSTING = "concat-boosting"
    NNLS_STACK = "nnls-stack"
    STACKED_LR_BALANCED = "stacked-lr-balanced"
    SNF = "snf"
    VCDN = "vcdn"
    ENSEMBLE = "ensemble"
    ABSENCE_LR = "absence-lr"


# The other methods run only when asked for.
DEFAULT_METHODS = (
    *(Method.POOLED, Method.UNIMODAL_POOLED),
    *(Method.BALANCED, Method.UNIFORM, Method.CONCAT_MLP, Method.CONCAT_LR),
    *(Method.STACKED_LR, Method.UNIMODAL_LR, Method.LATE_FUSION),
    *(Method.CONCAT_SVM, Method.NNLS_STACK),
)


# Those that a final model can be made of: what they learn can be written down as arrays.
FINAL_METHODS = (
    *(Method.POOLED, Method.UNIMODAL_POOLED, Method.STACKED_LR, Method.STACKED_LR_BALANCED),
    *(Method.UNIMODAL_LR, Method.LATE_FUSION, Method.CONCAT_LR, Method.CONCAT_LR_BALANCED),
    *(Method.CONCAT_SVM, Method.CONCAT_FOREST, Method.NNLS_STACK, Method.MAJORITY),
    *(Method.BALANCED, Method.UNIFORM, Method.ENSEMBLE, Method.CONCAT_MLP),
)
# Those of them whose networks pass messages on training samples where `model.graph_weight` is above
# 0: that network is not written.
PASSING_MESSAGES = (Method.BALANCED, Method.UNIFORM, Method.ENSEMBLE)
