"""A final model: what is written says what was trained, of anyone, in any company."""

import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from balmi.config.settings import FINAL_METHODS, Evaluation, Method, PrimaryMetric
from balmi.data.model_files import (
    ARRAYS,
    EVALUATION,
    MODEL,
    SUMS,
    opened,
    read_manifest,
    write_sums,
    write_zip,
)
from balmi.data.splits import as_splits, make_splits
from balmi.data.tensors import read_tensors
from balmi.errors import UserError
from balmi.evaluation.evaluate import evaluation_tables
from balmi.methods.peers.run import fit_baseline
from balmi.methods.peers.side import TrainingSide
from balmi.methods.pooled import learners
from balmi.prediction import final
from balmi.prediction.described import Tables, describe_model
from balmi.prediction.final import holds_rows
from balmi.prediction.model import read_model
from balmi.prediction.predict import predict, prepared, table_of
from balmi.prediction.untried import DROPPED
from balmi.preprocess.features import Features
from balmi.preprocess.fitted import Samples
from balmi.tables.contract import TABLES

EVERYONE = np.arange(90)


@pytest.mark.parametrize("method", FINAL_METHODS)
def test_every_method_says_the_same_after_writing_and_reading(keep_model, kept, method):
    own = kept if method is Method.POOLED else keep_model(method)
    inside, read = own.trained.model.say(own.samples), own.read.say(own.samples)
    assert read.probabilities == pytest.approx(inside.probabilities, abs=1e-6)
    assert (read.classes == inside.classes).all()
    assert own.read.classes == ("a", "b", "c")


def test_new_samples_are_preprocessed_as_training_samples_were(kept):
    found = prepared(kept.read, kept.newcomers(EVERYONE))
    for name, values in kept.samples.features.items():
        np.testing.assert_allclose(found.features[name], values, atol=1e-6)
    np.testing.assert_array_equal(found.available, kept.samples.available)


def test_a_sample_is_predicted_alike_alone_together_and_in_any_order(kept):
    whole = predict(kept.read, kept.newcomers(EVERYONE)).said.probabilities
    assert whole == pytest.approx(kept.trained.model.say(kept.samples).probabilities, abs=1e-6)
    order = np.random.default_rng(0).permutation(90)
    assert predict(kept.read, kept.newcomers(order)).said.probabilities == pytest.approx(
        whole[order], abs=1e-9
    )
    for row in (0, 17, 60):
        alone = predict(kept.read, kept.newcomers(np.array([row]))).said.probabilities
        assert alone == pytest.approx(whole[[row]], abs=1e-9)


def test_threads_change_no_probability(kept):
    """Sums of many threads are added up in another order, and that is all."""
    rows = np.tile(EVERYONE, 20)  # so many that sums are shared out at all
    said = {}
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            pools = [pool["num_threads"] for pool in threadpool_info()]
            assert pools == [threads] * len(pools)
            said[threads] = kept.read.say(kept.samples.take(rows)).probabilities
    for threads in (2, 4):
        assert said[threads] == pytest.approx(said[1], abs=1e-6)


def test_missing_counts_are_put_where_training_samples_have_them(kept):
    """The features that are there come out as they would have, up to noise of the sum."""
    own, newcomer = kept.read.modalities["counts"], kept.newcomers(EVERYONE).modalities["counts"]
    missing = np.arange(20) >= 17
    values = np.where(missing, np.nan, newcomer.measured.values)
    whole = own.scores(newcomer.measured.values, np.zeros(20, bool))
    part = own.scores(values, missing)
    lost = missing[own.kept]
    assert not part[:, lost].any()
    assert np.abs(part - whole)[:, ~lost].mean() < 0.1
    unfilled = replace(own, levels=None).scores(np.nan_to_num(values), missing)
    assert np.abs(unfilled - whole)[:, ~lost].mean() > np.abs(part - whole)[:, ~lost].mean()


def test_training_samples_are_known_again_and_others_are_not(kept):
    newcomers = kept.newcomers(np.arange(5))
    assert predict(kept.read, newcomers).trained.all()
    changed = {
        name: replace(each, measured=replace(each.measured, values=each.measured.values + 0.25))
        for name, each in newcomers.modalities.items()
    }
    found = predict(kept.read, replace(newcomers, modalities=changed), refuse=False)
    assert not found.trained.any()
    flags = table_of(kept.read, newcomers, predict(kept.read, newcomers))["flags"]
    assert flags.str.contains("a training sample").all()


def test_without_rows_no_training_sample_is_written(keep_model, kept):
    bare = keep_model(rows=False)
    assert bare.about["rows"] == {}
    assert kept.about["rows"]
    assert not any(holds_rows(each.fitted) for each in bare.read.predictor.experts)
    assert len(bare.read.predictor.experts) < len(kept.read.predictor.experts)
    texts = (bare.folder / ARRAYS).read_bytes()
    row = np.asarray(bare.cohort.values["rna"].values[0], dtype=np.float32)
    assert row[:4].tobytes() not in texts


def test_a_model_without_rows_quotes_no_score_of_the_whole_pool(keep_model, evaluated, tmp_path):
    bare = keep_model(rows=False)
    folder = shutil.copytree(bare.folder, tmp_path / "model")
    facts = {"title": None, "licence": None}
    describe_model(folder, tmp_path / "m.zip", evaluated, bare.cohort, "macro_f1", facts)
    told = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    assert (told["summary"], told["patterns"]) == ([], [])
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    assert "Not evaluated as it is: `final.rows: false`" in card
    assert "No measurements of single training samples" in card


def test_rows_of_few_features_are_told_too(keep_model, kept):
    """Eight features of five donors are 320 bytes."""
    assert set(kept.about["rows"]) == set(kept.cohort.modalities)
    assert kept.about["holds_rows"]
    assert not keep_model(rows=False).about["holds_rows"]


def test_where_samples_are_many_landmarks_come_back_too(keep_model, monkeypatch):
    monkeypatch.setattr(learners, "MANY_SAMPLES", 60)
    many = keep_model()
    inside, read = many.trained.model.say(many.samples), many.read.say(many.samples)
    assert read.probabilities == pytest.approx(inside.probabilities, abs=1e-6)
    assert '"Landmarks"' in (many.folder / MODEL).read_text(encoding="utf-8")


def test_of_many_samples_a_draw_is_looked_at_closely(keep_model, kept, monkeypatch):
    """Predictions rest on all of them; units, flags and the harm of missing features on a draw."""
    monkeypatch.setattr(final, "LOOKED_AT", 60)
    drawn = keep_model()
    for name, each in drawn.trained.model.modalities.items():
        whole = kept.trained.model.modalities[name]
        assert len(each.marks) == each.samples == whole.samples
        np.testing.assert_array_equal(each.marks, whole.marks)
        assert len(each.envelope.strangeness) == 60
        assert len(whole.envelope.strangeness) == len(EVERYONE)
    held_out = [max(each.trained.model.widening.samples) for each in (drawn, kept)]
    assert held_out == [60, len(EVERYONE)]  # every inner fold, of fewer than `ENOUGH`
    said = [each.trained.model.say(kept.samples).probabilities for each in (drawn, kept)]
    np.testing.assert_array_equal(*said)


def test_missing_features_are_measured_on_as_many_inner_folds_as_hold_out_enough(
    keep_model, monkeypatch
):
    learned = []
    monkeypatch.setattr(final, "ENOUGH", 30)
    monkeypatch.setattr(
        final,
        "learn",
        lambda method, side, rows, learn=final.learn: (
            learned.append(len(side)) or learn(method, side, rows)
        ),
    )
    widening = keep_model("unimodal-lr").trained.model.widening
    assert learned == [90, 72, 72]
    assert max(widening.samples) == 36


def test_the_model_calls_classes_as_the_evaluation_does(kept):
    pool = kept.trained.model.predictor
    labels = np.repeat([0, 1, 2], [5, 2, 1])
    side = TrainingSide(Samples({}, np.ones((8, 0), dtype=bool)), labels, None, 3, 0)
    assert final._followed(pool, PrimaryMetric.MACRO_F1, side) is pool
    assert final._followed(pool, PrimaryMetric.ACCURACY, side).rule.power == 0
    rule = final._followed(pool, PrimaryMetric.BALANCED_ACCURACY, side).rule
    assert rule.power == 1
    assert rule.prior == pytest.approx(np.array([5.5, 2.5, 1.5]) / 9.5)


def test_no_sample_id_is_written(kept):
    assert "s017" not in (kept.folder / MODEL).read_text(encoding="utf-8")
    assert b"s017" not in (kept.folder / ARRAYS).read_bytes()


LOST = pd.DataFrame(
    [
        (*("pooled", "dropped", "rna"), None, "macro_f1", 0.5, 0.4, 0.6, -0.2, -0.3, -0.1, 5),
        (*("balanced", "dropped", "rna"), None, "macro_f1", 0.6, 0.4, 0.7, -0.1, -0.3, 0.1, 5),
        (*("pooled", "noise", "rna"), 1.0, "macro_f1", 0.6, 0.4, 0.7, -0.1, -0.3, 0.1, 5),
    ],
    columns=list(TABLES["robustness"].columns),
)


@pytest.fixture(scope="module")
def evaluated(kept):
    splits = as_splits(make_splits(kept.cohort, Evaluation(repeats=1, folds=3)), kept.cohort)
    features = Features(kept.cohort, 8)
    result = fit_baseline(Method.STACKED_LR, kept.cohort, features, splits)
    predictions = result.predictions.assign(method="pooled")
    made = evaluation_tables(predictions, kept.cohort, 0.5, "macro_f1")
    return Tables(made["summary"], made["reliability"], predictions, LOST)


class TestPerformance:
    """What is quoted comes from held-out samples, and nothing of it enters the model."""

    def test_it_is_that_of_the_tables(self, kept, evaluated, tmp_path):
        folder = shutil.copytree(kept.folder, tmp_path / "model")
        before = {name: (folder / name).read_bytes() for name in (MODEL, ARRAYS)}
        facts = {"title": None, "licence": "CC0"}
        describe_model(folder, tmp_path / "m.zip", evaluated, kept.cohort, "macro_f1", facts)
        assert before == {name: (folder / name).read_bytes() for name in (MODEL, ARRAYS)}
        evaluation = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
        assert [row["modality"] for row in evaluation[DROPPED]] == ["rna"]
        assert evaluation[DROPPED][0]["difference_upper"] == -0.1
        counts = evaluated.predictions["predicted"].value_counts(normalize=True)
        assert evaluation["called"] == pytest.approx(counts.to_dict())
        told = evaluation["summary"]
        pd.testing.assert_frame_equal(
            pd.DataFrame(told)[["metric", "mean", "lower", "upper"]],
            evaluated.summary[["metric", "mean", "lower", "upper"]].reset_index(drop=True),
            check_dtype=False,
        )
        card = (folder / "CARD.md").read_text(encoding="utf-8")
        row = next(row for row in told if row["metric"] == "macro_f1")
        assert f"{row['mean']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})" in card
        assert "CC0" in card
        assert "rna of" in card
        with opened(tmp_path / "m.zip", "model") as whole:
            assert read_manifest(whole, "model")["method"] == "pooled"

    def test_another_score_changes_no_model(self, kept, keep_model, monkeypatch):
        """The model is made of the cohort alone: no table of the evaluation is read."""
        monkeypatch.setattr(pd, "read_csv", None)
        monkeypatch.setattr(pd, "read_parquet", None)
        again = keep_model()
        made, before = (read_tensors(each.folder / ARRAYS)[0] for each in (again, kept))
        assert set(made) == set(before)
        for name, values in before.items():
            np.testing.assert_array_equal(made[name], values)

    def test_calibration_sees_no_sample_that_its_expert_has_learned_from(self, kept, monkeypatch):
        """Changed labels of an inner fold change nothing that is said out of fold of it by others.

        What weighs the experts of the final model is said by experts of the other inner folds.
        """
        cohort = kept.cohort
        fitted = Features(cohort, 8)
        side = final._side(cohort, fitted, fitted.fit(EVERYONE), EVERYONE, 0)
        _, here = side.base_folds[0]
        labels = cohort.labels.copy()
        labels[here] = np.roll(labels[here], 1)
        folds = side.base_folds
        changed = final._side(
            replace(cohort, labels=labels), fitted, fitted.fit(EVERYONE), EVERYONE, 0
        )
        changed.__dict__["base_folds"] = folds
        for name in cohort.modalities:
            before, after = side.base(name).held_out, changed.base(name).held_out
            np.testing.assert_allclose(before[here], after[here])
            rest = np.setdiff1d(EVERYONE, here)
            assert not np.allclose(before[rest], after[rest])


class TestFiles:
    def refused(self, path):
        with pytest.raises(UserError) as error, opened(path, "predict.x.model") as folder:
            read_model(folder, "predict.x.model")
        (problem,) = error.value.problems
        assert problem.where.startswith("predict.x.model")
        return problem.found

    @pytest.fixture
    def copy(self, kept, tmp_path):
        return shutil.copytree(kept.folder, tmp_path / "copy")

    def test_a_zip_is_read_as_the_folder_is(self, kept, tmp_path):
        write_zip(kept.folder, tmp_path / "a.zip")
        write_zip(kept.folder, tmp_path / "b.zip")
        assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
        with opened(tmp_path / "a.zip", "model") as folder:
            read = read_model(folder, "model")
        np.testing.assert_array_equal(
            read.say(kept.samples).probabilities, kept.read.say(kept.samples).probabilities
        )

    @pytest.mark.parametrize("name", [MODEL, ARRAYS, EVALUATION])
    def test_a_changed_byte_is_seen(self, copy, name):
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        assert f"damaged model: {name}" in self.refused(copy)

    @pytest.mark.parametrize("name", [MODEL, ARRAYS, SUMS])
    def test_a_missing_file_is_named(self, copy, name):
        (copy / name).unlink()
        assert self.refused(copy).startswith(f"no {name}")

    def changed(self, copy, **changes):
        about = json.loads((copy / MODEL).read_text(encoding="utf-8"))
        (copy / MODEL).write_text(json.dumps({**about, **changes}), encoding="utf-8")
        write_sums(copy)
        return self.refused(copy)

    def test_a_newer_format_is_refused_by_its_number(self, copy):
        found = self.changed(copy, format=99, balmi="9.9")
        assert found == "format 99 of a model, written by balmi 9.9"

    def test_a_type_that_no_model_has_is_refused(self, copy):
        tree = {"predictor": {"of": "Popen"}, "prior": None, "widening": None, "modalities": {}}
        found = self.changed(copy, tree=tree, modalities=[])
        assert "'Popen'" in found

    def test_a_reason_in_the_place_of_a_model_is_told(self, copy):
        assert "only one group" in self.changed(copy, reason="only one group")

    @pytest.mark.parametrize("name", ["model.pkl", "model.bin"])
    def test_a_pickle_is_refused_unread(self, tmp_path, name):
        import pickle

        class Bomb:
            def __reduce__(self):
                return (tmp_path.joinpath("ran").touch, ())

        path = tmp_path / name
        path.write_bytes(pickle.dumps(Bomb()))
        assert "pickle" in self.refused(path)
        folder = tmp_path / "folder"
        folder.mkdir()
        path.rename(folder / "model.pkl")
        assert "a pickle may run any code" in self.refused(folder)
        assert not (tmp_path / "ran").exists()

    def test_a_damaged_zip_is_refused(self, kept, tmp_path):
        path = tmp_path / "m.zip"
        write_zip(kept.folder, path)
        content = bytearray(path.read_bytes())
        middle = len(content) // 3
        content[middle : middle + 200] = bytes(200)
        path.write_bytes(content)
        assert "damaged" in self.refused(path)

    def test_a_zip_writes_nowhere_but_into_its_folder(self, kept, tmp_path):
        path = tmp_path / "m.zip"
        with zipfile.ZipFile(path, "w") as packed:
            for name in (MODEL, ARRAYS, EVALUATION, SUMS):
                packed.writestr(f"../../{name}", (kept.folder / name).read_bytes())
            packed.writestr("../evil.txt", "x")
        with opened(path, "model") as folder:
            assert read_manifest(folder, "model")["dataset"] == "made"
            assert not list(folder.parent.glob("evil.txt"))

    def test_nothing_is_named(self, tmp_path):
        assert self.refused(tmp_path / "none") == "nothing"
