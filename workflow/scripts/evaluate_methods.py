from balmi.data.cohort import read_cohort
from balmi.data.files import write_table
from balmi.evaluation.evaluate import comparison_table, joined, performance_table, status_table
from balmi.evaluation.statistics import split_ratio
from balmi.logs import job
from balmi.outcome import empty_experts, empty_training

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: evaluate"):
    cohort = read_cohort(snakemake.input.cohort)
    predictions = joined(snakemake.input.predictions)
    performance = performance_table(predictions, cohort)
    fraction = split_ratio(predictions, len(cohort.samples), snakemake.params.training_share)
    comparisons = comparison_table(performance, fraction)
    histories = snakemake.input.get("training", [])
    training = joined(histories) if histories else empty_training()
    pools = snakemake.input.get("experts", [])
    write_table(joined(pools) if pools else empty_experts(), snakemake.output.experts)
    write_table(predictions, snakemake.output.predictions)
    write_table(performance, snakemake.output.performance)
    write_table(comparisons, snakemake.output.comparisons)
    write_table(training, snakemake.output.training)
    write_table(status_table(snakemake.input.status), snakemake.output.methods)
