from balmi.data.cohort import read_cohort
from balmi.data.files import write_table
from balmi.evaluation.evaluate import evaluation_tables, joined, status_table
from balmi.logs import job
from balmi.methods.outcome import empty_experts, empty_training

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: evaluate"):
    cohort = read_cohort(snakemake.input.cohort)
    predictions = joined(snakemake.input.predictions)
    write_table(predictions, snakemake.output.predictions)
    share = snakemake.params.training_share
    for name, table in evaluation_tables(predictions, cohort, share).items():
        write_table(table, snakemake.output[name])
    histories = snakemake.input.get("training", [])
    training = joined(histories) if histories else empty_training()
    pools = snakemake.input.get("experts", [])
    write_table(joined(pools) if pools else empty_experts(), snakemake.output.experts)
    write_table(training, snakemake.output.training)
    write_table(status_table(snakemake.input.status), snakemake.output.methods)
