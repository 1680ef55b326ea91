import os

import pytest

from balmi.place import gpu_problem, jobs_problem, slurm_keeps_accounts

CONFIG = "Configuration data as of now\nAccountingStorageType   = {}\nMinJobAge = 300 sec\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a function that puts a program of a name and an output first on the path."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def write(name, output, status=0):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {status}\n")
        path.chmod(0o755)

    return write


@pytest.mark.parametrize(
    ("kind", "keeps"),
    [
        ("accounting_storage/none", False),
        ("(null)", False),
        ("accounting_storage/slurmdbd", True),
        ("accounting_storage/mysql", True),
    ],
)
def test_slurm_says_whether_it_keeps_accounts(program, kind, keeps):
    program("scontrol", CONFIG.format(kind))
    assert slurm_keeps_accounts() is keeps


def test_a_slurm_that_does_not_answer_is_left_alone(program, monkeypatch, tmp_path):
    program("scontrol", "slurm_load_ctl_conf error", status=1)
    assert slurm_keeps_accounts()
    program("sinfo", "", status=1)
    assert gpu_problem("slurm") is None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert slurm_keeps_accounts()
    assert gpu_problem("slurm") is None


def test_a_slurm_that_does_not_answer_in_time_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "scontrol").write_text("#!/bin/sh\nexec sleep 20\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("balmi.place.SECONDS", 0.2)
    assert slurm_keeps_accounts()


@pytest.mark.parametrize("offered", ["gpu:a100:4", "(null)\ngpu:2(S:0-1)"])
def test_a_cluster_with_gpus_is_in_order(program, offered):
    program("sinfo", offered)
    assert gpu_problem("slurm") is None


def test_a_cluster_without_gpus_is_a_problem(program):
    program("sinfo", "(null)")
    assert "no machine of this SLURM offers one" in gpu_problem("slurm")


def test_this_machine_is_asked_by_torch_itself(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "1 GPU asked for, but torch sees none" in gpu_problem("local")


def test_a_python_without_torch_cannot_tell(program, monkeypatch, tmp_path):
    program("python", "", status=1)
    monkeypatch.setattr("balmi.place.sys.executable", str(tmp_path / "python"))
    assert gpu_problem("local") is None


def test_other_executors_are_left_to_their_jobs():
    assert gpu_problem("lsf") is None


@pytest.mark.parametrize("written", ["-j 1", "-j1", "--jobs 1", "--jobs=1", "-n -j 1 --quiet"])
def test_jobs_that_a_profiles_cores_outdo_are_refused(written):
    found = jobs_problem("local", written.split(), 4)
    assert "1 jobs, which count nothing: a profile has set 4 cores" in found
    assert "allowed: --cores 1" in found


@pytest.mark.parametrize(
    "written",
    ["-j 4", "--cores 4 -j 1", "-c4 -j 1", "-c -j 1", "-j", "", "results/my-jobs 1", "x-j 1"],
)
def test_jobs_that_count_are_not(written):
    assert jobs_problem("local", written.split(), 4) is None


def test_a_scheduler_counts_jobs():
    assert jobs_problem("slurm", ["-j", "1"], 4) is None
