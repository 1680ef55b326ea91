from balmi.config.settings import Evaluation
from balmi.data.cohort import read_cohort
from balmi.data.files import read_table, write_table
from balmi.data.splits import read_splits
from balmi.evaluation.absence import absence_table
from balmi.evaluation.checklist import Evidence, trust_table
from balmi.logs import job
from balmi.preprocess.files import read_features

with job(snakemake, f"{snakemake.wildcards.dataset}: trust"):
    cohort = read_cohort(snakemake.input.cohort)
    splits, absence = read_splits(snakemake.input.splits, cohort), absence_table(cohort)
    evidence = Evidence(
        cohort=cohort,
        splits=splits,
        predictions=read_table(snakemake.input.predictions, "predictions"),
        information=read_table(snakemake.input.information, "information"),
        controls=read_table(snakemake.input.controls, "controls"),
        absence=absence,
        features=read_features(snakemake.input.preprocessing, cohort, splits),
        asked=Evaluation(**snakemake.params.evaluation).repeats_drawn(len(cohort.samples)),
        label_from=snakemake.params.label_from,
    )
    write_table(absence, snakemake.output.absence, "absence")
    write_table(trust_table(evidence), snakemake.output.trust, "trust")
