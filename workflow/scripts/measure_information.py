from balmi.config.settings import Information, Preprocessing
from balmi.data.cohort import read_cohort
from balmi.data.files import write_table
from balmi.data.splits import read_splits
from balmi.information.measure import measure_cohort
from balmi.logs import job
from balmi.preprocess.features import Features

with job(snakemake, f"{snakemake.wildcards.dataset}: information"):
    cohort = read_cohort(snakemake.input.cohort)
    preprocessing = Preprocessing(**snakemake.params.preprocessing)
    features = Features(cohort, preprocessing.max_features)
    splits = read_splits(snakemake.input.splits, cohort)
    settings = Information(**snakemake.params.information)
    table = measure_cohort(cohort, features, settings, splits)
    write_table(table, snakemake.output.information, "information")
