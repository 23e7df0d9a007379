"""Run notebooks and keep their outputs: the only way outputs are made.

``python tools/execute.py [NAME …]``: a notebook is executed in a temporary file beside it and
moved into place when all its cells have passed, so a failure leaves the committed one untouched.
Timings and widget state are dropped: running twice gives the same file. The minutes that its first
cell states are measured (``tools/minutes.py``), and pictures that the README shows are taken anew.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent))

import minutes
import readme_pictures
from notebook_names import NOTEBOOKS, named

CELL_TIMEOUT_S = 120
TRIES = 2  # a kernel that dies or hangs gets one more chance; an error in a cell does not
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class Client(NotebookClient):
    """A client that moves a progress bar cell by cell and knows where it stands."""

    def __init__(self, *args, bar: tqdm, **more):
        super().__init__(*args, **more)
        self._bar = bar

    async def async_execute_cell(self, cell, cell_index, *args, **more):
        self._bar.update(1)
        self.nb.metadata["at_cell"] = cell_index + 1  # for a message; the metadata are replaced
        return await super().async_execute_cell(cell, cell_index, *args, **more)


def execute(notebook: nbformat.NotebookNode, name: str) -> None:
    """Give the notebook fresh outputs, with nothing in them that changes from run to run."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("execution", None)
            if _only_says(cell.source):  # a reader wants the sentence, not how it is computed
                cell.metadata.setdefault("jupyter", {})["source_hidden"] = True
    with tqdm(total=len(notebook.cells), desc=name, unit="cell") as bar:
        Client(
            notebook,
            bar=bar,
            timeout=CELL_TIMEOUT_S,
            record_timing=False,
            coalesce_streams=True,  # a slow print arrives in pieces, now and then
            resources={"metadata": {"path": str(NOTEBOOKS)}},
        ).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_MIME, None)
    notebook.metadata = nbformat.from_dict(KERNEL)
    minutes.state(notebook)
    nbformat.validate(notebook)


def _only_says(source: str) -> bool:
    """Whether a cell is one call of ``Say`` and nothing else.

    >>> _only_says("Say(f'{1 + 1} tokens')"), _only_says("n = 2; Say(f'{n} tokens')")
    (True, False)
    """
    lines = ast.parse(source).body
    call = lines[0].value if len(lines) == 1 and isinstance(lines[0], ast.Expr) else None
    return isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Say"


def run(path: Path) -> None:
    """Execute one notebook and move the result into place."""
    for attempt in range(1, TRIES + 1):
        notebook = nbformat.read(path, as_version=4)
        try:
            execute(notebook, path.stem)
            break
        except NoSuchKernel:
            sys.exit(f"{path.name} is unchanged; no Python kernel here: run make setup first")
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
            why = COLOUR.sub("", str(error)).strip()
            where = f"cell {notebook.metadata.get('at_cell', 'none yet')}: {type(error).__name__}"
            if isinstance(error, CellExecutionError) or attempt == TRIES:
                sys.exit(f"{path.name} is unchanged; {where}:\n{why}")
            print(f"{path.name}: {where}, once more", file=sys.stderr)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            nbformat.write(notebook, new)
        os.chmod(name, 0o644)  # mkstemp makes it private
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    minutes.state_in_readme(path.stem, notebook)
    readme_pictures.take(path.stem, notebook)


def main(names: list[str]) -> None:
    """All notebooks, or those named."""
    wanted = named(names, "*", NOTEBOOKS, __doc__)
    os.environ["ECON_STATIC"] = "1"
    for path in wanted:
        began = time.monotonic()
        run(path)
        print(f"{path.stem}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
