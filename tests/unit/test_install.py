"""The installation: a complete list, a file any Python 3 reads, and words for what goes wrong."""

import ast
import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILE = ROOT / "envs" / "install.py"
SPEC = importlib.util.spec_from_file_location("install", FILE)
install = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(install)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = {
    "run": PROJECT["dependencies"],
    "test": [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]],
}
MACHINES = [
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}
    | {"sys_platform": platform, "platform_system": platform.title()}
    for minor in (11, 14)
    for platform in ("linux", "darwin")
]


def pinned(name):
    """Return what a list pins: canonical name -> version."""
    files = [ROOT / "envs" / file for file in install.LISTS[name]]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(package): version for package, version in pairs}


def needed(roots, machine):
    """Return all requirements that follow from some, by the metadata of what is installed.

    What torch needs depends on its build: pip installs it with torch.
    """
    found, waiting = {}, [Requirement(text) for text in roots]
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in found:
            continue
        found[str(requirement)] = requirement
        if canonicalize_name(requirement.name) == "torch":
            continue
        for text in importlib.metadata.requires(requirement.name) or ():
            further = Requirement(text)
            contexts = [machine | {"extra": extra} for extra in ("", *requirement.extras)]
            if not further.marker or any(map(further.marker.evaluate, contexts)):
                waiting.append(further)
    return list(found.values())


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: "-".join(machine.values()))
@pytest.mark.parametrize("name", NEEDED)
def test_the_pinned_list_is_complete_and_agrees_with_itself(name, machine):
    versions = pinned(name)
    for package, version in versions.items():
        if importlib.metadata.version(package) != version:
            pytest.skip(f"{package} is installed in another version than the pinned one")
    versions["torch"] = install.TORCH.partition("==")[2]
    for requirement in needed(NEEDED[name], machine):
        assert canonicalize_name(requirement.name) in versions, f"{requirement} is not pinned"
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), (requirement, version)


def test_make_and_the_file_pin_the_same_torch():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^TORCH \?= (.*)$", makefile, flags=re.MULTILINE) == [install.TORCH]


def test_an_old_python_can_read_the_file_that_refuses_it():
    ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk has too little room: "),
        (
            "error: Failed to install: No space left on device (os error 28)",
            "The disk has too little room: ",
        ),
        ("ProxyError('Cannot connect to proxy.', NewConnectionError('x'))", "The proxy that "),
        ("OSError: Failed to parse: http://proxy:port", "The proxy that "),
        ("OSError: Missing dependencies for SOCKS support.", "pip cannot use the SOCKS proxy"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "The network shows a cert"),
        (
            "NewConnectionError('[Errno -3] Temporary failure in name resolution')\n"
            "ERROR: No matching distribution found for uv",
            "The package index was not reached",
        ),
        ("[Errno 111] Connection refused", "The package index was not reached"),
        ("ERROR: No matching distribution found for numba==0.68.1", "A pinned package has no"),
        ("error: command 'gcc' failed: No such file or directory", "A package has no build"),
        ("error: [Errno 13] Permission denied: '.venv'", "This folder may not be written to"),
    ],
)
def test_what_an_installer_says_is_told_in_a_sentence(said, meant):
    told = install.meaning(said)
    assert told.startswith(meant)
    assert "{" not in told


def test_a_proxy_is_named_by_the_variables_that_set_it(monkeypatch):
    for name in [name for name in install.os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    assert "that pip's own configuration names" in install.meaning("ProxyError")
    monkeypatch.setenv("no_proxy", "localhost")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    assert "that HTTPS_PROXY or https_proxy names" in install.meaning("ProxyError")


def test_what_is_meant_comes_before_what_was_said():
    said = "NewConnectionError\nERROR: No matching distribution found for uv\n"
    meant, last = install.failure(1, said).splitlines()
    assert meant == install.meaning("NewConnectionError")
    assert last == "(Its last words: ERROR: No matching distribution found for uv)"


def test_what_is_not_known_is_shown_as_it_was_said():
    assert install.meaning("something new") is None
    assert "something new" in install.failure(1, "something new\n")


def test_a_process_that_was_killed_wanted_memory():
    assert "for want of memory" in install.failure(-9, "")


@pytest.mark.parametrize(
    ("found", "named"), [("python3.13", "make PYTHON=python3.13 run"), (None, "once it is install")]
)
def test_an_old_python_is_refused_with_a_newer_one_named(monkeypatch, found, named):
    monkeypatch.setattr(install.shutil, "which", lambda name: name if name == found else None)
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(install.Stop, match=r"needs Python 3\.11 or later; .* is 3\.10\."):
        install.check_machine()
    with pytest.raises(install.Stop, match=named):
        install.check_machine()


def test_a_small_disk_is_refused_before_anything_is_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(install, "free", lambda folder: 120)
    with pytest.raises(install.Stop, match="120 MB are left here"):
        install.check_machine()


def test_a_machine_without_libgomp_is_told_what_brings_it(monkeypatch):
    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(install, "sys", SimpleNamespace(version_info=(3, 11), platform="linux"))
    monkeypatch.setattr(install, "free", lambda folder: 10**6)
    monkeypatch.setattr(install.ctypes, "CDLL", missing)
    with pytest.raises(install.Stop, match="apt install libgomp1"):
        install.check_machine()


def test_windows_is_told_of_wsl(monkeypatch):
    monkeypatch.setattr(install, "os", SimpleNamespace(name="nt"))
    with pytest.raises(install.Stop, match="inside WSL"):
        install.check_machine()


def test_an_interrupted_installation_ends_with_a_sentence(monkeypatch):
    def interrupt(name, torch):
        raise KeyboardInterrupt

    monkeypatch.setattr(install, "install", interrupt)
    with pytest.raises(SystemExit, match="interrupted; the same command goes on"):
        install.main([])


def test_uv_trusts_the_certificates_of_the_system_unless_told_otherwise(monkeypatch):
    ask = [sys.executable, "-c", "import os; print(os.environ['UV_SYSTEM_CERTS'])"]
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    assert install.run(ask) == (0, "1\n")
    monkeypatch.setenv("UV_SYSTEM_CERTS", "0")
    assert install.run(ask) == (0, "0\n")


def test_a_small_package_tells_first_whether_the_index_is_reached(monkeypatch):
    commands = []

    def run(command):
        commands.append(command)
        return 1, "NewConnectionError"

    monkeypatch.setattr(install, "check_machine", lambda: None)
    monkeypatch.setattr(install, "make_environment", lambda python: None)
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(install, "run", run)
    with pytest.raises(install.Stop, match="The package index was not reached"):
        install.install("run", install.TORCH)
    assert [command[-1] for command in commands] == [install.UV]


def test_a_python_without_venv_is_named_debians_package_and_leaves_no_half(monkeypatch, tmp_path):
    venv = tmp_path / ".venv"
    venv.mkdir()
    said = "The virtual environment was not created successfully because ensurepip is not available"
    monkeypatch.setattr(install, "VENV", str(venv))
    monkeypatch.setattr(install, "run", lambda command: (1, said))
    with pytest.raises(install.Stop, match=r"apt install python3\.\d+-venv"):
        install.make_environment(str(venv / "bin" / "python"))
    assert not venv.exists()


def test_where_uv_does_not_get_through_pip_does_and_says_so(monkeypatch, capsys):
    commands = []

    def run(command):
        commands.append(command)
        return (2, "error: Failed to fetch the index\n") if command[0] == "/bin/uv" else (0, "")

    monkeypatch.setattr(install, "check_machine", lambda: None)
    monkeypatch.setattr(install, "make_environment", lambda python: None)
    monkeypatch.setattr(install.shutil, "which", lambda name: "/bin/uv")
    monkeypatch.setattr(install, "run", run)
    install.install("run", "torch==9 --index-url address")
    torch, by_uv, by_pip = commands
    assert torch[-3:] == ["torch==9", "--index-url", "address"]
    assert "--no-deps" not in torch
    assert "--no-deps" in by_uv
    assert "--no-deps" in by_pip
    assert "uv could not: error: Failed to fetch the index" in capsys.readouterr().out
