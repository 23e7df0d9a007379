"""The house in order: what lies at the top, what the commands are, what no file may name."""

import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import readme_pictures

import econ
from econ.catalog import table
from econ.latency.bound import reality_frame
from econ.ledger import counts_frame

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    "notebooks", "econ", "data", "tests", "environment.yml", "README.md",
    "pyproject.toml", "requirements.lock", "Makefile", "LICENSE", "CITATION.cff", "CHANGELOG.md",
    "CONTRIBUTING.md",
    ".binder", ".ci", ".gitignore", "tools", "bench", "workshop", "conftest.py",
    ".devcontainer", ".dockerignore", ".github", ".pre-commit-config.yaml",
    "Dockerfile", "SECURITY.md",
}  # fmt: skip
# split so that this file does not name them itself
PARTS = [
    "/wo|rk/", "/ro|ot/", r"/home/\w|+/", "/Use|rs/", r"\.lib|rary/",
    r"py|pi\.org", "python|hosted", r"regi|stry\.npmjs", r"de|b\.debian", r"proxy\.gol|ang",
]  # fmt: skip
FORBIDDEN = re.compile("|".join(part.replace("|", "") for part in PARTS))


def _files() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=600
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_the_top_level_holds_what_it_should():
    top = {p.relative_to(ROOT).parts[0] for p in _files()}
    assert top <= TOP, sorted(top - TOP)


def test_no_file_names_a_machine_or_an_index():
    bad = []
    for path in _files():
        if path.exists() and FORBIDDEN.search(path.read_bytes().decode("utf-8", "ignore")):
            bad.append(str(path.relative_to(ROOT)))
    assert not bad


@pytest.mark.parametrize(
    "line", ["see /wo|rk/x", "/home/m|e/y", "https://py|pi.org/simple", "at /Use|rs/me"]
)
def test_the_rule_catches_what_it_should(line):
    assert FORBIDDEN.search(line.replace("|", ""))
    assert not FORBIDDEN.search("a workshop at home, by users of a library")


def _dev():
    spec = importlib.util.spec_from_file_location("dev", ROOT / "tools" / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_and_its_script_offer_the_same():
    line = re.search(r"^TARGETS := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
    commands = _dev().COMMANDS
    assert set(line) == {*commands, "help"}
    assert all(f.__doc__ for f in commands.values())


def test_help_lists_every_command():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "dev.py", "help"],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    for name in _dev().COMMANDS:
        assert f"make {name}" in done.stdout


def test_versions_agree():
    version = econ.__version__
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()


def test_the_readmes_examples_run_and_its_figures_are_ours():
    readme = ROOT / "README.md"
    assert doctest.testfile(str(readme), module_relative=False).failed == 0
    text = " ".join(readme.read_text(encoding="utf-8").split())
    slow = reality_frame()["slowdown"]
    assert f"took {slow.min():.1f} to {slow.max():.1f} times as long" in text
    counts = counts_frame()
    n = counts.sum()
    met = f"{n['met']} of {n['rows']} published figures are met: {n['reproduced']} are reproduced"
    assert met in text, f"README.md has other counts; the tables say: {met}"
    assert f"{n['inside a band']} lie inside a band that contains the published value" in text
    assert f"With {n['we disagree']} we disagree" in text
    assert f"{counts.loc['model', 'met']} of the {n['met']} test functions" in text
    assert f"{counts.loc['arithmetic', 'met']} are sums of published numbers" in text
    fit = table("calibration_without").set_index("name").loc["all"]
    errors = ("tpot_error_frac", "ttft_error_frac", "benchmark_mean_ttft_error_frac")
    words = "about {:.0f} % for TPOT, {:.0f} % for the median TTFT and {:.0f} % for"
    assert words.format(*(100 * fit[name] for name in errors)) in text
    numbers = re.findall(r"fitted to ([\d,]+) public means and (\d+) dated", text)[0]
    assert sum(int(n.replace(",", "")) for n in numbers) == fit["n_felt"]
    languages = (table("parallel_text")["group"] == "language").sum()
    assert f"{languages} languages" in text


@pytest.mark.parametrize("name", readme_pictures.CHARTS)
def test_the_readmes_pictures_are_the_notebooks_own(name):
    stem, _ = readme_pictures.CHARTS[name]
    book = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    picture, words = readme_pictures.chart(name, book)
    assert (readme_pictures.IMAGES / f"{name}.png").read_bytes() == picture
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme_pictures.alt_of(name).findall(text)[0][0] == words


def _notebooks() -> list[str]:
    return sorted(p.stem for p in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("stem", _notebooks())
def test_readme_and_changelog_name_every_notebook(stem):
    assert f"](notebooks/{stem}.ipynb)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Notebook {stem[:2]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_points_only_at_what_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [t for t in re.findall(r"\]\(([^)#]+)", text) if "://" not in t]
    assert len(links) >= 5
    assert not [t for t in links if not (ROOT / t).exists()]
    for command in re.findall(r"make ([a-z]+)", text):
        assert command in {*_dev().COMMANDS, "help"}


def test_the_changelog_is_newest_first():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, re.M)
    assert heads[0] == "Unreleased" or heads[0].startswith(econ.__version__)
    released = [tuple(map(int, re.match(r"(\d+)\.(\d+)\.(\d+)", h).groups())) for h in heads[1:]]
    assert released == sorted(released, reverse=True)
