"""What Snakemake compares: a job that failed in part runs again, one that did not does not."""

import pytest

from balmi.again import REFUSED, UNDRAWN


@pytest.fixture
def log(tmp_path):
    return tmp_path / "build_report.log"


def ran(log, reason):
    """Return whether Snakemake would run a job again after it has run."""
    remembered = UNDRAWN.since(log)
    UNDRAWN.write(log, reason)
    return UNDRAWN.since(log) != remembered


def test_a_job_runs_again_until_it_succeeds_and_no_longer(log):
    ends = ["no addresses", "no addresses", None, None, "no addresses", None]
    assert [ran(log, reason) for reason in ends] == [reason is not None for reason in ends]


def test_what_never_failed_leaves_no_note(log):
    assert not ran(log, None)
    assert list(log.parent.iterdir()) == []


def test_kinds_of_notes_know_nothing_of_each_other(log):
    UNDRAWN.write(log, "no addresses")
    assert (UNDRAWN.reason(log), REFUSED.reason(log)) == ("no addresses", None)
    assert REFUSED.since(log) is None
