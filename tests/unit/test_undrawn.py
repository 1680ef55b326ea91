"""What Snakemake compares: a job that could not draw runs again, one that could does not."""

import pytest

from balmi.undrawn import note_undrawn, undrawn_since, what_is_undrawn


@pytest.fixture
def log(tmp_path):
    return tmp_path / "build_report.log"


def ran(log, reason):
    """Return whether Snakemake would run a job again after it has run."""
    remembered = undrawn_since(log)
    note_undrawn(log, reason)
    return undrawn_since(log) != remembered


def test_a_job_runs_again_until_it_can_draw_and_no_longer(log):
    ends = ["no addresses", "no addresses", None, None, "no addresses", None]
    assert [ran(log, reason) for reason in ends] == [reason is not None for reason in ends]


def test_what_could_always_be_drawn_leaves_no_note(log):
    assert not ran(log, None)
    assert list(log.parent.iterdir()) == []


def test_the_end_of_a_run_names_what_is_missing_now(log):
    other = log.with_name("save_figures.log")
    assert what_is_undrawn([str(log), str(other)]) == ""
    for each in (log, other):
        note_undrawn(each, "no addresses")
    told = what_is_undrawn([str(log), str(other)])
    assert [str(log) in told, str(other) in told] == [True, True]
    assert told.count("no addresses") == 1
    note_undrawn(log, None)
    assert str(log) not in what_is_undrawn([str(log), str(other)])
