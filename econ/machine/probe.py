"""What this computer can do, measured in seconds: bytes read per second, products per second.

`measure` answers with a `Machine`, whose ``accelerator`` every station takes. What stands against a
trustworthy measurement (one core, little memory, a busy or throttling computer, a browser page) is
said in a sentence each with what to do, and the lesson goes on with the recorded machine
(`econ.machine.recorded`).
"""

from __future__ import annotations

import datetime
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, positive
from econ.catalog.units import GB, MEGA
from econ.machine import host
from econ.machine.backends import Backend, backend
from econ.station import Result

READ_BYTES = 256 * MEGA  # larger than any processor's cache
CACHED_BYTES = 1 * MEGA
PRODUCT_SIZES = (256, 1024, 2048)
MIDDLE_SIZE = PRODUCT_SIZES[1]  # smaller products are repeated to last as long as this one
BLOCK = 1024  # numbers that an array grows by
N_REPEATS = 7
LARGEST_FRAC = 0.25  # of the free memory, for the array that is read
LEAST_FREE_BYTES = 1.5 * GB  # for the arrays, a small model and its cache
WIDEST_SPREAD = 1.5  # of the fast and the slow tenth of repeats
BUSIEST_LOAD = 0.7  # programs that want each core
PROBE_COLUMNS = ["probe", "precision", "size", "rate", "low", "high", "unit", "n_repeats"]


@dataclass(frozen=True, kw_only=True)
class Machine(Result):
    """A measured computer.

    ``probes`` has a row for each measurement: median rate, and the rates that the slow and the fast
    tenth of repeats reached. ``reasons`` says, a sentence each, why this computer should not carry
    the lesson; ``notes`` what is merely not known. ``is_recorded`` is true of the machine in
    ``data/``.
    """

    name: str
    processor: str
    engine: str
    n_cores: int
    memory_bytes: float
    memory_bandwidth_bytes_per_s: float
    peak_fp32_flop_per_s: float
    peak_bf16_flop_per_s: float
    power_w: float | None = None
    spread_ratio: float = 1.0
    load_per_core: float = 0.0
    has_counters: bool = False
    as_of: str = ""
    is_recorded: bool = False
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probes: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)

    @property
    def accelerator(self) -> Accelerator:
        """The computer as every station takes it: what it reached, in place of a datasheet."""
        return Accelerator(
            id=self.name.replace(" ", "-"),
            name=self.processor,
            memory_bytes=self.memory_bytes,
            memory_bandwidth_bytes_per_s=self.memory_bandwidth_bytes_per_s,
            peak_bf16_flop_per_s=self.peak_bf16_flop_per_s,
            peak_fp32_flop_per_s=self.peak_fp32_flop_per_s,
            tdp_w=self.power_w,
            source="measured here",
            as_of=self.as_of,
        )

    @property
    def ridge_flop_per_byte(self) -> float:
        """FLOP that it computes in the time in which it reads a byte."""
        return self.peak_fp32_flop_per_s / self.memory_bandwidth_bytes_per_s

    @property
    def is_usable(self) -> bool:
        """Whether nothing speaks against this measurement."""
        return not self.reasons


def measure(
    *,
    name: str = "this computer",
    engine: str = "numpy",
    power_w: float | None = None,
    n_repeats: int = N_REPEATS,
    read_bytes: float = READ_BYTES,
) -> Machine:
    """Measure memory bandwidth and matrix products of this computer; takes a few seconds.

    Parameters
    ----------
    name : str
        What charts call it.
    engine : str
        ``"numpy"``, or ``"torch"`` where it is installed: on its accelerator where it has one.
    power_w : float, optional
        What a watt-meter at the plug shows while the computer works, e.g. 45; it becomes the
        thermal design power from which `econ.energy` starts.
    n_repeats : int
        Of each measurement, e.g. 7.
    read_bytes : float
        Of the array that is read, e.g. 256e6; smaller arrays stay in the processor's cache.

    Returns
    -------
    Machine
        Medians with their spread, the `econ.Accelerator`, and the reasons not to trust them.

    Raises
    ------
    ValueError
        For an engine that is not installed, or a number outside its range.

    Notes
    -----
    Bandwidth is bytes / time of a dot product of a long array with itself, the fastest pure reading
    that the engine has; a peak is 2n³ / time of the best square product. Both are what the software
    reaches, so they are below the datasheet: predictions start from them all the same, since nobody
    has to look up a datasheet that most computers do not have.

    Examples
    --------
    >>> machine = measure(n_repeats=2, read_bytes=8e6)
    >>> machine.accelerator.memory_bandwidth_bytes_per_s > 1e8, len(machine.probes)
    (True, 5)
    """
    count("n_repeats", n_repeats, 2, 1000)
    ops, load = backend(engine), host.load_per_core()
    positive("read_bytes", read_bytes, LARGEST_FRAC * host.available_bytes(ops.device))
    if power_w is not None:
        positive("power_w", power_w, 100_000)
    rows = [
        _read_row(ops, "memory", read_bytes, n_repeats),
        _read_row(ops, "cache", min(CACHED_BYTES, read_bytes), n_repeats),
        *(_product_row(ops, size, n_repeats) for size in PRODUCT_SIZES),
    ]
    if engine == "torch":
        half = backend(engine, "bf16")
        rows += [_product_row(half, size, n_repeats) for size in PRODUCT_SIZES]
    probes = pd.DataFrame(rows, columns=PROBE_COLUMNS)
    best = probes[probes["probe"] == "product"].groupby("precision")["rate"].max()
    memory = probes[probes["probe"] == "memory"].iloc[0]
    spread = float(memory["high"] / memory["low"])
    counters = bool(host.EnergyCounter().files)
    return Machine(
        name=name,
        processor=host.processor(ops.device),
        engine=engine,
        n_cores=host.cores(),
        memory_bytes=host.total_bytes(ops.device),
        memory_bandwidth_bytes_per_s=float(memory["rate"]),
        peak_fp32_flop_per_s=float(best["fp32"]),
        peak_bf16_flop_per_s=float(best.get("bf16", best["fp32"])),
        power_w=power_w,
        spread_ratio=spread,
        load_per_core=load,
        has_counters=counters,
        as_of=datetime.date.today().isoformat(),
        reasons=reasons(
            n_cores=host.cores(),
            free_bytes=host.available_bytes(ops.device),
            spread_ratio=spread,
            load_per_core=load,
        ),
        notes=() if counters or power_w is not None else (NO_COUNTERS,),
        probes=probes,
    )


NO_COUNTERS = (
    "This system shows no energy counters: read a watt-meter at the plug while the lab runs, and "
    "pass what it shows as power_w."
)


def reasons(
    *, n_cores: int, free_bytes: float, spread_ratio: float, load_per_core: float
) -> tuple[str, ...]:
    """Why a computer should not carry the lesson, a sentence each; none where all is well.

    Parameters
    ----------
    n_cores : int
        Cores that this process may use.
    free_bytes : float
        Memory that is free, e.g. 4e9.
    spread_ratio : float
        Rate of the fast tenth of repeats over that of the slow tenth.
    load_per_core : float
        Programs that want to run, per core.

    Examples
    --------
    >>> reasons(n_cores=1, free_bytes=8e9, spread_ratio=1.1, load_per_core=0.2)[0][:8]
    'One core'
    >>> reasons(n_cores=8, free_bytes=8e9, spread_ratio=1.1, load_per_core=0.2)
    ()
    """
    sentences = []
    if sys.platform == "emscripten":
        sentences.append(
            "A browser page has neither the processor's vector units nor its threads: open the "
            "notebook on the computer itself to measure it."
        )
    if n_cores < 2:
        sentences.append(
            "One core does the work and the measuring, so that neither is steady: use a computer "
            "with two or more."
        )
    if free_bytes < LEAST_FREE_BYTES:
        sentences.append(
            f"Only {free_bytes / GB:.1f} GB of memory are free and the lab needs "
            f"{LEAST_FREE_BYTES / GB:.1f}: close other programs and measure again."
        )
    if load_per_core > BUSIEST_LOAD:
        sentences.append(
            f"The computer is busy ({load_per_core:.1f} programs want each core): stop them and "
            "measure again in a minute."
        )
    if spread_ratio > WIDEST_SPREAD:
        sentences.append(
            f"Repeats differ by a factor of {spread_ratio:.1f}: the processor throttles or shares "
            "its memory; plug the laptop in, let it cool, and measure again."
        )
    return tuple(sentences)


def _read_row(ops: Backend, probe: str, n_bytes: float, n_repeats: int) -> list[Any]:
    n = max(int(n_bytes / ops.bytes_per_element), 1)
    values = ops.array([1.0] * BLOCK)
    values = ops.join([values] * max(n // BLOCK, 1))
    passes = max(int(READ_BYTES / 8 / n_bytes), 1)  # a short array many times

    def read() -> None:
        for _ in range(passes):
            total = values @ values
        float(total)

    size = len(values) * ops.bytes_per_element
    return [probe, ops.precision, size, *_rates(read, passes * size, n_repeats), "B/s", n_repeats]


def _product_row(ops: Backend, size: int, n_repeats: int) -> list[Any]:
    x = ops.join([ops.array([[1.0] * size])] * size)
    passes = max(int((MIDDLE_SIZE / size) ** 3), 1)

    def multiply() -> None:
        for _ in range(passes):
            ops.linear(x, x)
        ops.finish()

    flop = 2.0 * size**3 * passes
    return [
        "product", ops.precision, float(size), *_rates(multiply, flop, n_repeats), "FLOP/s",
        n_repeats,
    ]  # fmt: skip


def _rates(work: Callable[[], None], amount: float, n_repeats: int) -> tuple[float, float, float]:
    """Median, slow-tenth and fast-tenth rate of repeats; one goes before and is not counted."""
    work()
    seconds = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    return amount / statistics.median(seconds), amount / tenths[-1], amount / tenths[0]
