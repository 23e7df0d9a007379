"""Runs in Pyodide: every cell of some notebooks; prints a line of JSON for each."""

import ast
import contextlib
import io
import json
import os
import sys
import time
import traceback
import zipfile
from pathlib import Path

ABSENT = ("numba", "mistral_common", "tokenizers", "vl_convert", "genai_prices")


def value_of(source, names, where):
    """Run a cell; the value of its last line, if that is an expression."""
    tree = ast.parse(source, where)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, where, "exec"), names)
    return eval(compile(ast.Expression(last.value), where, "eval"), names) if last else None


def words(value):
    """What a cell's value says of itself; None for what is not the kit's own."""
    still = value.static() if hasattr(value, "static") else value
    for name in ("words", "description"):
        if isinstance(getattr(still, name, None), str):
            return getattr(still, name)
    return repr(value) if type(value).__module__.startswith("econ.") else None


def run(notebooks):
    """Every code cell of some notebooks, in order."""
    os.environ |= {"ECON_STATIC": "1", "ECON_STATE": os.devnull}
    zipfile.ZipFile("/python.zip").extractall("/site")
    sys.path.insert(0, "/site")
    sys.modules |= dict.fromkeys(ABSENT)
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
