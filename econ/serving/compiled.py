"""The engines of requests and of sessions as machine code: in C, built with the package; or numba.

Where a C compiler was there when the package was installed, `native` is the engine and costs no
start. Elsewhere numba compiles the Python source and caches it beside the file. LLVM's start costs
as much as tens of thousands of requests in plain Python, compiling as much as hundreds of
thousands; `pays` weighs that. A cached engine is found without importing numba.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import os
import types
from pathlib import Path
from typing import Any

from econ.serving import engine, session_cache, session_engine, session_routing, session_steps

COMPILE_FROM = 50_000  # requests of one call; below, plain Python answers before the compiler has
COMPILE_FROM_TOTAL = 200_000  # and that many over all calls of a process pay for compiling, too
LOAD_FROM = 50_000  # likewise, where the machine code lies on disk and is only loaded

# the functions of an engine, lowest first so that each calls compiled ones
FUNCTIONS = {
    engine: (
        *("used_blocks", "growth_limit", "misses", "unlink", "advance", "run_one"),
        *("put", "run_least_loaded"),
    ),
    session_engine: (
        *("settle", "unlink", "push", "evict", "hit", "expire", "touch", "keep", "clear"),
        *("tier_of", "recompute_ps", "complete", "n_steps_until", "cut", "read_next", "admit"),
        *("begin", "finish", "route", "switch", "scale", "enqueue", "drop", "fail", "control"),
        "run_sessions",
    ),
}
FILES = {
    engine: (engine,),
    session_engine: (session_cache, session_steps, session_routing, session_engine),
}
_loaded: set[types.ModuleType] = set()


@functools.cache
def native() -> Any:
    """The engine in C, or None where it was not built, or built from another version's source."""
    try:
        module = importlib.import_module("econ.serving._engine")
    except ImportError:
        return None
    return module if getattr(module, "LAYOUT", 0) == engine.LAYOUT else None


def built(module: types.ModuleType = engine) -> bool:
    """Whether an engine was built in C."""
    return hasattr(native(), "run" if module is engine else "run_sessions")


def has_numba() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def available() -> bool:
    """Whether the engine can be had as machine code."""
    return built() or has_numba()


def loaded(module: types.ModuleType = engine) -> bool:
    """Whether machine code is there: built, or compiled or loaded from a cache in this process."""
    return module in _loaded or built(module)


@functools.cache
def on_disk(module: types.ModuleType = engine) -> bool:
    """Whether numba's cache holds an engine: its index names the source by its hash."""
    source = Path(str(module.__file__))
    own = os.environ.get("NUMBA_CACHE_DIR")
    folder, stamp = Path(own) if own else source.parent / "__pycache__", _stamp(module)
    return any(stamp in index.read_bytes() for index in folder.rglob(f"{source.stem}.run_*.nbi"))


def _stamp(module: types.ModuleType) -> bytes:
    """The hash of an engine's source, all its files together."""
    text = b"".join(Path(str(part.__file__)).read_bytes() for part in FILES[module])
    return hashlib.sha256(text).digest()


def pays(n: int, n_total: int, module: types.ModuleType = engine) -> bool:
    """Whether the compiled engine answers earlier, its start included.

    ``n``: requests of this call; ``n_total``: of this process in plain Python, this call included.
    """
    if loaded(module):
        return True
    if not has_numba():
        return False
    if n >= COMPILE_FROM or n_total >= COMPILE_FROM_TOTAL:
        return True
    return n_total >= LOAD_FROM and on_disk(module)


def _under_numba(function: types.FunctionType) -> Any:
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(function)
    except (RuntimeError, UnicodeError):  # no folder to write to, or none it can spell: no cache
        return njit(nogil=True)(function)


@functools.cache
def _functions(module: types.ModuleType) -> dict[str, Any]:
    """The functions of an engine under numba.

    Numba's cache looks only at the file of the function itself; the stamp says what all of them
    hold.
    """
    scope: dict[str, Any] = {}
    for part in FILES[module]:
        scope |= vars(part)
    for name in FUNCTIONS[module]:
        bound = types.FunctionType(scope[name].__code__, scope, name)
        bound.__module__ = module.__name__
        bound.__qualname__ = name
        scope[name] = _under_numba(bound)
        file = getattr(scope[name]._cache, "_cache_file", None)
        if file is not None:
            file._source_stamp = _stamp(module)
    return scope


def run(name: str, *arguments: Any, module: types.ModuleType = engine) -> None:
    """A function of an engine as machine code; compiles on the first call."""
    _functions(module)[name](*arguments)
    _loaded.add(module)
