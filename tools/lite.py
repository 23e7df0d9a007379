"""JupyterLite, Python in the browser: ``python tools/lite.py [NAME …]`` writes ``build/lite``.

Bundled are JupyterLab, Pyodide's core (from npm), the pure-Python wheels that its kernel starts
with, and this package as a wheel with its tables. So a kernel starts without another host. The
compiled numpy, pandas and scipy exist only at Pyodide's own distribution: the first ``import`` of
them asks its content delivery network, which the page says.

All notebooks are in it. What a browser has not is a real tokenizer: the cells of notebook 01 that
need one say so.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import notebook_names  # noqa: E402

from econ.catalog.prices import SAVED, prices_now_json  # noqa: E402
from econ.charts.live import bundle  # noqa: E402

OUT, WORK = ROOT / "build" / "lite", ROOT / "build" / "lite-sources"
ENV, LOCK = ROOT / "build" / "lite-env", ROOT / "tools" / "requirements-lite.lock"
STARTS_WITH = ["ipython", "micropip", "comm", "jedi"]  # of Pyodide's own lock
NEEDS = ["altair", "anywidget", "ipywidgets"]  # beside what the lock has
NOTE = """**This page runs Python in your browser.** The first run fetches numpy, pandas and scipy
from Pyodide's content delivery network (some tens of megabytes); nothing you type is sent
anywhere. Nothing is kept beyond this browser. A cell that cuts text with a real tokenizer says that
it cannot here; run it with `make lab`."""
INSTALL = "%pip install -q inference-economics"
UNREACHED = "error sending request"  # as uv says it
DOWNLOAD_S = 300  # of one wheel; a hundred megabytes at the most


def build(out: Path = OUT, work: Path = WORK, names: list[str] | None = None) -> list[str]:
    """Stage everything in ``work``, then build; the notebooks that are in it."""
    wanted = notebook_names.named(names or [], "[0-9]*", usage=__doc__)
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(out, ignore_errors=True)
    work.mkdir(parents=True)
    write_notebooks(work / "files", wanted)
    write_wheel(work / "pypi", bundle())
    python = environment()
    lock = write_pyodide(work / "static" / "pyodide", *pyodide(python))
    served = {*lock["packages"], *closure(["ipython"])}  # the kernel brings an IPython of its own
    download(sorted(closure(NEEDS) - served), work / "pypi")
    words = [python, "-m", "jupyterlite_core.app", "build", "--lite-dir", work]
    words += ["--contents", work / "files", "--output-dir", out, "--apps", "lab"]
    done = subprocess.run(words, cwd=work, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"jupyter lite ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return [path.stem for path in wanted]


def environment() -> Path:
    """Python of an environment with JupyterLite, made from its own lock where it is missing.

    Its kernel is a JupyterLab extension: in the environment of the lessons every JupyterLab would
    load it, and complain.
    """
    python = ENV / "bin" / "python"
    stamp, want = ENV / "lock", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == want:
        return python
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, ENV], check=True)
    words = ["pip", "install", "-q", "--python", python, "--require-hashes", "-r", LOCK]
    done = subprocess.run([*uv, *words], stderr=subprocess.PIPE, text=True)
    if UNREACHED in done.stderr:
        sys.exit("JupyterLite could not be fetched: the package index is out of reach")
    if done.returncode:
        raise RuntimeError(f"JupyterLite was not installed: {done.stderr}")
    stamp.write_text(want)
    return python


def pyodide(python: Path) -> tuple[str, str]:
    """The version of Pyodide that the kernel was made for, and where its wheels lie."""
    code = (
        "from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL, PYODIDE_VERSION\n"
        "print(PYODIDE_VERSION, PYODIDE_CDN_URL)"
    )
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    version, url = done.stdout.split()
    return version, url


def write_notebooks(out: Path, paths: list[Path]) -> None:
    """The notebooks without outputs, each with a word and an installation first."""
    out.mkdir(parents=True)
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        word, install = nbformat.v4.new_markdown_cell(NOTE), nbformat.v4.new_code_cell(INSTALL)
        notebook.cells[1:1] = [word, install]
        nbformat.write(notebook, out / path.name)


def write_wheel(out: Path, script: str) -> Path:
    """This package as a wheel that carries its tables, today's prices and the charts' script."""
    out.mkdir(parents=True)
    name, version = "inference_economics", metadata.version("inference-economics")
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {n}\n" for n in ("numpy", "pandas", "scipy", *NEEDS))
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\n"
        f"Version: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: lite\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        "econ/charts/live.bundle.js": script,
        f"econ/data/{SAVED}": prices_now_json(),
    }
    code = [path for kind in ("py", "js") for path in ROOT.glob(f"econ/**/*.{kind}")]
    for path in [*code, *ROOT.glob("data/**/*.*")]:
        inside = "econ" if path.is_relative_to(ROOT / "data") else ""  # as in the real wheel
        files[(Path(inside) / path.relative_to(ROOT)).as_posix()] = path.read_text(encoding="utf-8")
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    wheel = out / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as box:
        for at, text in {**files, f"{info}/RECORD": record}.items():
            box.writestr(at, text)
    return wheel


def write_pyodide(out: Path, version: str, network: str) -> dict:
    """Pyodide's core from npm, with the wheels that a kernel starts with beside it; its lock."""
    out.parent.mkdir(parents=True)
    work = out.parent
    if not shutil.which("npm"):
        sys.exit("npm is needed for Pyodide's core: install Node.js, then make lite again")
    done = subprocess.run(
        ["npm", "pack", "--silent", "--fetch-retries=1", "--fetch-timeout=60000",
         f"pyodide@{version}"],
        cwd=work, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"npm could not fetch pyodide {version}: {done.stderr.strip()[-300:]}")
    with tarfile.open(work / done.stdout.split()[-1]) as box:
        box.extractall(work, filter="data")
    (work / "package").rename(out)
    (work / done.stdout.split()[-1]).unlink()
    file = out / "pyodide-lock.json"
    lock = json.loads(file.read_text())
    local = lock_closure(lock, STARTS_WITH)
    pure = [n for n in local if lock["packages"][n]["file_name"].endswith("-none-any.whl")]
    wheels = download([f"{n}=={lock['packages'][n]['version']}" for n in pure], out)
    for name, entry in lock["packages"].items():
        if name in wheels:
            entry["file_name"] = wheels[name].name
            entry["sha256"] = hashlib.sha256(wheels[name].read_bytes()).hexdigest()
        else:
            entry["file_name"] = f"{network}/{entry['file_name']}"
    file.write_text(json.dumps(lock))
    return lock


def lock_closure(lock: dict, names: list[str]) -> list[str]:
    """Packages of the lock and all they depend on.

    >>> lock_closure({"packages": {"a": {"depends": ["B_c"]}, "b-c": {"depends": []}}}, ["a", "x"])
    ['a', 'b-c']
    """
    found: list[str] = []
    left = list(names)
    while left:
        name = canonicalize_name(left.pop(0))
        if name in lock["packages"] and name not in found:
            found.append(name)
            left += lock["packages"][name]["depends"]
    return found


def closure(names: list[str]) -> set[str]:
    """Distributions installed here and all that they require without extras."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = canonicalize_name(left.pop())
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                left.append(need.name)
    return found


def download(needs: list[str], out: Path) -> dict[str, Path]:
    """Pure-Python wheels by pip's own client, at the versions here or those named; by name."""
    pinned = [n if "==" in n else f"{n}=={metadata.version(n)}" for n in needs]
    words = ["--no-deps", "--only-binary=:all:", "--platform=any", "--implementation=py"]
    words += ["--python-version=3.14", "--abi=none", "--retries=1", "--timeout=30", "--dest", out]
    run = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", *words]
    got: dict[str, Path] = {}
    for need in pinned:
        if not _ends_well([*run, need]):
            print(
                f"{need}: no pure wheel in the index; a browser will ask Pyodide's network for it"
            )
            continue
        name = canonicalize_name(need.partition("==")[0])
        stem = re.sub(r"[-_.]+", "[-_.]", re.escape(name).replace("\\-", "-"))
        got[name] = next(p for p in out.glob("*.whl") if re.match(rf"{stem}-\d", p.name, re.I))
    return got


def _ends_well(words: list[object]) -> bool:
    """Whether a download ends, and well: an index that keeps silent is out of reach too."""
    try:
        return not subprocess.run(words, capture_output=True, timeout=DOWNLOAD_S).returncode
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    print(f"{OUT / 'index.html'} with {', '.join(build(names=sys.argv[1:]))}")
