from balmi.config.settings import Information, Preprocessing
from balmi.data.cohort import read_cohort
from balmi.data.splits import read_splits
from balmi.information.files import write_split_information
from balmi.information.splits import measure_splits
from balmi.logs import job
from balmi.preprocess.features import Features

with job(snakemake, f"{snakemake.wildcards.dataset}: information of splits"):
    cohort = read_cohort(snakemake.input.cohort)
    splits = read_splits(snakemake.input.splits, cohort)
    preprocessing = Preprocessing(**snakemake.params.preprocessing)
    features = Features(cohort, preprocessing.max_features)
    settings = Information(**snakemake.params.information)
    information = measure_splits(cohort, features, splits, settings)
    write_split_information(information, snakemake.output.information)
