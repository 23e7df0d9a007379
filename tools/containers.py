"""Do the steps of the Docker file, the devcontainer and Binder work? What needs none of them runs.

``python tools/containers.py`` copies what a container would get (the files of git, less
``.dockerignore``) into an empty folder and runs the steps there: as another user where this machine
permits it, with an empty home and no other settings than how packages are fetched. Then it starts
what the container starts and asks it for its page. Steps of the system (an image, apt, useradd) are
listed as not run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import installs  # noqa: E402

OF_THE_SYSTEM = ("apt-get", "rm -rf /var/lib/apt", "useradd")
FETCHING = ("PIP_", "UV_", "SSL_", "REQUESTS_", "PATH", "LANG", "PYENV_")  # settings that stay
HOME = "/srv/learner"  # of the container
PATIENCE_S = 300
ADDRESS = re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+/\S*token=[0-9a-f]+")


class Steps(NamedTuple):
    """Of a container: what is run here, what only a system could run, what it starts at the end."""

    run: list[str]
    system: list[str]
    start: list[str]


def docker(text: str) -> Steps:
    """The steps of a Docker file.

    >>> docker('FROM python:3.12\\nRUN apt-get update && make setup\\nCMD ["econ", "lab"]')
    Steps(run=['make setup'], system=['FROM python:3.12', 'apt-get update'], start=['econ', 'lab'])
    """
    run: list[str] = []
    system: list[str] = []
    start: list[str] = []
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in code.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "RUN":
            for step in (" ".join(part.split()) for part in rest.split("&&")):
                (system if step.startswith(OF_THE_SYSTEM) else run).append(step)
        elif word == "CMD":
            start = json.loads(rest)
        elif word == "FROM":
            system.append(line)
    return Steps(run, system, start)


def devcontainer(text: str) -> Steps:
    """The steps of a ``devcontainer.json``."""
    said = json.loads(text)
    python = said["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    return Steps(
        [said["postCreateCommand"]], [f"image {said['image']}"], [python, "-c", "import econ"]
    )


def binder(folder: Path) -> Steps:
    """The steps of Binder's folder: the lock into an environment of its own, then ``postBuild``."""
    lines = (folder / "postBuild").read_text(encoding="utf-8").splitlines()
    own = [line for line in lines if line and not line.startswith(("#", "set "))]
    return Steps(own, ["conda env create -f environment.yml"], ["python", "-c", "import econ"])


def copy(out: Path) -> None:
    """What ``COPY . .`` of a fresh clone would copy."""
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not any(fnmatch(name, f"{left}*") for left in kept) and (ROOT / name).is_file():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, out / name)


def settings(home: Path) -> dict[str, str]:
    """The environment of a fresh user."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(FETCHING)}
    return {**kept, "HOME": str(home)}


def answers(words: list[str], place: Path, home: Path, before: list[str]) -> str:
    """Start JupyterLab as the container does, wait for its address, ask for the first notebook."""
    inside = [word.replace(HOME, str(home)) for word in words]
    command = [*before, *inside, "--no-browser"]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=place, env=settings(home), stdout=log, stderr=log)
        try:
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and server.poll() is None:
                log.seek(0)
                if found := ADDRESS.search(log.read()):
                    with urllib.request.urlopen(found[0], timeout=PATIENCE_S) as page:
                        return f"JupyterLab answers {page.status}"
                time.sleep(0.5)
            log.seek(0)
            raise RuntimeError(f"{shlex.join(command)} gave no address:\n{log.read()[-1500:]}")
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    """Run every step, print each with how it ended; the first that fails ends the program."""
    of_docker = docker((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    of_code = devcontainer((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    of_binder = binder(ROOT / ".binder")
    before = installs.as_user() if installs.permitted(installs.as_user()) else []
    with tempfile.TemporaryDirectory(prefix="econ-container-") as folder:
        place, home = Path(folder) / "opt" / "econ", Path(folder) / "home"
        home.mkdir()
        copy(place)
        steps = dict.fromkeys([*of_docker.run, *of_code.run])  # make setup, once
        for step in [*steps, shlex.join(of_code.start)]:
            began = time.monotonic()
            subprocess.run([*before, "sh", "-c", step], cwd=place, env=settings(home), check=True)
            print(f"ran in an empty folder: {step} ({time.monotonic() - began:.0f} s)", flush=True)
        print(f"{shlex.join(of_docker.start)}: {answers(of_docker.start, place, home, before)}")
        python = place / ".venv" / "bin" / "python"
        for step in of_binder.run:  # into the same lock, by pip as Binder has it
            words = step.replace("pip ", f"{python} -m pip ", 1)
            subprocess.run([*before, "sh", "-c", words], cwd=place, env=settings(home), check=True)
            print(f"ran in an empty folder: {step}", flush=True)
    for step in [*of_docker.system, *of_code.system, *of_binder.system]:
        print(f"not run, as it needs a container: {step}")


if __name__ == "__main__":
    main()
