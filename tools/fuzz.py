"""Calls public functions with arguments of their own examples, one or two of them mutated.

``make fuzz`` captures arguments from the doctests, mutates them 200,000 times under a seed of the
day that it prints, and expects an answer or an error of ours: no raw error, no silent NaN, no
complex number, no leaked warning, no hang. ``tests/house/raw_places.txt`` lists the places that
are still raw; it only shrinks (``--record`` strikes out what was not met). The weekly job runs it.
"""

from __future__ import annotations

import argparse
import ast
import collections
import contextlib
import copy
import dataclasses
import datetime
import decimal
import doctest
import functools
import importlib
import io
import itertools
import math
import os
import pkgutil
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PLACES = ROOT / "tests" / "house" / "raw_places.txt"
CALLS = 200_000
MOST_SAMPLES = 3  # of the arguments of one function
LIMIT_S, MEMORY_BYTES = 20, 12 * 2**30  # of CPU time
OFTEN_S = 0.02  # a function that takes longer has fewer turns
# what writes files, starts programs, measures this machine or draws into a live page
LEFT_OUT = (
    "econ.cli", "econ.app", "econ.calibrate", "econ.machine", "econ.__main__", "econ.usage_command",
    "econ.decide_command", "econ.course_command", "econ.course_server", "econ.site_command",
    "econ.catalog.package", "econ.catalog.audit", "econ.lessons.memory",
)  # fmt: skip
OURS = (ValueError, TypeError, KeyError, argparse.ArgumentTypeError)  # where `econ` raises them
WRITES = ("write", "export", "save", "main", "forget", "remember")
QUICK = ("econ.catalog", "econ.tokens", "econ.tco", "econ.energy", "econ.scaling", "econ.trends",
         "econ.value", "econ.latency", "econ.terms")  # fmt: skip
WRONG = [
    None, True, False, 0, -1, 1, 1.0, 0.5, 2, 10**9, 10**400, -(10**12), 5e-324, 1e-30, 1e300,
    math.nan, math.inf, -math.inf, 1j, "", "x", "NaN", "ü\u202e😀", "\x00", b"x", [], (), {},
    set(), [None], [math.nan], ["x"], np.int8(7), np.uint8(200), np.float32(0.5), np.bool_(True),
    np.array([]), np.array([1, 2], "int8"), np.array(["a"]), np.array(3.0), decimal.Decimal("0.5"),
    decimal.Decimal("NaN"), pd.NA, pd.NaT, pd.Series([], dtype=float), pd.DataFrame(), object(),
    datetime.date(2026, 1, 1), lambda *a: None,
]  # fmt: skip


class Hang(BaseException):
    """A call that did not end in time."""


def capture(prefixes: tuple[str, ...]) -> dict[object, list]:
    """Arguments of each guarded function, as its module's doctests call it."""
    import econ
    from econ import guards

    samples: dict[object, list] = collections.defaultdict(list)

    def observe(function, args, kwargs):
        module, name = function.__module__, function.__qualname__.rpartition(".")[2]
        wanted = module.startswith(prefixes) and not module.startswith(LEFT_OUT)
        if not wanted or name.startswith(WRITES) or len(samples[function]) >= MOST_SAMPLES:
            return
        if name == "__init__":
            args = (type(args[0]), *args[1:])
        with contextlib.suppress(Exception):
            samples[function].append(copy.deepcopy((args, kwargs)))

    names = [m.name for m in pkgutil.walk_packages(econ.__path__, "econ.")]
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    guards.observe = observe
    with contextlib.redirect_stdout(io.StringIO()):
        for name in names:
            if name.startswith(prefixes) and not name.startswith(LEFT_OUT):
                for test in doctest.DocTestFinder().find(importlib.import_module(name)):
                    runner.run(test, clear_globs=False)
    guards.observe = None
    return {f: s for f, s in samples.items() if s}


def mutated(value: object, draw: random.Random) -> object:
    """Another value in the place of one argument."""
    if isinstance(value, pd.DataFrame) and len(value.columns) and draw.random() < 0.8:
        frame, column = value.copy(), draw.choice(list(value.columns))
        kind = draw.randrange(6)
        if kind == 0:
            return frame.iloc[:0]
        if kind == 1:
            return frame.drop(columns=column)
        if kind == 2:
            return pd.concat([frame, frame[[column]]], axis=1)
        if kind == 3:
            return frame.iloc[:1]
        if kind == 4:
            return frame.sample(frac=1, random_state=draw.randrange(99))
        with contextlib.suppress(Exception):
            frame[column] = [draw.choice(WRONG[:30])] * len(frame)
        return frame
    if isinstance(value, np.ndarray | list | tuple) and len(value) and draw.random() < 0.5:
        entries = list(value)
        entries[draw.randrange(len(entries))] = draw.choice(WRONG)
        return tuple(entries) if isinstance(value, tuple) else entries
    if isinstance(value, int | float) and not isinstance(value, bool) and draw.random() < 0.4:
        factor = draw.choice([-1, 0, 1e-6, 1e-3, 0.1, 0.5, 2, 10, 1e3, 1e6])
        return type(value)(value * factor)
    return draw.choice(WRONG)


@functools.cache
def _raises(file: str) -> list[tuple[int, int]]:
    nodes = ast.walk(ast.parse(Path(file).read_text(encoding="utf-8")))
    return [(n.lineno, n.end_lineno or n.lineno) for n in nodes if isinstance(n, ast.Raise)]


def place(error: BaseException) -> str | None:
    """Where a raw error came from; None where `econ` raised it on purpose."""
    trace, ours, last = error.__traceback__, None, None
    while trace is not None:
        last = trace
        if "/econ/" in trace.tb_frame.f_code.co_filename:
            ours = trace
        trace = trace.tb_next
    if ours is not None and ours is last and isinstance(error, OURS):
        file = ours.tb_frame.f_code.co_filename
        if any(low <= ours.tb_lineno <= high for low, high in _raises(file)):
            return None
    if isinstance(error, OSError):  # Python's own, with the file's name
        return None
    if ours is None:
        return f"outside {type(error).__name__}"
    code = ours.tb_frame.f_code
    if isinstance(error, TypeError) and code.co_qualname == "guarded.<locals>.checked":
        return None  # Python's own words on an argument that is missing or unknown
    module = ours.tb_frame.f_globals.get("__name__", "")
    return f"{module}:{code.co_qualname} {type(error).__name__}"


def is_silent(answer: object, depth: int = 0) -> str | None:
    """Whether a number in an answer is NaN or complex."""
    if isinstance(answer, complex):
        return "complex"
    if isinstance(answer, float) and answer != answer:
        return "NaN"
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type) and depth < 2:
        fields = (getattr(answer, f.name) for f in dataclasses.fields(answer))
        return next(filter(None, (is_silent(v, depth + 1) for v in fields)), None)
    return None


def one_call(function, args, kwargs) -> str | None:
    """Call once; the raw place that was met, or None."""
    owner = args[0] if function.__name__ == "__init__" else None
    try:
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            answer = owner(*args[1:], **kwargs) if owner else function(*args, **kwargs)
            return is_silent(answer)
    except Hang:
        return "Hang"
    except Warning as error:
        return place(error)
    except (Exception, RecursionError) as error:
        return place(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def fuzz(n_calls: int, seed: int, prefixes: tuple[str, ...]) -> tuple[collections.Counter, dict]:
    """Calls that were raw, by place, and an example of each."""
    samples = capture(prefixes)
    functions = sorted(samples, key=lambda f: (f.__module__, f.__qualname__))
    # a function's draws are its own: another function's code or examples do not change them
    draws = {f: random.Random(f"{seed} {f.__module__}.{f.__qualname__}") for f in functions}
    met: collections.Counter = collections.Counter()
    examples: dict[str, str] = {}
    before, rare = {}, {}
    for function in functions:
        began = time.process_time()
        before[function] = one_call(function, *copy.deepcopy(samples[function][0]))
        rare[function] = 1 + int((time.process_time() - began) / OFTEN_S)
    turns = (f for turn in itertools.count() for f in functions if turn % rare[f] == 0)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for function in itertools.islice(turns, n_calls):
            draw = draws[function]
            args, kwargs = copy.deepcopy(draw.choice(samples[function]))
            args, first = list(args), "." in function.__qualname__
            slots = [*range(first, len(args)), *kwargs]
            if not slots:
                continue
            left_out = False
            for slot in draw.sample(slots, min(len(slots), draw.choice([1, 1, 2]))):
                among = kwargs if isinstance(slot, str) else args
                among[slot] = mutated(among[slot], draw)
                left_out |= among[slot] is None
            found = one_call(function, args, kwargs)
            if found in ("NaN", "complex") and (left_out or found == before[function]):
                continue  # an answer that has an empty cell by design, or for what is left out
            if found is not None:
                name = f"{function.__module__}.{function.__qualname__}"
                if found in ("NaN", "complex", "Hang"):
                    found = f"{name} {found}"
                met[found] += 1
                examples.setdefault(found, f"{name}{args!r:.200} {kwargs!r:.200}")
    minutes = time.process_time() / 60
    print(f"{len(functions)} functions, {n_calls:,} mutated calls, seed {seed}, ", end="")
    print(f"{minutes:.1f} CPU minutes", end="")
    return met, examples


def main() -> None:
    """Fuzz, compare with the list, say what is new."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--seed", type=int, default=int(f"{datetime.date.today():%Y%m%d}"))
    parser.add_argument("--only", default="", help="modules, e.g. econ.tco,econ.energy, or quick")
    parser.add_argument("--record", action="store_true", help="strike places that were not met")
    parser.add_argument("--examples", action="store_true", help="print one call of each raw place")
    options = parser.parse_args()
    prefixes = tuple(filter(None, options.only.split(","))) or ("econ",)
    prefixes = QUICK if options.only == "quick" else prefixes
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    def end(*_):
        raise Hang

    signal.signal(signal.SIGPROF, end)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "data", f"{folder}/data")
        os.environ |= {"ECON_DATA": f"{folder}/data", "ECON_STATE": f"{folder}/learner.json"}
        os.chdir(folder)
        met, examples = fuzz(options.calls, options.seed, prefixes)
        os.chdir(ROOT)
    known = set(PLACES.read_text().splitlines()) if PLACES.exists() else None
    new = sorted(set(met) - (known or set()))
    print(f"; {sum(met.values()):,} raw at {len(met)} places, {len(new)} of them not listed")
    for found in sorted(examples) if options.examples else new:
        print(f"  {found}  ×{met[found]}  e.g. {examples[found]}")
    if options.record:
        kept = set(met) if known is None else known & set(met)
        PLACES.write_text("".join(f"{one}\n" for one in sorted(kept)))
    sys.exit(bool(new and not options.record))


if __name__ == "__main__":
    main()
