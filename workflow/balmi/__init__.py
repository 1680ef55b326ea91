"""balmi: balanced multimodal learning via mutual information, for multi-omics cohorts.

Sub-packages import downwards only: ``config <- data <- preprocess <- {information, graph} <-
models <- training <- baselines <- evaluation <- report``.
"""

__version__ = "0.1.0"
