"""What a page loads to run Python itself: one archive of this package and the pure ones it needs.

Pyodide's core and its compiled numpy, pandas and scipy come from Pyodide's own distribution
(`CORE`), and only after a reader has asked for them.
"""

from __future__ import annotations

import shutil
import zipfile
from importlib import metadata
from pathlib import Path

import increment
import lite

from econ.charts import live

ROOT = Path(__file__).resolve().parents[2]
VERSION = "0.27.7"
CORE = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
FIRST = ["numpy", "pandas", "packaging"]  # of that distribution, with what they depend on
LATER = ["scipy", "joblib"]  # after the first answer, or before it where a cell needs them
ARCHIVE = "python.zip"
MEGABYTES, MORE_MEGABYTES = 27, 20  # what they weigh; a test holds it against the files
# altair checks charts with jsonschema, whose newer releases need another compiled part
OLDER = ["jsonschema==4.17.3", "pyrsistent==0.20.0"]
INSTALLED = [
    "altair", "anywidget", "attrs", "comm", "ipywidgets", "jinja2", "jupyterlab_widgets",
    "markupsafe", "narwhals", "psygnal", "tqdm", "traitlets", "typing_extensions",
]  # fmt: skip
OWN = Path(__file__).with_name("in_page")  # in the place of what no page needs whole


def write(out: Path, work: Path) -> Path:
    """Write the archive; ``work``: a folder of its own, in which downloads and the last one stay.

    Raises `ConnectionError` where the package index cannot be reached.
    """
    last = work / f"python-{increment.content()[:24]}.zip"
    if last.exists():
        shutil.copyfile(last, out)
        return out
    wheels, site = work / "wheels", work / "site"
    wheels.mkdir(parents=True, exist_ok=True)
    if not len(list(wheels.glob("*.whl"))) >= len(OLDER):
        fetch(OLDER, wheels)
    shutil.rmtree(site, ignore_errors=True)
    shutil.rmtree(work / "own", ignore_errors=True)
    for wheel in [*wheels.glob("*.whl"), lite.write_wheel(work / "own", live.source())]:
        with zipfile.ZipFile(wheel) as box:
            box.extractall(site)
    for name in INSTALLED:
        _copy(name, site)
    shutil.copytree(OWN, site, dirs_exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for file in sorted(p for p in site.rglob("*") if p.is_file()):
            box.write(file, file.relative_to(site))
    for old in work.glob("python-*.zip"):
        old.unlink()
    shutil.copyfile(out, last)
    return out


def fetch(needs: list[str], out: Path) -> None:
    """`lite.download`, all of them or `ConnectionError`."""
    if missing := len(needs) - len(lite.download(needs, out)):
        raise ConnectionError(f"{missing} of {len(needs)} wheels are out of reach")


def _copy(name: str, site: Path) -> None:
    """A package as it is installed here; its compiled extras stay behind."""
    for file in metadata.files(name) or []:
        if ".." not in file.parts and file.suffix not in (".so", ".pyc", ".map"):
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), site / file)
