"""The tables of predictions whose folds learn from all samples that they do not test."""

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.evaluate import evaluation_tables
from balmi.evaluation.statistics import held_out_ratio


def evaluated(predictions, cohort, followed=PrimaryMetric.MACRO_F1):
    """Return what `evaluation_tables` makes of predictions, by the ratio that they show."""
    ratio = held_out_ratio(predictions, len(cohort.samples))
    return evaluation_tables(predictions, cohort, ratio, followed)
