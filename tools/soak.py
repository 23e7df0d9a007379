"""Visitors come to the app and leave: does its memory return to where it began?

``python tools/soak.py --visitors 20 --at-once 5`` starts the app on this machine, lets visitors
open the page, run it, and leave, first one to warm up, then all; prints memory and kernels.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tornado.httpclient import AsyncHTTPClient, HTTPRequest  # noqa: E402
from tornado.websocket import websocket_connect  # noqa: E402

from tests import lab  # noqa: E402

KERNEL = re.compile(r'"kernelId": *"([0-9a-f-]+)"')
PATIENCE_S = 600
LEFT_S = 5


def processes(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, more = [], [root]
    while more:
        found.append(more.pop())
        more += parents.get(found[-1], [])
    return found


def memory_mb(root: int) -> float:
    """Memory of a process and all that descend from it; shared pages count once."""
    kilobytes = 0
    for number in processes(root):
        try:
            text = Path(f"/proc/{number}/smaps_rollup").read_text()
        except OSError:
            continue
        kilobytes += int(re.search(r"^Pss: +(\d+)", text, re.M)[1])
    return kilobytes / 1000


async def visit(address: str, *, runs: bool = True) -> str:
    """Open the page, let its cells run, and leave; the kernel's name."""
    base, query = address.split("?")
    page = await AsyncHTTPClient().fetch(address, request_timeout=PATIENCE_S)
    kernel = KERNEL.search(page.body.decode())[1]
    ws = "ws" + base.removeprefix("http")
    channels = f"{ws}api/kernels/{kernel}/channels?session_id={kernel}&{query}"
    stays = await websocket_connect(HTTPRequest(channels, request_timeout=PATIENCE_S))
    if runs:
        told = await websocket_connect(f"{ws}voila/execution/{kernel}?{query}")
        await told.write_message(
            json.dumps({"action": "execute", "payload": {"kernel_id": kernel}})
        )
        while message := await told.read_message():
            said = json.loads(message)
            payload = said.get("payload", {})
            if said["action"] == "execution_error":
                raise RuntimeError(payload)
            if payload.get("cell_index", -1) + 1 == payload.get("total_cell"):
                break
        told.close()
    stays.close()
    return kernel


async def is_alive(address: str, kernel: str) -> bool:
    """Whether the app still has a kernel."""
    base, query = address.split("?")
    url = f"{base}econ/alive/{kernel}?{query}"
    answer = await AsyncHTTPClient().fetch(url, raise_error=False, request_timeout=PATIENCE_S)
    return answer.code == 204


async def all_gone(address: str, kernels: list[str]) -> None:
    """Wait until no kernel is left."""
    end = time.monotonic() + PATIENCE_S
    while [k for k in kernels if await is_alive(address, k)]:
        if time.monotonic() > end:
            raise TimeoutError("kernels of pages that were left do not end")
        await asyncio.sleep(0.5)


async def soak(address: str, root: int, visitors: int, at_once: int) -> dict[str, float]:
    """Memory before, at its highest, after half of the visitors and after all, in MB."""
    await all_gone(address, [await visit(address)])
    start = peak = memory_mb(root)
    ends = []
    for done in range(0, visitors, at_once):
        few = await asyncio.gather(*(visit(address) for _ in range(min(at_once, visitors - done))))
        peak = max(peak, memory_mb(root))
        await all_gone(address, few)
        await asyncio.sleep(2)  # the server clears up when a look is over
        ends.append(memory_mb(root))
    return {
        "visitors": visitors,
        "start_mb": round(start),
        "peak_mb": round(peak),
        "half_mb": round(ends[(len(ends) - 1) // 2]),
        "end_mb": round(ends[-1]),
        "processes_left": len(processes(root)) - 1,
    }


def served_by(address: str) -> int:
    """The process that listens on an address of this machine."""
    port = str(urlsplit(address).port)
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes().decode().split("\0")
        except OSError:
            continue
        if f"--port={port}" in words:
            return int(command.parent.name)
    raise LookupError(f"nothing listens on {port}")


def main() -> int:
    """Soak, print, and say by the exit code whether memory returned (within 15 %)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=5)
    options = parser.parse_args()
    flags = [f"--Kernels.left_s={LEFT_S}", "--Kernels.cull_interval=1"]
    with (
        tempfile.TemporaryDirectory() as state,
        lab.voila(Path(state), "tools/app.ipynb", *flags) as address,
    ):
        figures = asyncio.run(soak(address, served_by(address), options.visitors, options.at_once))
    print(json.dumps(figures))
    return int(figures["end_mb"] > 1.15 * figures["start_mb"])


if __name__ == "__main__":
    sys.exit(main())
