"""``econ lab``: the course in a folder of the learner's own, opened in JupyterLab.

Works from an installed wheel as from a checkout. Only the standard library is imported here:
`tools/dev.py` takes its flags from this module before any environment is there.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = "inference-economics"
START_PAGE = "00_start_here.ipynb"
# what a server imports before it answers: the course has no use for the rest
SERVER_EXTENSIONS = {
    "econ.course_server": True,
    "voila.server_extension": False,
    "jupyter_lsp": False,
    "notebook_shim": False,
}
# JupyterLab asks outside hosts for news, updates and extensions unless it is told not to
LAB_FLAGS = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    f"--ServerApp.jpserver_extensions={SERVER_EXTENSIONS}",
]
LOOPBACK = "127.0.0.1"


def add_to(commands: Any) -> None:
    """Add ``lab`` to the commands of a parser."""
    lab = commands.add_parser("lab", help="copy the notebooks to a folder and open JupyterLab")
    where = f"where the notebooks go (default ~/{HOME}); nothing there is overwritten"
    lab.add_argument("--folder", type=Path, default=Path.home() / HOME, help=where)
    lab.add_argument("--ip", default=LOOPBACK, help="address to listen on (default: this computer)")
    lab.add_argument("--port", type=int, help="port (default: the first free one from 8888)")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy what is new, then hand over to JupyterLab; its exit code."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise ImportError(
            "JupyterLab is not installed here: pip install 'inference-economics[notebooks]'"
        )
    folder = options.folder.expanduser()
    try:
        new, changed = copy_notebooks(folder)
    except OSError as error:
        raise OSError(
            f"{folder} cannot be written ({error.strerror}): name another, econ lab --folder …"
        ) from None
    print(f"{folder}: {len(new)} notebooks copied", flush=True)
    if changed:
        print(f"left as they are, since they differ from the course: {', '.join(changed)}")
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    words += [f"--LabApp.default_url=/lab/tree/{START_PAGE}", f"--ServerApp.ip={options.ip}"]
    words += [*LAB_FLAGS, *as_root()]
    words += [f"--ServerApp.port={options.port}"] if options.port else []
    words += ["--no-browser"] if options.no_browser or options.ip != LOOPBACK else []
    try:
        return subprocess.run(words).returncode
    except KeyboardInterrupt:  # JupyterLab has said goodbye itself
        return 0


def as_root() -> list[str]:
    """In a container one is often root, which Jupyter refuses unless told; the token stays."""
    return ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def copy_notebooks(folder: Path) -> tuple[list[str], list[str]]:
    """Copy the course to a folder, and overwrite nothing there.

    Parameters
    ----------
    folder : Path
        The learner's folder; made if it is missing.

    Returns
    -------
    tuple of list of str
        The notebooks copied now, and those left alone because they differ from the course.

    Raises
    ------
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     new, changed = copy_notebooks(Path(place) / "course")
    ...     again = copy_notebooks(Path(place) / "course")
    >>> new[0], changed, again
    ('00_start_here.ipynb', [], ([], []))
    """
    source = _notebooks()
    folder.mkdir(parents=True, exist_ok=True)
    new, changed = [], []
    for path in sorted(source.glob("[0-9A]*.ipynb")):
        target = folder / path.name
        if not target.exists():
            _copy(path, target)
            new.append(path.name)
        elif target.read_bytes() != path.read_bytes():
            changed.append(path.name)
    for picture in (source / "images").glob("*"):
        (folder / "images").mkdir(exist_ok=True)
        if not (folder / "images" / picture.name).exists():
            _copy(picture, folder / "images" / picture.name)
    return new, changed


def _copy(path: Path, target: Path) -> None:
    """Whole or not at all."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(path, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _notebooks() -> Path:
    """Inside the wheel, or at the top of the repository."""
    inside = Path(__file__).with_name("notebooks")
    return inside if inside.exists() else Path(__file__).resolve().parents[1] / "notebooks"
