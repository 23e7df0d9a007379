"""Does the package run where it is installed badly? A copy of it, under one trouble after another.

``python tools/installs.py`` runs what this machine permits and says what it does not; every case
must print the same figures. ``--pythons`` also installs the core for each other Python it finds
(needs a network). The cheap cases are part of the test run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = ("joblib", "numpy", "pandas", "scipy", "tqdm")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PROBE = r"""
import locale, os, sys
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
import econ
from econ.serving import compiled, engine
from econ.tokens import read_trace, workload
s = econ.Scenario.default()
if compiled.has_numba():
    compiled._functions(engine)  # looks for a place of its cache
log = b"arrival_s,input_tokens,output_tokens\n2026-03-29 01:59:59,10,5\n2026-03-29 03:00:01,20,7\n"
trace = read_trace(log, name="night.csv")
figures = [econ.latency.predict(s, concurrency=8).ttft_s,
           econ.tco.cost(s, concurrency=8).usd_per_mtok, trace["arrival_s"].max(),
           float(workload("chat").sample(50, 1)["input_tokens"].sum())]
print(*(f"{value:.6g}" for value in figures), ascii("I".lower()))
assert str(econ.__file__).startswith(sys.argv[1]), econ.__file__
"""
Case = tuple[str, list[str], dict[str, str]]


def copy_of(folder: Path) -> Path:
    """The package and its tables in a folder whose name has a space and letters beyond ASCII."""
    place = folder / "ein Ort für Späße"
    for part in ("econ", "data"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def as_user() -> list[str]:
    """Words before a command that make root an ordinary user; none for one who is."""
    return ["unshare", "-U", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def permitted(words: list[str]) -> bool:
    """Whether this machine lets a command begin so."""
    try:
        return not words or subprocess.run([*words, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


def read_only(folder: Path) -> None:
    """Take the right to write from all in a folder; only its owner's own temporary files are."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def cases(home: Path) -> list[Case]:
    """What is tried: name, words before the command, settings."""
    plain = as_user() if permitted(as_user()) else []
    there = {"HOME": str(home)}
    return [
        ("a path with a space and umlauts, all of it and the home read-only", plain, there),
        ("no home at all", plain, {"HOME": "/nowhere"}),
        ("no network", ["unshare", "-rn"], there),
        ("Turkish, in Kiritimati", plain, {**there, "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr",
                                           "TZ": "Pacific/Kiritimati"}),
        ("the C locale without UTF-8, in St John's", plain,
         {**there, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
          "TZ": "America/St_Johns"}),
    ]  # fmt: skip


def run(python: str | Path, place: Path, before: list[str], settings: dict[str, str]) -> str:
    """What the probe prints under a case; `RuntimeError` with its last line where it fails."""
    taken = ("PYTHON", "LC_", "LANG", "XDG_", "NUMBA", "ECON_", "HOME")
    usual = {name: value for name, value in os.environ.items() if not name.startswith(taken)}
    words = [*before, str(python), "-c", PROBE, str(place)]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**usual, "PYTHONPATH": str(place), **settings},
        cwd="/", errors="replace",
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stdout.strip()


def found(version: str) -> str | None:
    """A Python of that version that runs: on the path, or one of pyenv's, switched on or off."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    return next((str(place) for place in places if place and runs(place)), None)


def runs(python: str | Path) -> bool:
    """Whether it is more than a stand-in that points to a version which is switched off."""
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


def other_pythons(folder: Path) -> Iterator[tuple[str, Path]]:
    """Other Pythons of this machine, each with the core's dependencies in a new environment."""
    for version in PYTHONS:
        if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
            continue
        if (other := found(version)) is None:
            print(f"not here: Python {version}{wheels(version)}", flush=True)
            continue
        uv = [sys.executable, "-m", "uv"]
        place = folder / version
        subprocess.run([*uv, "venv", "-q", "--python", other, place], check=True)
        python = place / "bin" / "python"
        words = [*uv, "pip", "install", "-q", "--python", str(python)]
        pinned = ["-c", str(ROOT / "requirements.lock")]
        subprocess.run([*words, *pinned, *CORE], check=True)
        yield f"Python {version}{wheels(version)}", python


def wheels(version: str) -> str:
    """Whether every locked package has a wheel for that Python (nothing is installed)."""
    words = ["uv", "pip", "install", "--dry-run", "--python-version", version]
    words += ["--only-binary", ":all:", "--target", tempfile.gettempdir()]
    words += ["-r", str(ROOT / "requirements.lock")]
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    if done.returncode:
        return f"; the lock does not install: {done.stderr.strip().splitlines()[-1]}"
    n = sum(line.startswith(" + ") for line in done.stderr.splitlines())
    return f"; all {n} packages of the lock have wheels for it"


def main() -> int:
    """Run every case, print one line each; 1 where one fails or says other figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", action="store_true", help="install for other Pythons, too")
    options = parser.parse_args()
    is_bad = False
    with tempfile.TemporaryDirectory() as folder:
        place, home = copy_of(Path(folder)), Path(folder) / "home"
        home.mkdir()
        expected = run(sys.executable, place, [], {"HOME": str(home)})
        print(f"figures: {expected}")
        pythons = list(other_pythons(Path(folder))) if options.pythons else []
        read_only(place)
        read_only(home)
        tried = [(name, sys.executable, words, env) for name, words, env in cases(home)]
        tried += [(name, python, [], {}) for name, python in pythons]
        for name, python, words, settings in tried:
            if not permitted(words):
                print(f"not permitted here: {name}")
                continue
            try:
                said = run(python, place, words, settings)
            except RuntimeError as error:
                said = str(error)
            is_bad |= said != expected
            print(f"ok: {name}" if said == expected else f"WRONG: {name}: {said}", flush=True)
        for path in [place, home, *place.rglob("*")]:  # so that it can be removed
            path.chmod(path.stat().st_mode | 0o200)
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
