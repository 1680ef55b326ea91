from balmi.config.settings import Method, Robustness
from balmi.experiments.probes.peers import fit_probed_job
from balmi.logs import job

method, settings = Method(snakemake.wildcards.method), Robustness(**snakemake.params.robustness)
with job(snakemake, f"{snakemake.wildcards.dataset}: {method} and its probes"):
    fit_probed_job(
        method, settings, dict(snakemake.input.items()), **dict(snakemake.output.items())
    )
