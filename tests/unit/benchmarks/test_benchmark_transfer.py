"""Final models on samples that they have not seen: who is cut off, and what is counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import access
import transfer


@pytest.fixture(scope="module")
def cohort():
    """Three modalities of 90 samples; ten lack the second."""
    real = access.cohort_of("one, linear", 90, 0)
    first = real.tables["first"]
    values = {"first": first, "second": real.tables["second"][:, :9], "third": first[:, :5] * 2}
    values["second"][:10] = np.nan
    features = {name: tuple(map(str, range(each.shape[1]))) for name, each in values.items()}
    kinds = dict.fromkeys(values, "generic")
    return replace(real, values=values, features=features, kinds=kinds)


def test_the_smallest_of_three_modalities_is_the_one_that_is_lacking(cohort, monkeypatch):
    assert transfer.three(cohort) is None  # 80 samples have all of them
    monkeypatch.setattr(transfer, "TRAINED", 60)
    monkeypatch.setattr(transfer, "NEW", 20)
    assert transfer.three(cohort) == ("first", "second", "third")
    monkeypatch.setattr(transfer, "NEW", 21)
    assert transfer.three(cohort) is None


def test_new_samples_lack_what_is_taken_away(cohort, monkeypatch):
    asked = []
    monkeypatch.setattr(transfer, "TRAINED", 60)
    monkeypatch.setattr(transfer, "NEW", 20)
    monkeypatch.setattr(transfer, "model_of", lambda trained: trained)

    class Said:
        classes = np.zeros(20, dtype=int)
        said = property(lambda self: self)

    def predict(model, new, refuse):
        asked.append((model, new))
        return Said()

    monkeypatch.setattr(transfer, "predict", predict)
    monkeypatch.setattr(transfer, "newcomers", lambda model, new, modalities: (new, modalities))
    rows = list(transfer.lacking(cohort, 0))
    trained, (new, modalities) = asked[0]
    assert modalities == ("first", "second")
    assert not set(trained.samples) & set(new.samples)
    assert len(trained.samples) == 60
    assert rows[0] == ("pooled", int((new.labels != 0).sum()), *rows[0][2:])
    assert [name for name, *_ in rows] == ["pooled", "first", "second", "mean of both"]
    assert all(0 <= wrong <= 20 for _, wrong, *_ in rows)


def test_both_tables_by_hand():
    def rows(design, cut, **values):
        return [
            {"cohort": "a", "design": design, "cut": cut, "name": name.replace("_", " ")}
            | dict(zip(("value", "lower", "upper"), value, strict=True))
            for name, value in values.items()
        ]

    def wrong(count):
        return count, np.nan, np.nan

    found = pd.DataFrame(
        rows("lacking", 0, pooled=wrong(5), x=wrong(4), y=wrong(9), mean_of_both=wrong(6))
        + rows("lacking", 1, pooled=wrong(6), x=wrong(4), y=wrong(8), mean_of_both=wrong(2))
        + rows("halves", 0, inside=(0.7, 0.6, 0.8), outside=(0.75, 0.68, 0.8))
        + rows("halves", 1, inside=(0.7, 0.6, 0.8), outside=(0.79, 0.72, 0.86))
    )
    (row,) = transfer.lacking_table(found[found["design"] == "lacking"]).to_dict("records")
    assert (row["own"], row["single"], row["of_single"], row["mean"]) == (5.5, "x", 4, 4)
    assert row["more"] == 1.5
    table = transfer.halves_table(found[found["design"] == "halves"])
    assert table["agree"].tolist() == [True, False]
    # .05 and .09, each by the root of .1 and .07 squared down: neither excludes 0.
    assert table["zero_held"].tolist() == [True, True]
    apart = found.assign(upper=found["upper"].where(found["name"] != "inside", 0.71))
    apart = transfer.halves_table(apart[apart["design"] == "halves"])
    assert apart["zero_held"].tolist() == [True, False]
    text = transfer.summary(found)
    assert "| a | 2 | 5.50 | x | 4.00 | 4.00 | +1.50 |" in text
    assert "| a | 2 | 1 | 2 | 0.700 | 0.770 | +0.070 |" in text
    assert transfer.figure(found).startswith("<svg")


def test_flags_are_of_held_out_samples_as_they_are_and_changed():
    real = access.cohort_of("nothing", 200, 1)
    shares = {name: value for name, value, *_ in transfer.flags(real, 0)}
    assert list(shares) == [transfer.ALIKE, transfer.FEWER, transfer.PERMUTED]
    assert shares[transfer.ALIKE] < 0.15
    assert shares[transfer.PERMUTED] > 0.5
    rows = [{"cohort": "a", "design": "flags", "name": name, "value": 0.5} for name in shares]
    text = transfer.summary(pd.DataFrame(rows))
    assert "| a | 50.0% | 50.0% | 50.0% |" in text
    assert "(0 of 1 cohorts)" in text
