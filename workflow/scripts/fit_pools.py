from balmi.config.settings import Method, Robustness
from balmi.experiments.probes.peers import fit_peers_job
from balmi.logs import job

methods, probed = (list(map(Method, snakemake.params[key])) for key in ("methods", "probed"))
settings = Robustness(**snakemake.params.robustness)
with job(snakemake, f"{snakemake.wildcards.dataset}: {', '.join(methods)}"):
    inputs, outputs = dict(snakemake.input.items()), dict(snakemake.output.items())
    fit_peers_job(methods, probed, settings, inputs, outputs)
