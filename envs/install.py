"""Install the pinned packages into .venv: `make` runs this, and where make is missing you do.

    python3 envs/install.py          # what runs need
    python3 envs/install.py test     # and what tests and lint need

Python 3.6 and later can read this file, for it is this file that says which one balmi needs.
"""

import argparse
import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LISTS = {"run": ["requirements.txt"], "test": ["requirements.txt", "requirements-test.txt"]}
# The Makefile says the same version; a test compares them.
TORCH = "torch==2.13.0"
UV = "uv==0.13.9"
OLDEST = (3, 11)
NEWER = ["python3.14", "python3.13", "python3.12", "python3.11"]
MEGABYTE = 10**6
NEEDED = 2500  # megabytes, for the smallest build of torch and the pinned list

DISK = (
    "The disk has too little room: {free} MB are left here and {temporary} MB in {folder}. Make"
    " room: packages take 2,500 MB, with CUDA 8,000 MB; TMPDIR=<folder> names another place for"
    " what is unpacked."
)
PROXY = (
    "The proxy that {proxies} names did not let pip through: correct the variable, or unset it"
    " where no proxy is needed."
)
SOCKS = (
    "pip cannot use the SOCKS proxy that {proxies} names: name an HTTP one,"
    " https_proxy=http://<host>:<port>, or unset the variable where no proxy is needed."
)
CERTIFICATE = (
    "The network shows a certificate that Python does not know, as company proxies do: name the"
    " file that holds it, PIP_CERT=<file.pem> SSL_CERT_FILE=<file.pem>."
)
NETWORK = (
    "The package index was not reached: go online once to install (later runs work without); behind"
    " a proxy, https_proxy=http://<host>:<port> names it, and PIP_INDEX_URL=<address> a mirror."
)
RIGHTS = "This folder may not be written to: clone balmi into a folder of your own."
MEMORY = "The installation was ended for want of memory: give it 2 GB, or close other programs."
COMPILER = (
    "A package has no build for Python {python} on this machine and no compiler to make one: use"
    " Python 3.11 to 3.14 (make PYTHON=python3.12), or install a compiler (Debian: apt install"
    " build-essential)."
)
NO_BUILD = (
    "A pinned package has no build for Python {python} on this machine: use Python 3.11 to 3.14 on"
    " 64-bit Linux or macOS (make PYTHON=python3.12)."
)
# What installers say, and what it means; the first that is found counts.
REASONS = [
    (r"No space left on device|os error 28|[Qq]uota exceeded", DISK),
    (r"CERTIFICATE_VERIFY_FAILED|UnknownIssuer|invalid peer certificate", CERTIFICATE),
    (r"SOCKS support", SOCKS),
    (
        r"ProxyError|InvalidProxyURL|Please check proxy|Failed to parse: \w+://"
        r"|Cannot connect to proxy|[Tt]unnel connection failed|proxy error",
        PROXY,
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Connection (refused|reset)|timed out"
        r"|name resolution|Name or service not known|Network is unreachable|dns error"
        r"|error sending request|Failed to fetch",
        NETWORK,
    ),
    (r"Permission denied|Read-only file system", RIGHTS),
    (r"MemoryError|Cannot allocate memory", MEMORY),
    (r"command '?\S*(gcc|cc|clang|c\+\+)\S*'? failed|No such file or directory: '\S*cc'", COMPILER),
    (r"No matching distribution found|no wheels with a matching|No solution found", NO_BUILD),
]


class Stop(Exception):
    """What the user has to do before the installation can go on."""


def say(text):
    """Print a line at once, also into a pipe."""
    print("balmi: " + text, flush=True)


def free(folder):
    """Return how many megabytes are free where a folder lies."""
    return shutil.disk_usage(folder).free // MEGABYTE


def meaning(output):
    """Return what an installer's output means and what to do, or None where it is not known."""
    for pattern, sentence in REASONS:
        if re.search(pattern, output):
            names = {name for name in os.environ if name.lower().endswith("_proxy")}
            proxies = names - {"no_proxy", "NO_PROXY"}
            return sentence.format(
                free=free(ROOT),
                temporary=free(tempfile.gettempdir()),
                folder=tempfile.gettempdir(),
                proxies=" or ".join(sorted(proxies)) or "pip's own configuration",
                python="{}.{}".format(*sys.version_info),
            )
    return None


def failure(status, output):
    """Return what a failed command said last, and what that means as far as it is known."""
    sentence = meaning("MemoryError" if status == -9 else output)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if sentence is None:
        return "\n".join([*lines[-8:], "It is not known what this means: see the lines above."])
    # The last line is the detail, and alone it misleads: without a network pip finds no package.
    last = [f"(Its last words: {line[:200]})" for line in lines[-1:]]
    return "\n".join([sentence, *last])


def check_machine():
    """Refuse a machine on which the installation cannot end well.

    Raises
    ------
    Stop
        Where Python is too old, or the machine lacks room or a library.
    """
    if os.name == "nt":
        raise Stop("balmi runs on Linux and macOS: on Windows, clone and run it inside WSL.")
    if sys.version_info < OLDEST:
        found = next(filter(shutil.which, NEWER), None)
        other = found or "python3.12"
        how = "" if found else ", once it is installed (apt, conda, or `module load python`)"
        raise Stop(
            "balmi needs Python 3.11 or later; {} is {}.{}. Name another: make PYTHON={} run, or {}"
            " envs/install.py{}.".format(sys.executable, *sys.version_info[:2], other, other, how)
        )
    if not os.path.exists(VENV) and free(ROOT) < NEEDED:
        raise Stop(meaning("No space left on device"))
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libgomp.so.1")
        except OSError:
            raise Stop(
                "The library libgomp.so.1 is missing, which lightgbm needs and compilers bring:"
                " apt install libgomp1 (Fedora: dnf install libgomp)."
            ) from None


def run(command):
    """Run a command, and return its status and what it said."""
    # pip asks the system which certificates it trusts; so uv does too, under its old or new name
    # for that. A file that SSL_CERT_FILE names still counts.
    environment = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", **os.environ}
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout


def step(what, command):
    """Run a step of the installation, and say how long it took.

    Raises
    ------
    Stop
        Where it fails, with what it said last, and what that means.
    """
    say(what)
    start = time.monotonic()
    status, output = run(command)
    if status:
        raise Stop(failure(status, output))
    say(f"  done in {time.monotonic() - start:.0f} s")


def make_environment(python):
    """Make .venv where there is none that has pip.

    Raises
    ------
    Stop
        Where Python comes without what makes environments, as Debian's does.
    """
    if os.path.exists(python) and run([python, "-m", "pip", "--version"])[0] == 0:
        return
    say(f"making .venv with {sys.executable} (seconds)")
    status, output = run([sys.executable, "-m", "venv", VENV])
    if status:
        shutil.rmtree(VENV, ignore_errors=True)  # half of one would be taken for a whole
        if re.search("ensurepip|No module named '?venv", output):
            raise Stop(
                "This Python comes without venv: apt install python{}.{}-venv, or name another"
                " Python (make PYTHON=python3.12).".format(*sys.version_info)
            )
        raise Stop(failure(status, output))


def install(name, torch):
    """Install a list and all that it builds on.

    Parameters
    ----------
    name
        ``run`` or ``test``.
    torch
        What pip is given to install torch: a pin and, for another build, an address.

    Raises
    ------
    Stop
        Where a step fails.
    """
    start = time.monotonic()
    check_machine()
    python = os.path.join(VENV, "bin", "python")
    make_environment(python)
    # Python compiles what it imports when it does so first, unless it may not keep that.
    once = sys.dont_write_bytecode
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    pip += [] if once else ["--no-compile"]
    lists = [os.path.join(ROOT, "envs", file) for file in LISTS[name]]
    files = [part for file in lists for part in ("-r", file)]
    # A package of 20 MB tells within seconds whether the index is reached, torch within minutes.
    uv = shutil.which("uv")
    if not uv:
        step(
            f"{UV}, which is faster than pip (20 MB, seconds)",
            [*pip, "--retries", "2", UV],
        )
        uv = os.path.join(VENV, "bin", "uv")
    # pip alone knows its configuration, which may name another build: it chooses torch and what
    # that build needs. No package of the list can choose one: the list goes in without resolving.
    step(
        f"{torch} (200 MB, about a minute; minutes and gigabytes with CUDA)",
        [*pip, *shlex.split(torch)],
    )
    say("the packages of {} (400 MB, about half a minute)".format(", ".join(LISTS[name])))
    unresolved = ["--no-deps", *files]
    command = [uv, "pip", "install", "--python", python, *unresolved]
    status, output = run([*command, "--compile-bytecode"] if once else command)
    if status:
        # uv does not read pip's configuration: a mirror that pip knows, for example.
        told = [line for line in output.splitlines() if line.startswith("error")]
        say("uv could not: {}".format(told[0] if told else f"it ended with {status}"))
        step("pip installs them instead (about two minutes)", [*pip, *unresolved])
    say(f"installed in {time.monotonic() - start:.0f} s")


def main(arguments=None):
    """Install what is asked for; end with a sentence where that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=sorted(LISTS), default="run")
    parser.add_argument("--torch", default=TORCH, help="what pip is given (default: %(default)s)")
    asked = parser.parse_args(arguments)
    try:
        install(asked.name, asked.torch)
    except Stop as reason:
        sys.exit(f"balmi: {reason}")
    except KeyboardInterrupt:
        sys.exit("\nbalmi: interrupted; the same command goes on with what is missing.")


if __name__ == "__main__":
    main()
