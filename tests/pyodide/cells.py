"""Runs in Pyodide: every cell of some notebooks; prints a line of JSON for each."""

import contextlib
import io
import json
import os
import sys
import time
import traceback
import zipfile
from pathlib import Path


def words(value):
    """What a cell's value says of itself; None for what is not the kit's own."""
    still = value.static() if hasattr(value, "static") else value
    for name in ("words", "description"):
        if isinstance(getattr(still, name, None), str):
            return getattr(still, name)
    text = repr(value) if type(value).__module__.startswith("econ.") else None
    return None if text and " object at 0x" in text else text  # a form: it is shown, not said


def run(notebooks):
    """Every code cell of some notebooks, in order."""
    os.environ |= {"ECON_STATIC": "1", "ECON_STATE": os.devnull}
    zipfile.ZipFile("/python.zip").extractall("/site")
    sys.path[:0] = ["/site", "/repo/tools/website/static"]
    from cells import value_of

    for name in notebooks:
        path = Path(f"/repo/notebooks/{name}.ipynb")
        names = {"__name__": "__main__", "display": lambda *_, **__: None}
        os.chdir(path.parent)
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] != "code":
                continue
            line = {"notebook": name, "cell": cell["id"], "error": "", "words": None}
            printed, start = io.StringIO(), time.perf_counter()
            try:
                with contextlib.redirect_stdout(printed):
                    line["words"] = words(value_of("".join(cell["source"]), names, cell["id"]))
            except Exception as error:
                ours = [
                    f for f in traceback.extract_tb(error.__traceback__) if "econ" in f.filename
                ]
                place = f" ({ours[-1].filename}:{ours[-1].lineno})" if ours else ""
                line["error"] = f"{type(error).__name__}: {error}{place}"
            line |= {"printed": printed.getvalue(), "seconds": time.perf_counter() - start}
            print(json.dumps(line), flush=True)
