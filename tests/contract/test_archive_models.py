"""Final models of every format version, read by today's code."""

import json
from pathlib import Path

import numpy as np
import pytest

from balmi.data.model_files import EVALUATION, FORMAT, opened
from balmi.prediction.model import read_model
from balmi.preprocess.fitted import Samples

ARCHIVE = Path(__file__).parents[1] / "archive" / "models"
# Of each format, and of networks in it, what its model says of three samples, of which two lack
# proteins.
SAID = {
    "1": [[0.120796836, 0.879203164], [0.980070406, 0.019929594], [0.654098025, 0.345901975]],
    "1-balanced": [
        [0.156938673, 0.843061327],
        [0.843282447, 0.156717553],
        [0.462560412, 0.537439588],
    ],
}
RNA = np.vstack([np.eye(8)[0], -np.eye(8)[0], np.eye(8)[3]])
PROTEIN = np.vstack([np.zeros((2, 8)), np.eye(8)[1]])
SAMPLES = Samples(
    {"rna": RNA, "protein": PROTEIN}, np.array([[True, False], [True, False], [True, True]])
)


def test_every_format_is_kept():
    assert {path.stem for path in ARCHIVE.glob("*.zip")} == set(SAID)
    formats = {name.partition("-")[0] for name in SAID}
    assert formats == {str(number) for number in range(1, FORMAT + 1)}


@pytest.mark.parametrize("number", SAID)
def test_a_model_of_every_format_says_what_it_said(number):
    with opened(ARCHIVE / f"{number}.zip", "model") as folder:
        model = read_model(folder, "model")
        evaluation = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    assert model.say(SAMPLES).probabilities == pytest.approx(np.array(SAID[number]), abs=1e-6)
    assert model.classes == ("a", "b")
    assert list(model.modalities) == ["rna", "protein"]
    assert {row["metric"] for row in evaluation["summary"]} >= {"macro_f1", "log_loss"}
