from balmi.config.settings import Method, Robustness
from balmi.experiments.probes.peers import fit_peers_job
from balmi.logs import job

method, settings = Method(snakemake.wildcards.method), Robustness(**snakemake.params.robustness)
with job(snakemake, f"{snakemake.wildcards.dataset}: {method} and its probes"):
    outputs = {name: [path] for name, path in snakemake.output.items()}
    fit_peers_job([method], [method], settings, dict(snakemake.input.items()), outputs)
