from balmi.config.settings import PrimaryMetric, Robustness
from balmi.data.cohort import read_roster
from balmi.data.files import read_table, write_table
from balmi.evaluation.evaluate import joined
from balmi.evaluation.statistics import split_ratio
from balmi.experiments.controls.table import control_table
from balmi.experiments.probes.alterations import empty_probes
from balmi.experiments.probes.contributions import contribution_table
from balmi.experiments.probes.embedding import embedding_table, read_places
from balmi.experiments.robustness import robustness_table, run_status_table
from balmi.experiments.scores import all_scores
from balmi.logs import job

inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
with job(snakemake, f"{snakemake.wildcards.dataset}: robustness"):
    cohort, predictions = read_roster(inputs.samples), read_table(inputs.predictions, "predictions")
    splits, settings = read_table(inputs.splits, "splits"), Robustness(**params.robustness)
    probes = joined(inputs.probes, "probes") if inputs.probes else empty_probes(cohort.classes)
    trained = [read_table(path, "predictions") for path in inputs.shares]
    shares, ratio = dict(zip(map(float, params.shares), trained, strict=True)), split_ratio(splits)
    metric = PrimaryMetric(params.primary_metric)
    scores = all_scores(cohort, predictions, probes, shares, splits, metric)
    write_table(robustness_table(scores, cohort.modalities), outputs.robustness, "robustness")
    found = contribution_table(scores, cohort.modalities, settings)
    write_table(found, outputs.contributions, "contributions")
    drawn = None if probes.empty else read_places(inputs.preprocessing, cohort, splits)
    write_table(embedding_table(cohort, predictions, probes, drawn), outputs.embedding, "embedding")
    found = control_table(
        list(map(read_table, inputs.controls)), cohort.classes, split_ratio(splits)
    )
    write_table(found, outputs.controls, "controls")
    write_table(run_status_table(inputs.status), outputs.robustness_status, "robustness_status")
