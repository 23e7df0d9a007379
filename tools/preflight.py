#!/usr/bin/env python3
"""Is this machine ready? Plain answers, before a workshop: ``make check``.

Standard library only: it must speak where nothing is installed yet. The last line says whether a
class can begin; what is only nice to have never fails it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from chromium import find
from dev import LAB_FLAGS, PYTHON, ROOT, VENV

NEED_GB = 1.5  # of disk for the environment
LAB_S = 60
IMPORTS = ["numpy", "pandas", "scipy", "altair", "anywidget", "ipywidgets", "jupyterlab"]
IMPORTS += ["vl_convert", "numba", "econ"]

Answer = tuple[bool, str]


def python() -> Answer:
    """Python"""
    fits = (3, 11) <= sys.version_info[:2] < (3, 15)
    advice = "" if fits else "; install 3.11 to 3.14 and name it: make lab PYTHON=python3.12"
    return fits, f"{platform.python_version()} on {platform.system()}{advice}"


def disk() -> Answer:
    """Disk"""
    free = shutil.disk_usage(ROOT).free / 1e9
    enough = free >= NEED_GB or PYTHON.exists()
    return enough, f"{free:.0f} GB free, {NEED_GB} GB needed for the environment"


def environment() -> Answer:
    """Environment"""
    if PYTHON.exists():
        return True, f"{VENV} is there"
    return False, "not made yet; run: make setup (one to three minutes, needs the network once)"


def packages() -> Answer:
    """Packages"""
    code = f"import importlib, json; [importlib.import_module(m) for m in {IMPORTS!r}]; "
    code += "from econ.catalog import model; print(model('deepseek-v3').kv_bytes_per_token())"
    done = _python("-c", code)
    if done.returncode:
        return False, f"{_last(done.stderr)}; run: make clean, then make setup"
    return (
        True,
        f"{len(IMPORTS)} import, and the model answers: {done.stdout.strip()} bytes per token",
    )


def charts() -> Answer:
    """Charts"""
    code = (
        "from econ.charts import figure, render; from econ.latency.bound import reality_frame; "
        "chart = figure(reality_frame(), 'batch', 'slowdown', finding='Over the bound'); "
        "print(len(render.png_of(chart.to_dict())))"
    )
    done = _python("-c", code)
    if done.returncode:
        return False, f"a chart could not be drawn: {_last(done.stderr)}"
    return True, f"one drawn, {int(done.stdout):,} bytes"


def fonts() -> Answer:
    """Fonts"""
    if not shutil.which("fc-list"):
        return True, "not asked (no fontconfig here); charts bring their own"
    done = subprocess.run(["fc-list", ":lang=en", "family"], capture_output=True, text=True)
    n = len(set(done.stdout.splitlines()))
    advice = "" if n else "; a browser may show boxes: install fonts-dejavu-core"
    return n > 0, f"{n} families{advice}"


def jupyterlab() -> Answer:
    """JupyterLab"""
    with socket.socket() as free, tempfile.TemporaryDirectory() as state:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = [PYTHON, "-m", "jupyterlab", "--no-browser", "--allow-root", *LAB_FLAGS]
        words += [f"--ServerApp.root_dir={ROOT / 'notebooks'}", f"--ServerApp.port={port}"]
        words += ["--IdentityProvider.token=check"]
        env = {**os.environ, "JUPYTER_CONFIG_DIR": state, "JUPYTER_RUNTIME_DIR": state}
        began = time.monotonic()
        server = subprocess.Popen(
            words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            return _answers(f"http://127.0.0.1:{port}/api?token=check", server, began)
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(address: str, server: subprocess.Popen, began: float) -> Answer:
    while time.monotonic() - began < LAB_S:
        if server.poll() is not None:
            return False, "it ended at once; run: make lab, and read what it says"
        try:
            with urllib.request.urlopen(address, timeout=2) as reply:
                version = json.load(reply).get("version", "?")
                return True, f"starts in {time.monotonic() - began:.0f} s (server {version})"
        except OSError:
            time.sleep(0.3)
    return False, f"no answer within {LAB_S} s; is another program in the way, or the machine busy?"


def chromium() -> Answer:
    """Chromium"""
    found = find()
    return bool(found), found or "none; only the browser tests and the PDFs need one"


MUST: list[Callable[[], Answer]] = [python, disk, environment, packages, charts, jupyterlab]
NICE: list[Callable[[], Answer]] = [fonts, chromium]


def _python(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([PYTHON, *words], cwd=ROOT, capture_output=True, text=True, timeout=180)


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def main() -> int:
    """Ask everything; 0 if a class can begin."""
    ready = True
    for question in [*MUST, *NICE]:
        if not PYTHON.exists() and question in (packages, charts, jupyterlab):
            continue  # the environment's own answer says what to do
        try:
            good, words = question()
        except (OSError, subprocess.SubprocessError) as error:
            good, words = False, f"{type(error).__name__}: {error}"
        mark = "yes" if good else ("NO " if question in MUST else "no ")
        print(f"{mark}  {question.__doc__:<12} {words}", flush=True)
        ready &= good or question in NICE
    print("Ready." if ready else "Not ready: see the lines marked NO.")
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())
