import io
import logging
import os
import signal
import sys
import threading
import time

import pytest
from job_tasks import task
from threadpoolctl import threadpool_info

from balmi.data.files import replace_when_written
from balmi.errors import Problem, UserError
from balmi.logs import Progress, followed, job


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def log(tmp_path):
    return tmp_path / "job.log"


def test_a_job_logs_its_name_and_the_library_in_use(log):
    with job(task(log), "cohort: split") as logger:
        logger.info("%d folds", 5)
    text = log.read_text()
    assert "cohort: split, library " in text
    assert "balmi" in text.splitlines()[0]
    assert "INFO 5 folds" in text


@pytest.mark.parametrize(("mem_mb", "warned"), [(10**9, True), (1, False), (None, False)])
def test_a_job_that_will_not_fit_says_so_before_it_computes(log, capsys, mem_mb, warned):
    with job(task(log, mem_mb), "cohort: train"):
        said = capsys.readouterr().err
    assert ("[cohort: train] needs about 1,000,000,000 MB of memory and may use" in said) == warned
    assert ("preprocessing.max_features" in said) == warned
    assert ("WARNING needs about" in log.read_text()) == warned


def test_a_users_error_ends_the_job_without_a_traceback(log, capsys):
    with pytest.raises(SystemExit) as caught, job(task(log), "cohort: assemble"):
        raise UserError([Problem("datasets.x.label", "'pam'", "'pam50'"), Problem("b", "c", "d")])
    assert caught.value.code == 1
    assert caught.value.__suppress_context__
    text = log.read_text()
    for said in (text, capsys.readouterr().err):
        assert "balmi found 2 problems:" in said
        assert "found:   'pam'" in said
        assert "Traceback" not in said


def test_an_unexpected_error_leaves_its_traceback_and_is_raised_again(log):
    with pytest.raises(KeyError, match="nowhere"), job(task(log), "cohort: assemble"):
        raise KeyError("nowhere")
    text = log.read_text()
    assert "stopped by an error that balmi does not expect" in text
    assert "Traceback (most recent call last)" in text
    assert "KeyError: 'nowhere'" in text


def test_the_terminal_hears_warnings_only_with_the_jobs_name(log, capsys):
    with job(task(log), "cohort: train") as logger:
        logger.info("quiet")
        logger.warning("loud")
    assert capsys.readouterr().err == "[cohort: train] loud\n"
    assert "quiet" in log.read_text()


def test_a_job_may_keep_its_warnings_to_the_log(log, capsys):
    with job(task(log), "cohort: share 0.1", shown=logging.ERROR) as logger:
        logger.warning("few samples")
        logger.error("none")
    assert capsys.readouterr().err == "[cohort: share 0.1] none\n"
    assert "WARNING few samples" in log.read_text()


def test_a_second_job_does_not_write_to_the_first_ones_log(log, tmp_path):
    with job(task(log), "first"):
        pass
    with job(task(tmp_path / "other.log"), "second") as logger:
        logger.info("of the second")
    assert "of the second" not in log.read_text()
    assert "of the second" in (tmp_path / "other.log").read_text()


def test_an_old_log_is_replaced(log):
    log.write_text("of the last run\n")
    with job(task(log), "again"):
        pass
    assert "of the last run" not in log.read_text()


def test_a_job_limits_threads(log):
    with job(task(log), "threads", threads=1):
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}


def test_progress_logs_the_last_epoch_only_when_it_is_fast(caplog, monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 3.0])
    monkeypatch.setattr("balmi.logs.time.monotonic", lambda: next(clock))
    progress = Progress("balanced")
    with caplog.at_level(logging.INFO, "balmi"):
        for epoch in range(1, 4):
            progress(epoch, 3, active=5)
    assert caplog.messages == [
        "balanced: epoch 3 of at most 3, 5 replicas training, 1.0 s each, at most 00:00 left"
    ]


def test_progress_logs_now_and_then_with_the_time_left(caplog, monkeypatch):
    clock = iter([0.0, 2.0, 36.0, 37.0, 72.0])
    monkeypatch.setattr("balmi.logs.time.monotonic", lambda: next(clock))
    progress = Progress("balanced")
    with caplog.at_level(logging.INFO, "balmi"):
        for epoch in range(1, 5):
            progress(epoch, 10, active=2)
    assert caplog.messages == [
        "balanced: epoch 2 of at most 10, 2 replicas training, 18.0 s each, at most 02:24 left",
        "balanced: epoch 4 of at most 10, 2 replicas training, 18.0 s each, at most 01:48 left",
    ]


def test_progress_ends_when_no_replica_trains_any_more(caplog, monkeypatch):
    clock = iter([0.0, 2.0])
    monkeypatch.setattr("balmi.logs.time.monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "balmi"):
        Progress("balanced")(4, 100, active=0)
    assert caplog.messages == [
        "balanced: epoch 4 of at most 100, 0 replicas training, 2.0 per s, at most 00:00 left"
    ]


def test_what_is_worked_on_is_followed(caplog, monkeypatch):
    clock = iter([0.0, 0.0, 35.0, 36.0, 100.0])
    monkeypatch.setattr("balmi.logs.time.monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "balmi"):
        assert list(followed("abcd", "pooled", "fold")) == list("abcd")
    assert caplog.messages == [
        "pooled: fold 2 of 4, 17.5 s each, 00:35 left",
        "pooled: fold 4 of 4, 25.0 s each, 00:00 left",
    ]


def test_a_bar_goes_away_with_work_that_ends_early(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work = followed("abcd", "pooled", "fold")
    next(work), next(work)
    assert "/4" in terminal.getvalue()
    work.close()
    assert terminal.getvalue().endswith("\r")


def test_of_a_single_one_nothing_is_said(caplog):
    with caplog.at_level(logging.INFO, "balmi"):
        assert list(followed("a", "pooled", "fold")) == ["a"]
    assert caplog.messages == []


def test_progress_draws_a_bar_in_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress("balanced")
    progress(1, 2, active=3)
    assert "balanced" in terminal.getvalue()
    assert "/2" in terminal.getvalue()
    progress(2, 2, active=3)
    assert terminal.getvalue().endswith("\r")


def test_progress_draws_nothing_into_a_file(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    Progress("balanced")(1, 1, active=1)
    assert stream.getvalue() == ""


def test_a_machine_at_fault_is_said_and_leaves_its_traceback_in_the_log(log, capsys):
    with pytest.raises(SystemExit) as caught, job(task(log), "cohort: train"):
        raise MemoryError("Unable to allocate 7 TiB")
    assert caught.value.code == 1
    said, text = capsys.readouterr().err, log.read_text()
    assert "[cohort: train] out of memory: this process may use " in said
    assert "Traceback" not in said
    assert "Traceback" in text
    assert "ERROR out of memory" in text


def test_a_job_that_is_asked_to_end_tidies_up_and_says_so(log, tmp_path, capsys):
    before = signal.getsignal(signal.SIGTERM)
    whole = tmp_path / "out.txt"

    def work():
        with job(task(log), "cohort: train"), replace_when_written(whole) as part:
            part.write_text("half")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(SystemExit) as caught:
        work()
    assert caught.value.code == 143
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.log"]
    assert "[cohort: train] ended from outside" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_job_outside_the_main_thread_runs(log):
    def run():
        with job(task(log), "cohort: split") as logger:
            logger.info("done")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "INFO done" in log.read_text()
