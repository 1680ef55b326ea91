from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.logs import job
from balmi.methods.peers.bases import fit_bases, write_bases
from balmi.preprocess.files import read_features

with job(snakemake, f"{snakemake.wildcards.dataset}: base regressions"):
    cohort = read_roster(snakemake.input.samples)
    splits = read_splits(snakemake.input.splits, cohort)
    features = read_features(snakemake.input.preprocessing, cohort, splits)
    bases = fit_bases(cohort, features, splits)
    write_bases(bases, splits, cohort, snakemake.output.bases)
