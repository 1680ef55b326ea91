from pathlib import Path

from balmi.again import REFUSED
from balmi.config.settings import Prediction
from balmi.errors import UserError
from balmi.logs import job
from balmi.prediction.predict import predict_files
from balmi.prediction.refusal import write_refusal

name, log = snakemake.wildcards.prediction, snakemake.log[0]
with job(snakemake, f"{name}: predict"):
    files = Path(snakemake.output.predictions), Path(snakemake.output.about)
    try:
        predict_files(name, Prediction(**snakemake.params.prediction), *files)
        REFUSED.write(log, None)
    except UserError as refusal:
        # The report of the model's dataset does not wait for what has to be mended first.
        write_refusal(name, refusal, *files)
        REFUSED.write(log, str(refusal))
