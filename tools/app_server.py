"""The app as a server: Voilà with an end to every kernel, a bound on each, and a closed door.

``python tools/app_server.py tools/app.ipynb --token``; `make app` calls it. What it promises stands
in ``workshop/hosting.md``, each with its test.

* A kernel ends a minute after its page was left, after half an hour without use, and when its
  process has died; ``/econ/alive/<kernel>`` tells its page.
* Twenty kernels at most; the next visitor reads that the app is full.
* A kernel may take 4 GB of memory (Linux); what draws reserves much that it never fills.
* Static files need the token too; every answer carries the headers below.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hmac
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jupyter_server.base.handlers import JupyterHandler  # noqa: E402
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager  # noqa: E402
from jupyter_server.utils import ensure_async, url_path_join  # noqa: E402
from tornado import web  # noqa: E402
from tornado.websocket import WebSocketHandler  # noqa: E402
from traitlets import Int  # noqa: E402
from voila.app import Voila  # noqa: E402
from voila.tornado.execution_request_handler import ExecutionRequestHandler  # noqa: E402

from econ.app import MOST_UPLOAD_BYTES  # noqa: E402

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]
_libc = ctypes.CDLL(None) if resource else None  # that of Linux returns what is free when asked

# Voilà's page links to icon fonts of another host, which it does not need: the policy keeps it home
HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: ws: "
    "http://127.0.0.1:*; frame-ancestors 'self'; base-uri 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",  # an address holds the token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
FULL = "The app is full: {} visitors are using it. Try again in some minutes."


class Kernels(AsyncMappingKernelManager):
    """One kernel a visitor, each with an end and a bound."""

    most_kernels = Int(20, config=True, help="visitors at the same time")
    memory_bytes = Int(4_000_000_000, config=True, help="of one kernel; Linux only")
    left_s = Int(60, config=True, help="seconds until the kernel of a page that was left ends")
    cull_idle_timeout = Int(1800, config=True, help="seconds until an open page without use ends")
    cull_interval = Int(10, config=True, help="seconds between two looks")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.uploads = tempfile.TemporaryDirectory(prefix="econ-app-")
        self.folders: dict[str, str] = {}
        self.has_ended = False

    async def start_kernel(self, **kwargs: Any) -> str:
        """Start one more, unless there are too many."""
        if len(self) >= self.most_kernels:
            await self.cull_kernels()
        if len(self) >= self.most_kernels:
            raise web.HTTPError(503, FULL.format(self.most_kernels))
        own = tempfile.mkdtemp(dir=self.uploads.name)  # what a visitor uploads ends with the kernel
        kwargs["env"] = {**(kwargs.get("env") or os.environ), "TMPDIR": own}
        kernel_id: str = await ensure_async(super().start_kernel(**kwargs))
        self.folders[kernel_id] = own
        if hasattr(resource, "prlimit"):
            pid = self.get_kernel(kernel_id).provisioner.pid
            resource.prlimit(pid, resource.RLIMIT_DATA, (self.memory_bytes, self.memory_bytes))
        return kernel_id

    def notify_disconnect(self, kernel_id: str) -> None:
        """A page was left, or lost its network: its time begins now."""
        super().notify_disconnect(kernel_id)
        if kernel_id in self._kernels:
            self._kernels[kernel_id].last_activity = _now()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel that has died, was left, or is not used."""
        kernel = self._kernels[kernel_id]
        is_open = self._kernel_connections.get(kernel_id, 0) > 0
        is_new = kernel.execution_state == "starting"  # its page has yet to be sent
        most_s = self.cull_idle_timeout if is_open or is_new else self.left_s
        idle_s = (_now() - kernel.last_activity).total_seconds()
        is_over = idle_s > most_s and kernel.execution_state != "busy"
        if is_over or not await ensure_async(kernel.is_alive()):
            await ensure_async(self.shutdown_kernel(kernel_id, now=True))

    async def _async_shutdown_kernel(self, kernel_id: str, *how: Any, **kwargs: Any) -> None:
        """End a kernel, at a look or because its page says so, with all that was its visitor's."""
        await super()._async_shutdown_kernel(kernel_id, *how, **kwargs)
        shutil.rmtree(self.folders.pop(kernel_id, ""), ignore_errors=True)
        ExecutionRequestHandler._execution_data.pop(kernel_id, None)
        self.has_ended = True

    shutdown_kernel = _async_shutdown_kernel

    async def cull_kernels(self) -> None:
        """Look at every kernel, and return the memory of visitors who have gone.

        Their handlers, connections and pages lie in cycles. Python by itself looks for those when a
        quarter has come to all that it loaded, some 35 visitors here; meanwhile the heap is torn.
        """
        await super().cull_kernels()
        if self.has_ended:
            self.has_ended = False
            gc.collect()
            if trim := getattr(_libc, "malloc_trim", None):
                trim(0)


def _now() -> Any:
    from jupyter_server._tz import utcnow

    return utcnow()


class Alive(JupyterHandler):
    """Whether a page still has its kernel: 204, or 410."""

    @web.authenticated
    async def get(self, kernel_id: str) -> None:
        known = kernel_id in self.kernel_manager
        is_alive = known and await ensure_async(
            self.kernel_manager.get_kernel(kernel_id).is_alive()
        )
        self.set_status(204 if is_alive else 410)
        await self.finish()


class App(Voila):
    """Voilà with the kernels and the headers of this module."""

    def initialize(self, argv: list[str] | None = None) -> None:
        super().initialize(argv)
        self.voila_configuration.multi_kernel_manager_class = Kernels

    def init_settings(self) -> dict[str, Any]:
        # somewhat more than a file of the largest size, which the page does not send beyond
        return {**super().init_settings(), "websocket_max_message_size": 2 * MOST_UPLOAD_BYTES}

    def init_handlers(self) -> list[Any]:
        alive = url_path_join(self.server_url, r"/econ/alive/(.*)")
        handlers = [(alive, Alive), *super().init_handlers()]
        return [(path, _closed(handler), *rest) for path, handler, *rest in handlers]


def _closed(handler: type) -> type:
    """A handler whose answers carry our headers, and whose files need the token."""
    is_file = issubclass(handler, web.StaticFileHandler)

    class Closed(handler):  # type: ignore[misc]
        def set_default_headers(self) -> None:
            super().set_default_headers()
            for name, value in HEADERS.items():
                self.set_header(name, value)

        async def prepare(self) -> None:
            ready = super().prepare()
            if isinstance(ready, Awaitable):
                await ready
            identity = self.settings["identity_provider"]
            said = self.get_argument("token", "").encode()
            is_known = hmac.compare_digest(said, identity.token.encode())
            if is_file and not is_known and not identity.get_user_cookie(self):
                raise web.HTTPError(403, "a token is needed")

        def get_websocket_protocol(self) -> Any:
            """Jupyter's pings without Tornado's, which reads their 30,000 ms as seconds.

            A timer of eight hours, though cancelled, held what a visitor had used.
            """
            protocol = super().get_websocket_protocol()
            if protocol is not None:
                protocol.params.ping_interval = 0
            return protocol

        def on_close(self) -> None:
            """A socket that is closed is let go now, not at the next of its pings."""
            super().on_close()
            if getattr(self, "ping_callback", None) is not None:
                self.ping_callback.stop()

    if not issubclass(handler, WebSocketHandler):
        del Closed.on_close, Closed.get_websocket_protocol
    Closed.__name__ = handler.__name__
    return Closed


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        App.launch_instance()
