"""One list of dependencies: pyproject, the hashed lock and environment.yml say the same."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = [ROOT / "requirements.lock", ROOT / "tools" / "requirements-uv.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.M)


def _pins() -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in PIN.findall(LOCKS[0].read_text()):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def _direct() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    return [
        Requirement(r) for r in [*PROJECT["dependencies"], *(r for e in extras.values() for r in e)]
    ]


@pytest.mark.parametrize("need", _direct(), ids=lambda r: r.name)
def test_every_direct_dependency_is_locked_within_its_range(need):
    versions = _pins()[canonicalize_name(need.name)]
    assert all(Version(v) in need.specifier for v in versions)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_locks_are_hashed_and_name_no_index(lock):
    text = lock.read_text()
    assert "://" not in text.replace("make lock", "")
    assert "index-url" not in text
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.split("\n", 2)[2].strip())
    assert len(blocks) >= 1
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", ["3.11.15", "3.12.12", "3.13.9", "3.14.2"])
def test_the_lock_serves_every_python_promised(python, system):
    """Each package at most once, and every direct dependency within its range."""
    assert Version(python) in SpecifierSet(PROJECT["requires-python"])
    here = {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": system,
        "os_name": "posix",
        "platform_system": system.capitalize(),
        "platform_machine": {"linux": "x86_64", "darwin": "arm64"}[system],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lines = re.findall(r"^[A-Za-z0-9][^\\\n]+", LOCKS[0].read_text(), re.M)
    needs = [Requirement(line) for line in lines]
    served = [need for need in needs if need.marker is None or need.marker.evaluate(here)]
    names = [canonicalize_name(need.name) for need in served]
    assert len(names) == len(set(names)) > 50
    versions = {
        name: str(need.specifier).removeprefix("==")
        for name, need in zip(names, served, strict=True)
    }
    for need in _direct():
        assert Version(versions[canonicalize_name(need.name)]) in need.specifier


def test_no_other_python_is_promised():
    assert Version("3.10.19") not in SpecifierSet(PROJECT["requires-python"])
    assert Version("3.15.0") not in SpecifierSet(PROJECT["requires-python"])


def test_conda_installs_the_same_lock():
    env = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert env["name"] == PROJECT["name"]
    plain = [d for d in env["dependencies"] if isinstance(d, str)]
    assert plain == [f"python {PROJECT['requires-python']}", "pip"]
    (pip,) = [d["pip"] for d in env["dependencies"] if isinstance(d, dict)]
    assert pip == ["--require-hashes", "-r requirements.lock"]


def test_an_old_python_gets_a_sentence_and_not_a_stack():
    """What speaks first is understood by the oldest one that is still about."""
    first = (ROOT / "tools" / "needs.py").read_text(encoding="ascii")
    tree = ast.parse(first, feature_version=(3, 0))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr | ast.AnnAssign)]
    code = "import sys; sys.version_info = (3, 10, 1); sys.version = '3.10.1 x'; import needs; "
    done = subprocess.run(
        [sys.executable, "-c", code + "needs.check()"],
        cwd=ROOT / "tools", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("This is Python 3.10.1; 3.11,")
    assert done.stderr.count("\n") == 1
    assert "tools/needs.py\n" in (ROOT / "Makefile").read_text()


def test_an_environment_behind_a_link_is_never_emptied(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "precious").write_text("x")
    (tmp_path / "link").symlink_to(shared)
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "dev.py", "setup"],
        env={**os.environ, "ECON_VENV": str(tmp_path / "link")}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "remove the link" in done.stderr
    assert (shared / "precious").exists()
