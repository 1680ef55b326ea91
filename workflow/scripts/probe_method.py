from balmi.config.settings import Method
from balmi.experiments.probes.job import ProbeSettings, probe_job
from balmi.logs import job

method = Method(snakemake.wildcards.method)
with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: probe {method}"):
    settings = ProbeSettings.of(snakemake.params.sections)
    probe_job(method, settings, dict(snakemake.input.items()), **dict(snakemake.output.items()))
