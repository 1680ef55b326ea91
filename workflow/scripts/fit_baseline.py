from balmi.config.settings import Method
from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.logs import job
from balmi.methods.outcome import write_outcome
from balmi.methods.peers.bases import read_bases
from balmi.methods.peers.run import baseline_stage
from balmi.preprocess.files import read_features

method, bases = Method(snakemake.wildcards.method), snakemake.input.get("bases")
with job(snakemake, f"{snakemake.wildcards.dataset}: {method}"):
    cohort = read_roster(snakemake.input.samples)
    splits = read_splits(snakemake.input.splits, cohort)
    features = read_features(snakemake.input.preprocessing, cohort, splits)
    known = read_bases(bases, cohort, splits) if bases else None
    status, result = baseline_stage(method, cohort, features, splits, known)
    write_outcome(status, result, snakemake.output.predictions, snakemake.output.status)
