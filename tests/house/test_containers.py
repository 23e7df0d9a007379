"""The files of containers: their steps are known, and each is run by a tool or named as not run."""

import doctest
import tomllib

from tools import containers
from tools.needs import OLDEST, TOO_NEW


def test_the_steps_are_those_of_the_files():
    assert not doctest.testmod(containers).failed
    made = containers.docker((containers.ROOT / "Dockerfile").read_text("utf-8"))
    assert made.run == ["make setup"]
    assert any(step.startswith("useradd") for step in made.system)
    assert made.start[:2] == [".venv/bin/econ", "lab"]
    assert containers.HOME in " ".join(made.start)
    code = (containers.ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    assert containers.devcontainer(code).run == ["make setup"]
    assert containers.binder(containers.ROOT / ".binder").run == [
        "pip install --no-deps --editable ."
    ]


def test_images_have_a_python_that_the_package_takes():
    names = ("Dockerfile", ".devcontainer/devcontainer.json")
    texts = [(containers.ROOT / name).read_text("utf-8") for name in names]
    for text in texts:
        found = [int(v) for v in containers.re.search(r"python:(\d+)\.(\d+)", text).groups()]
        assert OLDEST <= tuple(found) < TOO_NEW
    project = tomllib.loads((containers.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "econ" in project["scripts"]  # what the container starts


def test_a_container_gets_what_git_has_and_no_more(tmp_path):
    containers.copy(tmp_path)
    assert (tmp_path / "requirements.lock").exists()
    assert (tmp_path / "notebooks" / "00_start_here.ipynb").exists()
    assert not {".git", ".venv", "build"} & {p.name for p in tmp_path.iterdir()}
