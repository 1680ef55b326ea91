"""What is refused, and what fails, leaves whole files and holds nothing up."""

import pandas as pd
import pytest
from job_tasks import task

from balmi.again import REFUSED
from balmi.data.files import read_json, write_json
from balmi.data.model_files import FORMAT
from balmi.errors import Problem, UserError
from balmi.logs import job
from balmi.prediction.refusal import Refusal, accept, or_refuse, write_refusal


def ran(folder, error=None):
    """Run a job that raises, and return the refusal that it leaves, its log and what is noted."""
    log, files = folder / "predict_samples.log", (folder / "new.csv", folder / "new.json")

    def work():
        if error is not None:
            raise error

    with job(task(log), "clinic: predict"):
        refuse = lambda refusal: write_refusal("clinic", refusal, *files)  # noqa: E731
        or_refuse(log, "predict_samples", work, refuse)
    told = read_json(files[1], FORMAT) if files[1].is_file() else {}
    return Refusal.of(told), log.read_text(encoding="utf-8"), REFUSED.reason(log)


def test_a_refusal_says_what_to_mend(tmp_path):
    problem = Problem("predict.clinic", "a unit", "another", "'it'")
    refusal, log, noted = ran(tmp_path, UserError(problem))
    assert refusal == Refusal((problem,), failed=False)
    assert refusal.headline == "Refused, so that nothing was predicted: 1 problem."
    assert "Traceback" not in log
    assert "a unit" in noted
    assert pd.read_csv(tmp_path / "new.csv").empty


def test_a_job_that_fails_says_how_and_where_its_log_is(tmp_path, capsys):
    refusal, log, noted = ran(tmp_path, KeyError("nowhere"))
    assert refusal.failed
    (problem,) = refusal.problems
    assert problem.where == str(tmp_path / "predict_samples.log")
    assert problem.found == "a job that failed: KeyError: 'nowhere'"
    assert refusal.headline == "A job failed, so that this page shows no predictions."
    for said in (log, capsys.readouterr().err):
        assert "an error that balmi does not expect" in said
        assert "Traceback (most recent call last)" in said
    assert "KeyError: 'nowhere'" in noted
    assert pd.read_csv(tmp_path / "new.csv").empty


def test_a_job_that_lacks_memory_names_its_own_rule_and_what_helps(tmp_path):
    refusal, log, _ = ran(tmp_path, MemoryError("9 TB"))
    (problem,) = refusal.problems
    assert "out of memory" in problem.found
    assert "--set-resources predict_samples:mem_mb=" in problem.found
    assert "Traceback (most recent call last)" in log


@pytest.mark.parametrize("error", [KeyError("nowhere"), UserError(Problem("a", "b", "c"))])
def test_what_failed_runs_again_until_it_is_done(tmp_path, error):
    log = tmp_path / "predict_samples.log"
    before = REFUSED.since(log)
    ran(tmp_path, error)
    first = REFUSED.since(log)
    assert before is None
    assert first is not None
    ran(tmp_path, error)
    assert REFUSED.since(log) > first
    last = REFUSED.since(log)
    _, _, noted = ran(tmp_path)
    assert noted is None
    assert REFUSED.since(log) == last


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_a_job_that_is_ended_from_outside_leaves_nothing(tmp_path, end):
    with pytest.raises(SystemExit):
        ran(tmp_path, end())
    assert {path.suffix for path in tmp_path.iterdir()} == {".log"}


def test_where_the_reason_cannot_be_written_the_job_fails(tmp_path):
    def fail(_=None):
        raise OSError("no such device")

    log = tmp_path / "predict_samples.log"
    with pytest.raises(OSError, match="device"), job(task(log), "clinic: predict"):
        or_refuse(log, "predict_samples", fail, fail)
    assert REFUSED.reason(log) is None


@pytest.mark.parametrize("failed", [False, True])
def test_the_run_fails_by_what_was_refused_or_failed(tmp_path, failed):
    refusal = Refusal((Problem("a", "b", "c"), Problem("d", "e", "f")), failed)
    write_json(refusal.as_json(), tmp_path / "view.json", FORMAT)
    with pytest.raises(UserError, match="2 problems"):
        accept(tmp_path / "view.json")
    write_json({"name": "clinic"}, tmp_path / "view.json", FORMAT)
    accept(tmp_path / "view.json")


def test_a_refusal_of_an_earlier_version_is_read():
    told = {"refused": [{"where": "a", "found": "b", "allowed": "c", "nearest": None}]}
    assert Refusal.of(told) == Refusal((Problem("a", "b", "c"),), failed=False)
    assert Refusal.of({"name": "clinic"}) is None
