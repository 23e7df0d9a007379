"""The event-skipping engine compiled by numba: the same source, bound to compiled helpers.

Imported only when it is wanted: without numba the rest of the package works, and slower. The
machine code is cached beside the source; `warm` compiles or loads it (once per process).
"""

from __future__ import annotations

import functools
import importlib.util
import types

from econ.serving import engine as serving_engine

_compiled = False


def available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def compiled() -> bool:
    """Whether the engine is compiled in this process."""
    return _compiled


@functools.cache
def functions() -> dict:
    """The engine's functions under numba, lowest first so each calls the compiled ones."""
    from numba import njit

    scope = dict(vars(serving_engine))
    for name in ("used_blocks", "growth_limit", "advance", "run_one", "run_least_loaded"):
        plain = getattr(serving_engine, name)
        bound = types.FunctionType(plain.__code__, scope, name)
        bound.__module__ = serving_engine.__name__
        bound.__qualname__ = name
        scope[name] = njit(cache=True, nogil=True)(bound)
    return scope


def run_one(*arguments) -> None:
    """Compiled `serving_engine.run_one`."""
    global _compiled
    functions()["run_one"](*arguments)
    _compiled = True


def run_least_loaded(*arguments) -> None:
    """Compiled `serving_engine.run_least_loaded`."""
    functions()["run_least_loaded"](*arguments)


def warm() -> bool:
    """Compile or load the engine for one replica, so that the next call only runs.

    Without numba nothing happens and the answer is False.
    """
    if not available():
        return False
    from econ.serving.simulation import Replica, StepCost, simulate

    tiny = Replica(cost=StepCost.affine(1.0), kv_tokens=64, max_batch=2, policy="chunked_prefill")
    simulate([0.0], [4], [2], tiny, engine="numba")
    return True
