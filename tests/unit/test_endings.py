import json
import logging
import os
import time
from types import SimpleNamespace

import pytest
from job_tasks import task

from balmi import endings
from balmi.endings import Failure, Failures, what_was_found
from balmi.errors import Problem, UserError
from balmi.logs import job


@pytest.fixture
def log(tmp_path):
    return tmp_path / "split.log"


@pytest.fixture
def failures():
    return Failures()


def failed(log, said="", logs=()):
    return Failure("split_cohort", (str(log), *logs), said).reason()


def record(event, **more):
    found = logging.makeLogRecord(more)
    found.event = SimpleNamespace(name=event)
    return found


def error_of(jobid, log, said=None):
    return record("JOB_ERROR", jobid=jobid, rule_name=f"rule{jobid}", log=[log], rule_msg=said)


class TestFound:
    @pytest.fixture
    def results(self, tmp_path):
        """Three datasets, of which the last has no page."""
        for name in ("a", "b", "c"):
            folder = tmp_path / name
            folder.mkdir()
            view = {
                "conclusions": [
                    {"question": "Which?", "sentence": f"{name} has it.", "value": "0.8 nats"},
                    {"question": "Combine?", "sentence": f"{name} combines.", "value": "+0.02"},
                    {"question": "Trust?", "sentence": f"{name} is checked.", "value": None},
                ]
            }
            (folder / "view.json").write_text(json.dumps(view))
            if name != "c":
                (folder / "report.html").touch()
        return tmp_path

    def test_without_pages_nothing_is_said(self, results):
        assert what_was_found(results, ["c"], 3.0) == ""

    def test_three_answers_a_page_and_the_time(self, results):
        (results / "overview.html").touch()
        assert what_was_found(results, ["a", "c"], 191.6).splitlines() == [
            "",
            "Results (3 min 12 s):",
            f"  a: {results / 'a' / 'report.html'}",
            "    a has it. [0.8 nats]",
            "    a combines. [+0.02]",
            "    a is checked.",
            f"  all datasets: {results / 'overview.html'}",
        ]

    def test_of_many_datasets_a_line_each(self, results, monkeypatch):
        monkeypatch.setattr(endings, "MOST_TOLD", 1)
        lines = what_was_found(results, ["a", "b"], 3.0).splitlines()
        assert lines[:2] == ["", "Results (3 s):"]
        said = [line.strip() for line in lines[3::2]]
        assert said == [f"{name} has it. {name} combines. {name} is checked." for name in "ab"]

    def test_of_a_page_that_concludes_nothing_its_place_is_told(self, results):
        (results / "a" / "view.json").unlink()
        lines = what_was_found(results, ["a"], 3.0).splitlines()
        assert lines[2:] == [f"  a: {results / 'a' / 'report.html'}"]


def test_a_job_that_says_why_is_quoted(log):
    with pytest.raises(SystemExit), job(task(log), "cohort: split"):
        raise UserError([Problem("a", "b", "c"), Problem("d", "e", "f")])
    reason = failed(log, "SLURM status is: 'FAILED'.")
    assert reason == str(UserError([Problem("a", "b", "c"), Problem("d", "e", "f")]))


def test_of_a_traceback_the_last_line_is_told(log):
    with pytest.raises(KeyError), job(task(log), "cohort: split"):
        raise KeyError("nowhere")
    assert failed(log) == "stopped by an error that balmi does not expect: KeyError: 'nowhere'"


def test_a_job_without_memory_names_the_command_with_its_rule(log):
    with pytest.raises(SystemExit), job(task(log), "cohort: split"):
        raise MemoryError
    assert "--set-resources split_cohort:mem_mb=" in failed(log)


def test_a_job_that_ended_without_a_word_was_killed(log):
    with job(task(log), "cohort: split") as logger:
        logger.info("reading")
    reason = failed(log, "SLURM-job '3' failed, SLURM status is: 'FAILED'. See the logs.")
    assert "without a word, as what is killed does, most often for want of memory" in reason
    assert "(this one might use " in reason
    assert "--set-resources split_cohort:mem_mb=" in reason
    assert reason.endswith("SLURM status is: 'FAILED'")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("OUT_OF_MEMORY", "killed for want of memory"),
        ("TIMEOUT", "split_cohort:runtime="),
        ("DEADLINE", "split_cohort:runtime="),
        ("CANCELLED by 0", "cancelled"),
        ("NODE_FAIL", "took the job's machine away"),
        ("PREEMPTED", "took the job's machine away"),
    ],
)
def test_the_schedulers_word_counts_where_the_job_has_none(log, state, said):
    assert said in failed(log, f"SLURM-job '3' failed, SLURM status is: '{state}'.")


def test_a_log_of_another_run_is_not_quoted(log):
    with pytest.raises(SystemExit), job(task(log), "cohort: split"):
        raise MemoryError
    failure = Failure("split_cohort", (str(log), "slurm/3.log"), "")
    os.utime(log, (1, 1))
    reason = failure.reason(since=time.time() - 60)
    assert reason == "it failed before it could write a log; slurm/3.log may say more"
    assert "the lines above" in failed(log.with_name("nowhere.log"))


def test_failed_jobs_are_listed_with_their_logs(failures, log):
    assert str(failures) == ""
    failures.emit(error_of(1, str(log)))
    failures.emit(error_of(2, "b.log", "SLURM status is: 'TIMEOUT'."))
    text = str(failures)
    assert text.splitlines()[1:3] == ["Failed jobs:", f"  1. rule1 ({log})"]
    assert "  2. rule2 (b.log)\n      killed at its limit of time" in text


def test_a_job_that_finished_when_tried_again_is_not_listed(failures, log):
    failures.emit(error_of(1, str(log)))
    failures.emit(error_of(2, str(log)))
    failures.emit(record("JOB_FINISHED", job_id=1))
    failures.emit(record("PROGRESS", done=1))
    failures.emit(logging.makeLogRecord({"msg": "words"}))
    assert "rule1" not in str(failures)
    assert "  1. rule2" in str(failures)
