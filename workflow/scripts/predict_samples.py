from pathlib import Path

from balmi.config.settings import Prediction
from balmi.logs import job
from balmi.prediction.predict import predict_files

name = snakemake.wildcards.prediction
with job(snakemake, f"{name}: predict"):
    predict_files(
        name,
        Prediction(**snakemake.params.prediction),
        Path(snakemake.output.predictions),
        Path(snakemake.output.about),
    )
