"""What the computer says of itself: cores, memory, load and energy counters.

>>> cores() >= 1 and total_bytes() > 1e8 and available_bytes() > 0
True
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from econ.catalog.units import MICRO

POWERCAP = Path("/sys/class/powercap")  # the counters of Intel and AMD processors under Linux
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
KIB = 1024
ASSUMED_FREE_FRAC = 0.5  # of the memory, where the system does not say how much is free


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_per_core() -> float:
    """Programs that wanted to run in the last minute, per core; 0 where nobody counts them."""
    if not hasattr(os, "getloadavg"):
        return 0.0
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def total_bytes(device: str = "cpu") -> float:
    """Memory of the computer, of the container that it runs in, or of its accelerator."""
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.mem_get_info()[1])
    return min(_physical_bytes(), _limit_bytes())


def available_bytes(device: str = "cpu") -> float:
    """Memory that a new program could take now, of the processor or of an accelerator."""
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.mem_get_info()[0])
    total = total_bytes()
    if MEMINFO.exists():
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return min(KIB * float(line.split()[1]), total)
    return ASSUMED_FREE_FRAC * total


def _physical_bytes() -> float:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return _windows_bytes()


def _windows_bytes() -> float:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong), ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", *"abcde")),
        )  # fmt: skip

    status = Status()
    status.length = ctypes.sizeof(status)
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined]
    return float(status.total)


def _limit_bytes() -> float:
    path = CGROUP / "memory.max"
    try:
        text = path.read_text().strip()
    except OSError:
        return float("inf")
    return float(text) if text.isdigit() else float("inf")


def processor(device: str = "cpu") -> str:
    """The name of the processor, or of the accelerator, as the system gives it."""
    if device.startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name())
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "unknown processor"


class EnergyCounter:
    """Joules of the processor's packages since it was made; ``j`` is NaN without counters.

    Linux shows the counters of Intel and AMD processors under ``/sys/class/powercap``, on most
    systems to the administrator alone. They leave out memory, screen and power supply.
    """

    def __init__(self) -> None:
        self.files = [
            path / "energy_uj"
            for path in sorted(POWERCAP.glob("*:*"))
            if path.name.count(":") == 1 and os.access(path / "energy_uj", os.R_OK)
        ]
        self.start = [self._read(path) for path in self.files]

    @property
    def j(self) -> float:
        """Joules so far; a counter that wrapped round starts again at its range."""
        if not self.files:
            return float("nan")
        total = 0.0
        for path, start in zip(self.files, self.start, strict=True):
            moved = self._read(path) - start
            if moved < 0:
                moved += self._read(path.with_name("max_energy_range_uj"))
            total += moved
        return total * MICRO

    @staticmethod
    def _read(path: Path) -> float:
        return float(path.read_text())
