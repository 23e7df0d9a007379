"""Kernels of the app: a bound on their number and memory, and an end to each."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("voila", reason="the extra `app` is not installed")
resource = pytest.importorskip("resource", reason="Windows has no limits to set")
from tornado.web import HTTPError  # noqa: E402

from tools.app_server import Kernels  # noqa: E402


async def _lives() -> None:
    full = Kernels(most_kernels=0)
    kernels = Kernels(most_kernels=2, left_s=0, memory_bytes=1_500_000_000)
    left, dies = await kernels.start_kernel(), await kernels.start_kernel()
    with pytest.raises(HTTPError, match="The app is full: 0 visitors"):
        await full.start_kernel()
    try:
        for kernel_id in (left, dies):
            kernels.notify_connect(kernel_id)
            kernels.get_kernel(kernel_id).execution_state = "idle"
            (Path(kernels.folders[kernel_id]) / "trace.csv").touch()
        pid = kernels.get_kernel(dies).provisioner.pid
        if hasattr(resource, "prlimit"):
            assert resource.prlimit(pid, resource.RLIMIT_DATA) == (1_500_000_000,) * 2
        await kernels.cull_kernels()
        assert set(kernels.list_kernel_ids()) == {left, dies}  # both pages are open
        kernels.notify_disconnect(left)
        os.kill(pid, signal.SIGKILL)
        while await kernels.get_kernel(dies).is_alive():
            await asyncio.sleep(0.05)
        await kernels.cull_kernels()
        assert kernels.list_kernel_ids() == []
        assert os.listdir(kernels.uploads.name) == []
    finally:
        await kernels.shutdown_all(now=True)
        for one in (full, kernels):
            one.uploads.cleanup()


def test_a_kernel_ends_when_its_page_was_left_or_its_process_died():
    asyncio.run(_lives())
