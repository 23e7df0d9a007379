"""Kernels of the app: a bound on their number and memory, and an end to each."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("voila", reason="the extra `app` is not installed")
resource = pytest.importorskip("resource", reason="Windows has no limits to set")
from jupyter_server.auth import AllowAllAuthorizer, IdentityProvider  # noqa: E402
from jupyter_server.services.kernels.connection.channels import (  # noqa: E402
    ZMQChannelsWebsocketConnection,
)
from tornado.httpserver import HTTPServer  # noqa: E402
from tornado.testing import bind_unused_port  # noqa: E402
from tornado.web import Application, HTTPError  # noqa: E402
from tornado.websocket import websocket_connect  # noqa: E402
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler  # noqa: E402

from tools.app_server import Kernels, _closed  # noqa: E402


async def _lives() -> None:
    full = Kernels(most_kernels=0)
    kernels = Kernels(most_kernels=2, left_s=0, memory_bytes=1_500_000_000)
    left, dies = await kernels.start_kernel(), await kernels.start_kernel()
    with pytest.raises(HTTPError, match="The app is full: 0 visitors"):
        await full.start_kernel()
    try:
        await kernels.cull_kernels()  # no page has been sent yet: none was left
        assert set(kernels.list_kernel_ids()) == {left, dies}
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


async def _leaves() -> None:
    # two timers hold a connection until they are due, in the app at most the minute of `left_s`
    kernels = Kernels(kernel_info_timeout=2)
    handler = _closed(VoilaKernelWebsocketHandler)
    settings = {
        "kernel_manager": kernels,
        "kernel_websocket_connection_class": ZMQChannelsWebsocketConnection,
        "identity_provider": IdentityProvider(token="known"),
        "authorizer": AllowAllAuthorizer(),
        "cookie_secret": "known",
        "base_url": "/",
        "ws_ping_interval": 1000,
    }
    server = HTTPServer(Application([(r"/(.*)", handler)], **settings))
    listener, port = bind_unused_port()
    server.add_socket(listener)
    try:
        kernel_id = await kernels.start_kernel()
        client = kernels.get_kernel(kernel_id).client()
        client.start_channels()
        await client.wait_for_ready()  # however busy the machine: from here answers are quick
        client.stop_channels()
        address = f"ws://127.0.0.1:{port}/{kernel_id}?token=known&session_id=one"
        (await websocket_connect(address)).close()
        while kernels._kernel_connections[kernel_id] or not kernels._kernel_buffers:
            await asyncio.sleep(0.05)
        await asyncio.sleep(2.2)
        await kernels.shutdown_kernel(kernel_id)  # what a page asks for when it is left
        assert os.listdir(kernels.uploads.name) == []
        assert _handlers(handler)  # what has gone waits for us
        await kernels.cull_kernels()
        assert not _handlers(handler)
    finally:
        await kernels.shutdown_all(now=True)
        kernels.uploads.cleanup()
        server.stop()


def _handlers(kind: type) -> int:
    return sum(type(one) is kind for one in gc.get_objects())


def test_nothing_of_a_visitor_who_has_left_stays_in_memory():
    gc.disable()  # Python's own turn may come late
    try:
        asyncio.run(_leaves())
    finally:
        gc.enable()
