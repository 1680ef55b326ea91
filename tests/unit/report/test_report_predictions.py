"""The page of a prediction, from what the job of the prediction wrote."""

import numpy as np
import pandas as pd
import pytest

from balmi.data.files import read_json, write_json, write_table
from balmi.data.model_files import FORMAT
from balmi.errors import Problem, UserError
from balmi.prediction import external
from balmi.prediction.external import Carried
from balmi.prediction.fingerprints import TRAINED
from balmi.prediction.refusal import Refusal, accept, write_refusal
from balmi.prediction.unproven import UNPROVEN, USELESS
from balmi.prediction.untried import untested, untried
from balmi.report.predictions import pictures, view
from balmi.report.predictions.page import build_prediction_page, build_refused_page
from balmi.report.predictions.pictures import prediction_pictures
from balmi.report.predictions.view import (
    build_prediction_view,
    reliability_table,
    scores_table,
)

CLASSES = ["a", "<b>"]
MINUS = "\N{MINUS SIGN}"
MADE = ("report.html", "view.json")


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(external, "DRAWS", 60)


def told(**changes):
    rows = [
        {"class": None, "metric": metric, "mean": mean, "lower": mean - 0.05, "upper": mean + 0.05}
        for metric, mean in (("macro_f1", 0.9), ("accuracy", 0.91))
    ]
    bins = [{"bin": 8, "confidence": 0.85, "accuracy": 0.9, "lower": 0.8, "upper": 0.95}]
    evaluation = {
        "primary": "macro_f1",
        "summary": [{**row, "folds": 10} for row in rows],
        "reliability": [{**row, "samples": 40.0} for row in bins],
        "repeats": 2,
        "patterns": [],
    }
    seen = {"found": None, "advice": "", "severe": False, "shift": 0.2, "spread": 1.1}
    modality = {"name": "rna", "samples": 40, "used": 100, "missing": 12, "extra": 3}
    modality["absent"] = [f"gene-{number}" for number in range(12)]
    absent = {"name": "protein", "samples": 0, "used": 7, "missing": 7, "extra": 0}
    return {
        "name": "clinic",
        "model": {"method": "pooled", "dataset": "mine", "balmi": "0.2.0", "classes": CLASSES}
        | {"class_counts": [60, 40], "samples": 100, "label": "subtype"},
        "kinds": {"rna": "rna-log", "protein": "protein"},
        "trained": {"rna": 100, "protein": 90},
        "modalities": [
            {**modality, "factor": 0.9, "measured": True, "seen": seen},
            {**absent, "factor": 1.0, "measured": True, "seen": None},
        ],
        "samples": 40,
        "flagged": 3,
        "judged": 40,
        "trained_on": 0,
        "labelled": True,
        "grouped": False,
        "remarks": ["predict.clinic.modalities.rna: 2 features <i>of</i> another case"],
        "evaluation": evaluation,
    } | changes


def table(right=38, labels=True):
    true = np.arange(40) % 2
    called = np.where(np.arange(40) < right, true, 1 - true)
    columns = {
        "sample": [f"s{i}" for i in range(40)],
        "class": np.array(CLASSES)[called],
        "p:a": np.where(called == 0, 0.85, 0.15),
        "p:<b>": np.where(called == 1, 0.85, 0.15),
        "modalities": "rna",
        "features_found": 0.82,
        "outside_p": 0.5,
        "evidence_factor": 0.9,
        "flags": ["lacks protein"] * 40,
    }
    label = np.array(CLASSES)[true] if labels else None
    return pd.DataFrame({**columns, "label": label, "group": None})


def test_without_classes_it_tells_of_predictions_alone():
    view = build_prediction_view(told(), table(labels=False))
    assert view.external is None
    assert view.headline == "Predictions of 40 new samples by the model of mine."
    assert "for protein, which they lack" in view.supports[1]
    assert "3 of 40 samples" in view.supports[2]
    assert [row.predicted for row in view.classes] == [20, 20]
    assert view.modalities[0].share == 0.12


@pytest.mark.parametrize("labels", [False, True])
def test_of_a_model_at_chance_it_is_said_first_and_in_the_terminal(labels, tmp_path):
    about = told()
    auroc = {"class": None, "metric": "macro_auroc", "mean": 0.52, "folds": 10}
    about["evaluation"]["summary"].append({**auroc, "lower": 0.43, "upper": 0.61})
    write_json(about, tmp_path / "about.json", FORMAT)
    write_table(table(labels=labels), tmp_path / "new.csv", "new_samples")
    inputs = tmp_path / "new.csv", tmp_path / "about.json"
    build_prediction_page(*inputs, {}, *(tmp_path / name for name in MADE))
    assert UNPROVEN in (tmp_path / "report.html").read_text(encoding="utf-8")
    *_, last = read_json(tmp_path / "view.json", FORMAT)["conclusions"]
    assert last["sentence"].startswith(UNPROVEN)
    better = build_prediction_view(told(), table(labels=labels))
    assert better.unproven is None
    assert not any(UNPROVEN in each["sentence"] for each in better.conclusions)


@pytest.mark.parametrize(("right", "shown"), [(38, True), (21, False), (None, False)])
def test_a_model_at_chance_is_not_called_useless_where_new_samples_show_that_it_predicts(
    right, shown
):
    about = told()
    auroc = {"class": None, "metric": "macro_auroc", "mean": 0.52, "folds": 10}
    about["evaluation"]["summary"].append({**auroc, "lower": 0.43, "upper": 0.61})
    rows = table(labels=False) if right is None else table(right)
    sentence = build_prediction_view(about, rows).unproven["sentence"]
    assert ("the new samples do" in sentence) is shown
    assert (USELESS in sentence) is not shown


@pytest.mark.parametrize(
    ("right", "word"), [(37, Carried.YES), (24, Carried.NO)], ids=["carried", "lost"]
)
def test_with_classes_the_headline_says_that_it_is_an_external_validation(right, word):
    view = build_prediction_view(told(), table(right))
    assert view.headline == f"External validation of the model of mine on 40 samples: {word}."
    assert view.external.found.carried is word
    assert "in the cross-validation of mine" in view.external.sentence


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (40, "None of 40 new samples with a known class is called another class."),
        (39, "1 of 40 new samples with a known class (2\xa0%) is called another class, and marked"),
        (
            37,
            "3 of 40 new samples with a known class (8\xa0%) are called another class, and marked",
        ),
    ],
)
def test_wrong_calls_are_counted_and_marked_by_a_word(tmp_path, right, said):
    made = table(right)
    unknown = made.iloc[[0]].assign(sample="unknown", label=None)
    made = pd.concat([made, unknown], ignore_index=True)
    view = build_prediction_view(told(samples=41), made)
    assert said in view.external.wrong
    assert said in view.supports[1]
    assert [row.sample for row in view.rows if row.mark] == [f"s{i}" for i in range(right, 40)]
    write_table(made, tmp_path / "predictions.csv", "new_samples")
    write_json(told(samples=41), tmp_path / "prediction.json", FORMAT)
    inputs = tmp_path / "predictions.csv", tmp_path / "prediction.json"
    build_prediction_page(*inputs, {}, tmp_path / "report.html", tmp_path / "view.json")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    rows = page.partition('id="predictions-table"')[2].partition("</table>")[0]
    assert rows.count("</span> wrong</span></td>") == 40 - right
    assert rows.count('<td class="text">right</td>') == right


@pytest.mark.parametrize(("shown", "rest"), [(100, ""), (2, " and 10 more")])
def test_missing_features_are_named(tmp_path, monkeypatch, shown, rest):
    monkeypatch.setattr(view, "MOST_NAMED", shown)
    write_table(table(), tmp_path / "predictions.csv", "new_samples")
    write_json(told(), tmp_path / "prediction.json", FORMAT)
    inputs = tmp_path / "predictions.csv", tmp_path / "prediction.json"
    build_prediction_page(*inputs, {}, tmp_path / "report.html", tmp_path / "view.json")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    text = page.partition("Missing features of ")[2].partition("</details>")[0]
    assert ">rna<" in text
    assert [f">gene-{number}<" in text for number in (0, 1, 11)] == [True, True, shown > 2]
    assert rest in text
    assert "Missing features of protein" not in page


def test_samples_without_a_group_are_one_of_their_own_and_no_group_is_shown_for_them():
    made = table()
    made["group"] = ["north"] * 15 + ["s20"] * 5 + [None] * 20  # one is called as a sample is
    found = build_prediction_view(told(), made).external.found
    assert found.units == 22
    assert [(group.name, group.samples) for group in found.groups] == [("north", 15), ("s20", 5)]
    made["group"] = None
    found = build_prediction_view(told(), made).external.found
    assert (found.units, found.groups) == (40, ())


def test_training_samples_are_not_scored():
    made = table()
    made.loc[:9, "flags"] = TRAINED
    view = build_prediction_view(told(trained_on=10), made)
    assert view.external.found.samples == 30
    assert any("10 of the samples are training samples" in text for text in view.supports)
    made["flags"] = TRAINED
    assert build_prediction_view(told(trained_on=40), made).external is None


@pytest.mark.parametrize("labels", [True, False])
def test_the_page_is_one_file_and_shows_hostile_names_as_text(tmp_path, labels):
    write_table(table(labels=labels), tmp_path / "predictions.csv", "new_samples")
    write_json(told(), tmp_path / "prediction.json", FORMAT)
    settings = {"model": "/secret/place/model", "modalities": {"rna": {"path": "x.csv"}}}
    inputs = tmp_path / "predictions.csv", tmp_path / "prediction.json"
    reason = build_prediction_page(*inputs, settings, *(tmp_path / name for name in MADE))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert reason is None
    assert "</html>" in page
    assert "<b>" not in page
    assert "<i>of" not in page
    assert "/secret" not in page
    assert ("3 External validation" in page) == labels
    assert ("Reliability of new samples" in page) == labels
    assert 'download="clinic-predictions.csv"' in page


@pytest.mark.parametrize(("judged", "whom"), [(40, "them"), (30, "the 30 that could be judged")])
def test_what_it_concludes_is_written_for_others(tmp_path, judged, whom):
    write_table(table(), tmp_path / "predictions.csv", "new_samples")
    facts = told(judged=judged)
    facts["model"] |= {"sha256": "a checksum", "evaluation_sha256": "another"}
    write_json(facts, tmp_path / "prediction.json", FORMAT)
    inputs = tmp_path / "predictions.csv", tmp_path / "prediction.json"
    build_prediction_page(*inputs, {}, *(tmp_path / name for name in MADE))
    found = read_json(tmp_path / "view.json", FORMAT)
    first, second = found.pop("conclusions")
    assert found == {
        "name": "clinic",
        "dataset": "mine",
        "model": "a checksum",
        "evaluation": "another",
        "validation": True,
    }
    assert first["sentence"] == "External validation on 40 samples: carried over."
    assert first["state"] == Carried.YES
    assert first["value"].startswith("macro-F1 0.950 (")
    assert first["value"].endswith("), and 0.900 (0.850 to 0.950) in the cross-validation")
    told_ = f"40 new samples predicted, 3 of {whom} unlike the training samples."
    assert second == {"sentence": told_, "value": None, "state": None}
    alone = build_prediction_view(facts, table(labels=False)).as_json()
    assert (alone["validation"], alone["conclusions"]) == (False, [second])


def test_the_first_screen_asks_with_pictures_that_carry_their_numbers():
    found = build_prediction_view(told(), table(24))
    assert [card.figure for card in found.cards] == ["carried", "called", "flags"]
    assert found.cards[0].sentence == "Did not carry over, by macro-F1 on 40 new samples."
    assert found.cards[0].mark == found.external.mark
    drawn = prediction_pictures(found)
    assert list(drawn) == ["carried", "called", "flags"]
    assert f"cross-validation 0.900 (0.850 to 0.950); difference {MINUS}" in (
        drawn["carried"].description
    )
    assert "a 50\xa0%, 60\xa0% in training" in drawn["called"].description
    rows = [(row.name, row.count, row.share) for row in found.flags]
    assert rows == [
        ("unlike the training samples", 3, 0.075),
        ("lack a modality", 40, 1.0),
        ("lack features", 40, 1.0),
    ]
    alone = build_prediction_view(told(judged=0, flagged=0, trained_on=2), table(labels=False))
    assert [card.figure for card in alone.cards] == ["called", "flags"]
    assert alone.cards[1].sentence == "Training samples were too few to say."
    assert [row.name for row in alone.flags][2:] == ["are training samples"]
    assert list(prediction_pictures(alone)) == ["called", "flags"]


def test_of_many_classes_the_rarer_are_counted(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_CLASSES", 1)
    drawn = prediction_pictures(build_prediction_view(told(), table()))["called"]
    assert "and 1 rarer class" in drawn.inline


def test_a_score_that_was_not_cross_validated_is_not_drawn():
    facts = told()
    facts["evaluation"]["summary"] = []
    assert "carried" not in prediction_pictures(build_prediction_view(facts, table()))


def test_long_tables_are_folded_and_scores_are_offered(tmp_path):
    write_table(table(), tmp_path / "predictions.csv", "new_samples")
    write_json(told(), tmp_path / "prediction.json", FORMAT)
    inputs = tmp_path / "predictions.csv", tmp_path / "prediction.json"
    build_prediction_page(*inputs, {}, *(tmp_path / name for name in MADE))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Show all 40 rows" in page
    for name in ("scores", "reliability", "predictions"):
        assert page.count(f'href="#data-{name}"') >= 1
        assert f'id="data-{name}"' in page
    external = build_prediction_view(told(), table()).external
    first = scores_table(external).iloc[0]
    assert (first["metric"], first["internal"], first["external"]) == ("macro_f1", 0.9, 0.95)
    assert list(reliability_table(external)["of"]) == ["new samples", "cross-validation"]


def test_training_samples_are_neither_right_nor_wrong():
    made = table(40)
    made.loc[0, ["class", "flags"]] = [made.loc[1, "label"], TRAINED]
    assert made.loc[0, "label"] != made.loc[0, "class"]
    first, second, *_ = build_prediction_view(told(), made).rows
    assert (first.judged, first.mark) == (False, None)
    assert (second.judged, second.mark) == (True, None)


LOST = {"value": 0.53, "lower": 0.4, "upper": 0.65}
LOST |= {"difference": -0.25, "difference_lower": -0.44, "difference_upper": -0.06}


def evaluated_on(*patterns):
    """Return what a model says of itself whose tested samples had these modalities."""
    evaluation = told()["evaluation"]
    lost = [{"modality": "protein", "metric": "macro_f1", **LOST}]
    return {**evaluation, "patterns": [{"modalities": each} for each in patterns], "dropped": lost}


def test_samples_that_were_not_tested_alike_are_told_of_and_not_compared():
    """All forty lack protein."""
    about = told(evaluation=evaluated_on(["rna", "protein"]))
    found = build_prediction_view(about, table(right=25))
    sentence = next(each for each in found.supports if "lack protein" in each)
    assert sentence.startswith("40 samples lack protein, as no tested sample did: in the cross-")
    assert "macro-F1 was 0.53 (0.40 to 0.65) with protein taken away" in sentence
    assert found.external.found.carried is Carried.APART
    reason = "40 of 40 samples have modalities that no tested sample had alone"
    assert f"the two cannot be compared: {reason}." in found.external.sentence


@pytest.mark.parametrize("patterns", [2, 5])
def test_what_was_not_tested_is_said_once(patterns):
    """In the sentences below the headline, and from the fourth pattern on in the remarks."""
    rows = table().assign(modalities=[f"other{row % patterns}" for row in range(40)])
    names = [f"other{number}" for number in range(patterns)]
    about = told(evaluation=evaluated_on(["rna"]))
    about["modalities"] = [{**about["modalities"][0], "name": name} for name in names]
    about["kinds"] = dict.fromkeys(names, "rna-log")
    rest = untried(names, rows["modalities"], about["evaluation"])
    lines = untested("predict.clinic", rest, about["evaluation"])
    about["remarks"] = [*lines, "another remark"]
    found = build_prediction_view(about, rows)
    assert sum("as no tested sample" in each for each in found.supports) == min(patterns, 3)
    assert found.remarks == (*lines[3:], "another remark")


def test_samples_that_were_tested_alike_are_compared():
    about = told(evaluation=evaluated_on(["rna", "protein"], ["rna"]))
    found = build_prediction_view(about, table(right=25))
    assert found.external.found.carried is Carried.NO
    assert not any("no tested sample" in each for each in found.supports)


def test_few_samples_that_were_not_tested_alike_leave_the_comparison():
    rows = table(right=25).assign(modalities=["rna"] * 3 + ["rna+protein"] * 37)
    found = build_prediction_view(told(evaluation=evaluated_on(["rna", "protein"])), rows)
    assert found.external.found.carried is Carried.NO
    assert any(each.startswith("3 samples lack protein") for each in found.supports)


def test_without_classes_the_score_of_the_cross_validation_stands_there():
    found = build_prediction_view(told(labelled=False), table(labels=False))
    sentence = "In the cross-validation of mine, macro-F1 was 0.900 (0.850 to 0.950)."
    assert any(each.startswith(sentence) and "CARD.md" in each for each in found.supports)
    other = {**told()["evaluation"], "other": "it differs"}
    found = build_prediction_view(told(labelled=False, evaluation=other), table(labels=False))
    assert not any("CARD.md" in each for each in found.supports)


SETTINGS = {"model": "/secret/place/model", "modalities": {"rna": {"path": "x.csv"}}}


def test_a_refused_prediction_has_a_page_of_what_to_mend(tmp_path):
    problem = Problem("predict.clinic: /secret/place/x.csv", "<b>", "a unit", "'it'")
    files = tmp_path / "predictions.csv", tmp_path / "prediction.json"
    write_refusal("clinic", Refusal((problem,)), *files)
    assert build_prediction_page(*files, SETTINGS, *(tmp_path / name for name in MADE)) is None
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Refused, so that nothing was predicted: 1 problem." in page
    assert "<h3>predict.clinic: x.csv</h3>" in page
    assert "Found: &lt;b&gt;." in page
    assert "Nearest: &#39;it&#39;." in page
    assert "Mend what is named here" in page
    assert "/secret" not in page
    found = read_json(tmp_path / "view.json", FORMAT)
    assert (found["model"], found["validation"]) == (None, False)
    assert found["conclusions"][0]["sentence"].startswith("Refused")
    with pytest.raises(UserError, match="1 problem"):
        accept(tmp_path / "view.json")


def test_a_prediction_whose_job_failed_has_a_page_that_says_how(tmp_path):
    log = "results/clinic/logs/predict_samples.log"
    problem = Problem(log, "a job that failed: OSError: /secret/place/x.csv", "again")
    pages = [tmp_path / name for name in MADE]
    build_refused_page("clinic", Refusal((problem,), failed=True), SETTINGS, *pages)
    page = pages[0].read_text(encoding="utf-8")
    assert "A job failed, so that this page shows no predictions." in page
    assert f"<h3>{log}</h3>" in page
    assert "OSError: x.csv" in page
    assert "Mend what is named here" not in page
    assert "/secret" not in page
    with pytest.raises(UserError, match="1 problem"):
        accept(pages[1])


def test_what_a_page_concludes_is_accepted(tmp_path):
    write_json(build_prediction_view(told(), table()).as_json(), tmp_path / "view.json", FORMAT)
    accept(tmp_path / "view.json")


def called(share, count=200, **columns):
    made = pd.concat([table(labels=False)] * (count // 40), ignore_index=True)
    made["class"] = np.where(np.arange(count) < share * count, "a", "<b>")
    return made.assign(sample=[f"s{i}" for i in range(count)], **columns)


def shares_in(made, **inside):
    """Return the sentence on shares, where the cross-validation called class a for half."""
    about = told(labelled=False, evaluation={**told()["evaluation"], **inside})
    supports = build_prediction_view(about, made).supports
    return "".join(each for each in supports if each.startswith("Classes are called"))


def test_classes_in_other_shares_than_in_the_cross_validation_are_told_with_numbers():
    inside = {"called": {"a": 0.5, "<b>": 0.5}}
    text = shares_in(called(0.9), **inside)
    assert text.startswith(
        "Classes are called in other shares than for held-out samples of the cross-validation:"
        " a for 90\xa0% (85\xa0% to 93\xa0%) instead of 50\xa0%; <b> for 10\xa0%"
    )
    assert "known" not in text
    assert shares_in(called(0.9)) == ""  # what was called is known of no earlier model
    known = called(0.9, label=["a"] * 150 + ["<b>"] * 50)
    of_known = "instead of 50\xa0%, and of 200 samples with a known class 75\xa0% are of it"
    assert of_known in shares_in(known, **inside)


def test_a_few_samples_or_groups_and_training_samples_are_no_other_shares():
    inside = {"called": {"a": 0.5, "<b>": 0.5}}
    assert shares_in(called(0.55), **inside) == ""
    assert shares_in(called(0.65, count=40), **inside) == ""
    few = called(0.9, group=["one"] * 100 + ["other"] * 100)
    assert shares_in(few, **inside) == ""
    assert shares_in(called(0.9, flags=TRAINED), **inside) == ""
