from balmi.config.settings import Graph
from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.graph.files import write_networks
from balmi.graph.fusion import fuse_splits
from balmi.logs import job
from balmi.preprocess.files import read_features

with job(snakemake, f"{snakemake.wildcards.dataset}: networks"):
    cohort = read_roster(snakemake.input.samples)
    splits = read_splits(snakemake.input.splits, cohort)
    features = read_features(snakemake.input.preprocessing, cohort, splits)
    networks = fuse_splits(features, splits, Graph(**snakemake.params.graph))
    write_networks(networks, splits, cohort, snakemake.output.networks)
