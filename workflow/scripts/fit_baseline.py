from functools import partial

from balmi.config.settings import Method
from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.logs import job
from balmi.methods.outcome import Result, attempt, write_outcome
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.files import read_features

method = Method(snakemake.wildcards.method)
with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: {method}"):
    cohort = read_roster(snakemake.input.samples)
    splits = read_splits(snakemake.input.splits, cohort)
    features = read_features(snakemake.input.preprocessing, cohort, splits)
    fit = partial(fit_baseline, method, cohort, features, splits)
    status, result = attempt(method, fit, Result.none(cohort.classes))
    write_outcome(status, result, snakemake.output.predictions, snakemake.output.status)
