"""What predicting new samples takes, measured on a small cohort."""

import pandas as pd

import newcomers
from balmi.config.settings import Method
from balmi.data.files import read_json
from balmi.data.model_files import FORMAT

FEATURES = 12


def test_the_job_runs_on_drawn_files_and_says_what_it_took(tmp_path):
    newcomers.write_model(tmp_path / "model", 45, FEATURES, Method.CONCAT_LR)
    seconds, megabytes = newcomers.measured(tmp_path, "%.5g", 30, FEATURES)
    assert 0 < seconds < 60
    assert 50 < megabytes < 2000
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert list(table["sample"]) == [f"n{row}" for row in range(30)]
    told = read_json(tmp_path / "prediction.json", FORMAT)
    assert (told["samples"], told["trained_on"], told["remarks"]) == (30, 0, [])
