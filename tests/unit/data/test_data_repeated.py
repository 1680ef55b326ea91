import pandas as pd
import pytest

from balmi.data.assemble import assemble_cohort
from balmi.data.reading import read_tables
from balmi.data.repeated import ADVICE, INDIVIDUALS, repeated_remarks
from balmi.data.usable import Tables

PEOPLE, VISITS = 20, 3


def remarks(dataset, ids, table=None, **used):
    """Return what is said of ids, and of a table of further columns."""
    ids = pd.Index(ids)
    table = pd.DataFrame(table or {}, index=ids)
    labels = {"label": ["a", "b"] * (len(ids) // 2)}
    samples = pd.DataFrame(labels | {key: table[column] for key, column in used.items()}, index=ids)
    own = {"group": used.get("group"), "folds": [c for k, c in used.items() if k != "group"]}
    changed = dataset.model_copy(update=own)
    return repeated_remarks(Tables(samples, {}, {}), table, changed)


@pytest.fixture
def dataset(source):
    return source.dataset()


def visits(form: str) -> list[str]:
    return [
        form.format(who, "abc"[visit], visit) for who in range(PEOPLE) for visit in range(VISITS)
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("patient", "Patient ID", "subject", "SubjectID", "host_subject_id", "donor", "donors"),
        *("bcr_patient_barcode", "case_submitter_id", "participant", "individualID", "mouse_id"),
        *("Patient Identifier", "pt_id", "family.no", "cases.submitter_id"),
    ],
)
def test_columns_called_after_individuals_are_known(dataset, name):
    people = [f"x{who}" for who in range(PEOPLE) for _ in range(VISITS)]
    found = remarks(dataset, map(str, range(60)), {name: people})
    advice = f"set group: {name} if each is one individual: {ADVICE}"
    assert found == [(f"60 samples of 20 values of column {name!r}", advice)]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "patient_age",
            "subject_type",
            "donor sex",
            "case",
            "host",
            "family_history",
            "inpatient",
        ),
        *(
            "n_subjects_seen",
            "n_patients",
            "in_patient",
            "number_of_patients",
            "mouse",
            "identifier",
            "sample_id",
        ),
    ],
)
def test_columns_of_something_else_are_not(name):
    assert not INDIVIDUALS.match(name)


def test_a_column_of_individuals_with_one_sample_each_is_no_matter(dataset):
    ids = list(map(str, range(60)))
    assert remarks(dataset, ids, {"patient": [f"x{each}" for each in ids]}) == []
    nearly = [f"x{max(4, number)}" for number in range(60)]  # five of sixty are one
    assert remarks(dataset, ids, {"patient": nearly}) == []
    assert remarks(dataset, ids, {"patient": ["x"] * 60}) == []
    assert remarks(dataset, ids, {"patient": [None] * 60}) == []
    some = [*["Unknown", "NA", "not available"] * 15, *map(str, range(15))]
    assert remarks(dataset, ids, {"patient": some}) == []
    assert remarks(dataset, ids, {"patient": pd.Categorical(some)}) == []
    pairs = pd.Categorical([f"x{number // 2}" for number in range(60)])
    ((found, _),) = remarks(dataset, ids, {"patient": pairs})
    assert found == "60 samples of 30 values of column 'patient'"


def test_groups_and_folds_that_keep_individuals_together_are_enough(dataset):
    who = [number // VISITS for number in range(60)]
    table = {
        "patient": [f"x{each}" for each in who],
        "site": [f"s{each % 5}" for each in who],
        "batch": [f"b{number % 3}" for number in range(60)],
    }
    ids = list(map(str, range(60)))
    assert remarks(dataset, ids, table, group="patient") == []
    assert remarks(dataset, ids, table, group="site") == []
    assert remarks(dataset, ids, table, fold_0="site") == []
    for used in ({"group": "batch"}, {"fold_0": "batch"}, {"fold_0": "site", "fold_1": "batch"}):
        ((found, _),) = remarks(dataset, ids, table, **used)
        assert found == "60 samples of 20 values of column 'patient'"


@pytest.mark.parametrize(
    "form",
    ["P{0:02}_{1}", "P{0:02}{1}", "BF.{0}.{2}", "{0}-visit{2}", "TARA_{0}_{1}", "s/{0}/T{2}"],
)
def test_ids_that_begin_alike_and_end_in_what_recurs_are_told(dataset, form):
    ((found, advice),) = remarks(dataset, visits(form))
    first, second = form.format(0, "a", 0), form.format(0, "b", 1)
    assert found == (
        f"60 samples whose ids begin alike by twos or more, as {first!r} and {second!r}"
    )
    assert advice.endswith(ADVICE)


def test_an_ending_of_two_parts_is_an_ending_too(dataset):
    ids = [
        f"{who:03}_{week}_{visit}" for who in range(20) for week, visit in ((26, "A"), (33, "B"))
    ]
    ((found, _),) = remarks(dataset, ids)
    assert "'000_26_A' and '000_33_B'" in found


@pytest.mark.parametrize(
    "ids",
    [
        [f"S{number}" for number in range(60)],
        [f"sample-{number}" for number in range(60)],
        [f"TCGA-{number // 4:02}-A{number:03}" for number in range(60)],  # a site, and its patients
        [f"TCGA-{number // 4:02}-A{number:03}-01A" for number in range(60)],
        [f"plate{number // 12}_{number % 12}" for number in range(60)],
        [
            f"well{number // 6}_{'ACGT'[number % 4]}{'TGCA'[number % 3]}ACGTA"
            for number in range(60)
        ],
        [f"{'ACGT' * 3}{number}-1" for number in range(60)],
        [f"MDA-{number}" if number % 9 else f"MDA-{number}-{number}" for number in range(60)],
    ],
)
def test_other_ids_are_not(dataset, ids):
    assert remarks(dataset, ids) == []


def test_ids_are_no_matter_where_there_are_groups(dataset):
    ids = visits("P{0:02}_{1}")
    assert remarks(dataset, ids, {"site": [each[:2] for each in ids]}, group="site") == []


def test_it_is_told_at_the_start_and_of_the_cohort(source):
    source.samples = source.samples.drop(columns="patient")
    source.samples["donor"] = [f"d{number // 3}" for number in range(len(source.samples))]
    told = read_tables("own", source.dataset(), folds=3).warnings
    (found,) = [str(each) for each in told if "individual" in str(each)]
    assert found.startswith("datasets.own.samples: samples.csv: ")
    assert "of column 'donor'; set group: donor if" in found
    assert found in assemble_cohort("own", source.dataset(), folds=3).provenance["warnings"]
    source.group = "donor"
    told = read_tables("own", source.dataset(), folds=3).warnings
    assert [each for each in told if "individual" in str(each)] == []
