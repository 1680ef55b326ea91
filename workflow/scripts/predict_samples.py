from pathlib import Path

from balmi.config.settings import Prediction
from balmi.logs import job
from balmi.prediction.predict import predict_files
from balmi.prediction.refusal import or_refuse, write_refusal

name = snakemake.wildcards.prediction
with job(snakemake, f"{name}: predict"):
    files = Path(snakemake.output.predictions), Path(snakemake.output.about)
    or_refuse(
        Path(snakemake.log[0]),
        snakemake.rule,
        lambda: predict_files(name, Prediction(**snakemake.params.prediction), *files),
        lambda refusal: write_refusal(name, refusal, *files),
    )
