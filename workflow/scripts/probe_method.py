from balmi.config.settings import Method, Settings
from balmi.experiments.probes.job import probe_job
from balmi.logs import job

method = Method(snakemake.wildcards.method)
settings = Settings(**snakemake.params.settings)
with job(snakemake, f"{snakemake.wildcards.dataset}: probe {method}"):
    probe_job(method, settings, dict(snakemake.input.items()), **dict(snakemake.output.items()))
