"""`econ.serving.engine` under numba: the same source as machine code, cached beside the file.

LLVM's start costs as much as tens of thousands of requests in plain Python, compiling as much as
hundreds of thousands; `pays` weighs that. A cached engine is found without importing numba.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import types
from pathlib import Path
from typing import Any

from econ.serving import engine

COMPILE_FROM = 50_000  # requests of one call; below, plain Python answers before the compiler has
COMPILE_FROM_TOTAL = 200_000  # and that many over all calls of a process pay for compiling, too
LOAD_FROM = 50_000  # likewise, where the machine code lies on disk and is only loaded

_is_loaded = False


def available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def loaded() -> bool:
    """Whether the engine is compiled (or loaded from numba's cache) in this process."""
    return _is_loaded


@functools.cache
def on_disk() -> bool:
    """Whether numba's cache holds the engine: its index names the source by its hash."""
    source = Path(engine.__file__)
    own = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(own) if own else source.parent / "__pycache__"
    stamp = hashlib.sha256(source.read_bytes()).digest()
    return any(stamp in index.read_bytes() for index in folder.rglob(f"{source.stem}.run_*.nbi"))


def pays(n: int, n_total: int) -> bool:
    """Whether the compiled engine answers earlier, its start included.

    ``n``: requests of this call; ``n_total``: of this process in plain Python, this call included.
    """
    if loaded():
        return True
    if not available():
        return False
    if n >= COMPILE_FROM or n_total >= COMPILE_FROM_TOTAL:
        return True
    return n_total >= LOAD_FROM and on_disk()


@functools.cache
def _functions() -> dict[str, Any]:
    """The functions of the engine under numba, lowest first so that each calls compiled ones.

    They stand in one file, as numba's cache looks only at the file of the function itself.
    """
    from numba import njit

    scope = dict(vars(engine))
    for name in (
        "used_blocks",
        "growth_limit",
        "misses",
        "unlink",
        "advance",
        "run_one",
        "settle",
        "run_least_loaded",
    ):
        bound = types.FunctionType(getattr(engine, name).__code__, scope, name)
        bound.__module__ = engine.__name__
        bound.__qualname__ = name
        scope[name] = njit(cache=True, nogil=True)(bound)
    return scope


def run(name: str, *arguments: Any) -> None:
    """``run_one`` or ``run_least_loaded`` as machine code; compiles on the first call."""
    global _is_loaded
    _functions()[name](*arguments)
    _is_loaded = True
