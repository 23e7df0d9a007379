#!/usr/bin/env python3
"""The commands behind the Makefile; standard library only, so it runs before anything is installed.

``python3 tools/dev.py lab`` or ``… test``: makes ``.venv`` from the hashed lock where it is
missing or out of date, then does what was asked in it.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(os.environ.get("ECON_VENV", ROOT / ".venv"))
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "tools" / "requirements-uv.lock"
STAMP = VENV / ".made-from"

sys.path[:0] = [str(ROOT), str(ROOT / "tools")]
import needs  # noqa: E402

needs.check()  # what follows is not understood by an older Python
from econ.course_command import LAB_FLAGS as COURSE_FLAGS  # noqa: E402
from econ.course_command import LOOPBACK, START_PAGE, as_root  # noqa: E402

LAB_FLAGS = [f"--ServerApp.ip={LOOPBACK}", *COURSE_FLAGS]
APP_FLAGS = [
    "--Voila.ip=127.0.0.1",
    "--strip_sources=True",
    "--VoilaConfiguration.show_tracebacks=False",
    "--VoilaConfiguration.progressive_rendering=True",  # the form is there before the last cell
    "--KernelManager.autorestart=False",  # a new kernel would know nothing of the page's form
]
APP_PAGE = "tools/app.ipynb"
NBVAL_FLAGS = [
    "--nbval",
    "--nbval-current-env",
    "--nbval-sanitize-with=tests/nbval_sanitize.cfg",
    "--nbval-cell-timeout=120",
    "-n2",
    "--dist=loadfile",  # all cells of a notebook on one kernel
]
BROWSER_FLAGS = [
    "-vv",  # a line a test, after -q: where one hangs, its name is known
    "-n2",
    "--dist=worksteal",
    "--override-ini=faulthandler_timeout=2400",  # longer than any wait of its own
    "--override-ini=faulthandler_exit_on_timeout=true",
    "-m",
    "browser",
]
HOSTILE = ["-m", "pytest", "-q", "tests/house/test_hostile.py", "tests/house/test_hostile_files.py",
           "tests/house/test_outside_files.py"]  # fmt: skip
FAST = ["-m", "not browser and not slow"]


def run(*command: object, **environment: str) -> None:
    """Run a command in the project's folder and stop with its exit code if it fails."""
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **environment})
    if done.returncode:
        sys.exit(done.returncode)


def setup(*_: str) -> None:
    """make .venv from the lock, if it is missing or the lock has changed"""
    recipe = LOCK.read_bytes() + UV_LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    want = f"{sys.version_info[0]}.{sys.version_info[1]} {hashlib.sha256(recipe).hexdigest()}"
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == want:
        return
    if VENV.is_symlink():  # to make it anew is to empty what it leads to
        sys.exit(
            f"{VENV} leads to {VENV.resolve()}, made for another Python or lock: remove the link"
        )
    print(f"Making {VENV} (about 1.3 GB; a minute or less with a warm cache)", flush=True)
    began = time.monotonic()
    venv.create(VENV, with_pip=True, clear=True)
    run(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", UV_LOCK)
    uv = [PYTHON, "-m", "uv", "pip", "install", "-q", "--python", PYTHON]
    run(*uv, "--require-hashes", "-r", LOCK)
    run(*uv, "--no-deps", "--no-build-isolation", "-e", ".")
    run(PYTHON, "-c", "from econ.charts import live; live.script()")  # so that no kernel bundles it
    STAMP.write_text(want)
    print(f"Ready after {time.monotonic() - began:.0f} s", flush=True)


def lab(*rest: str) -> None:
    """open JupyterLab on the first notebook (this machine only, with a token)"""
    root = f"--ServerApp.root_dir={ROOT / 'notebooks'}"
    page = f"--LabApp.default_url=/lab/tree/{START_PAGE}"
    run(PYTHON, "-m", "jupyterlab", root, page, *LAB_FLAGS, *as_root(), *rest)


def app(*rest: str) -> None:
    """the decision as an app: API, rent or own (this machine only, with a token)"""
    run(PYTHON, ROOT / "tools" / "app_server.py", ROOT / APP_PAGE, *APP_FLAGS, "--token", *rest)


def test(*rest: str) -> None:
    """everything: lint, imports, data, unit tests, notebooks under strict nbval, browser"""
    lint()
    pytest("-n2", "--dist=loadfile", "-m", "not browser", *rest)
    pytest(*NBVAL_FLAGS, "notebooks", ECON_STATIC="1")
    run(PYTHON, "tools/chromium.py")
    # the slow ones of one file are shared out: the Lab and the site take one worker each, then both
    pytest(*BROWSER_FLAGS, "tests/browser", "tests/house", "tests/pyodide")


def quick(*rest: str) -> None:
    """lint and the fast unit tests"""
    lint()
    pytest("-n2", "--dist=loadfile", *FAST, *rest)


def pytest(*arguments: object, **environment: str) -> None:
    """Run pytest in the environment."""
    run(PYTHON, "-m", "pytest", "-q", *arguments, **environment)


def lint(*_: str) -> None:
    """ruff (style, errors, formatting), types and the import contracts"""
    run(BIN / "ruff", "check", ".")
    run(BIN / "ruff", "format", "--check", ".")
    run(BIN / "mypy")
    run(BIN / "lint-imports", "--no-cache")


def style(*_: str) -> None:
    """let ruff mend what it can"""
    run(BIN / "ruff", "check", "--fix", ".")
    run(BIN / "ruff", "format", ".")


def execute(*names: str) -> None:
    """run notebooks and keep their outputs (all, or NOTEBOOK=01_tokens)"""
    run(PYTHON, "tools/execute.py", *names, ECON_STATIC="1")


def site(*names: str) -> None:
    """the notebooks as pages that need no Python: build/site"""
    run(PYTHON, "tools/website/publish.py", *names)


def lite(*names: str) -> None:
    """JupyterLite, Python in the browser: build/lite (needs a network when it is used)"""
    run(PYTHON, "tools/lite.py", *names)


def slides(*names: str) -> None:
    """a deck from each notebook: build/slides"""
    run(PYTHON, "tools/slides.py", *names)


def handout(*_: str) -> None:
    """formulas on one page, the answers, a page on all lessons: build"""
    run(PYTHON, "tools/handout.py")
    run(PYTHON, "tools/answers.py")
    run(PYTHON, "tools/teacher.py")


def check(*_: str) -> None:
    """is this machine ready? plain answers, before a workshop"""
    run(sys.executable, "tools/preflight.py")


def bench(*rest: str) -> None:
    """speed: every bench, its words kept in bench/results (20 minutes, on an idle machine)"""
    run(PYTHON, "bench/all.py", *rest)


def sizes(*_: str) -> None:
    """code lines of each package, kept as a record (tests/house/sizes.json)"""
    run(PYTHON, "tools/sizes.py")


def fuzz(*rest: str) -> None:
    """200,000 mutated calls of public functions under the day's seed"""
    run(PYTHON, "tools/fuzz.py", *rest)


def robust(*rest: str) -> None:
    """what is promised of wrong input, files, visitors and machines, each figure measured anew"""
    for title, words in (
        ("Mutated calls of public functions", ["tools/fuzz.py", *rest]),
        ("Hostile files: cases, all within their bounds", [*HOSTILE]),
        ("Laws over the chain", ["-m", "pytest", "-q", "tests/laws"]),
        ("Visitors of the app: memory before, at most, after", ["tools/soak.py"]),
        ("Bad places to install", ["tools/installs.py", "--pythons"]),
        ("Steps of the containers, in an empty folder", ["tools/containers.py"]),
        ("What the check of arguments costs", ["bench/bench_guards.py"]),
    ):
        print(f"\n{title}", flush=True)
        run(PYTHON, *words)


def audit(*_: str) -> None:
    """rows, sources and stale rows of the data; published figures beside ours"""
    run(PYTHON, "-m", "econ.catalog")
    run(PYTHON, "-m", "econ.ledger")


def lock(*_: str) -> None:
    """resolve the dependencies anew into the hashed locks"""
    common = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
    common += ["--python-version", "3.11", "--custom-compile-command", "make lock"]
    uv = [PYTHON, "-m", "uv", "pip", "compile", "-q", *common]
    run(*uv, "--all-extras", "pyproject.toml", "--upgrade", "-o", LOCK)
    for name in ("uv", "lite"):
        run(
            *uv,
            f"tools/requirements-{name}.in",
            "--upgrade",
            "-o",
            f"tools/requirements-{name}.lock",
        )
    setup()
    run(PYTHON, "tools/licences.py")


def clean(*_: str) -> None:
    """remove .venv and caches"""
    for path in [VENV, *ROOT.rglob("__pycache__"), *ROOT.glob("*.egg-info")]:
        shutil.rmtree(path, ignore_errors=True)


COMMANDS: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        lab,
        app,
        test,
        quick,
        lint,
        style,
        execute,
        site,
        slides,
        handout,
        lite,
        check,
        bench,
        sizes,
        fuzz,
        robust,
        audit,
        setup,
        lock,
        clean,
    )
}


def _parameters(command: str) -> list[inspect.Parameter]:
    return list(inspect.signature(COMMANDS[command]).parameters.values())


def main(command: str = "help", *rest: str) -> None:
    """Do one command, or list them."""
    if command not in COMMANDS:
        width = max(map(len, COMMANDS))
        print("\n".join(f"make {name:<{width}}  {f.__doc__}" for name, f in COMMANDS.items()))
        sys.exit(0 if command == "help" else 2)
    if rest and all(p.kind is p.VAR_POSITIONAL and p.name == "_" for p in _parameters(command)):
        print(f"make {command}: {COMMANDS[command].__doc__}; it takes no words after it")
        sys.exit(0 if {*rest} <= {"-h", "--help"} else 2)
    if command not in ("setup", "clean", "check"):  # a check speaks before anything is there
        setup()
    COMMANDS[command](*rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
