from balmi.config.settings import Preprocessing
from balmi.data.cohort import read_cohort
from balmi.data.splits import read_splits
from balmi.logs import job
from balmi.preprocess.features import Features
from balmi.preprocess.files import write_preprocessing

with job(snakemake, f"{snakemake.wildcards.dataset}: preprocessing"):
    cohort = read_cohort(snakemake.input.cohort)
    splits = read_splits(snakemake.input.splits, cohort)
    preprocessing = Preprocessing(**snakemake.params.preprocessing)
    features = Features(cohort, preprocessing.max_features)
    write_preprocessing(features, splits, cohort, snakemake.output.preprocessing)
