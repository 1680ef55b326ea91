"""balmi: balanced multimodal learning via mutual information, for multi-omics cohorts.

Sub-packages import downwards only, which a test holds: ``config <- data <- preprocess <-
{information, graph} <- networks <- methods <- evaluation <- {experiments, report}``; the modules
beside them are the ground, under all.
"""

__version__ = "0.1.0"
