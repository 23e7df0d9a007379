"""The first page's kernel starts with the server, while the browser still loads JupyterLab.

An extension of Jupyter Server, switched on by the flags of ``econ lab`` and ``make lab``. It opens
a session for the start page, as the page itself would later, and JupyterLab joins a session that
runs. One silent request imports what the first cells import and draws a chart: no name and no cell
number of the notebook changes, and a kernel that is restarted is an ordinary one.
"""

from __future__ import annotations

import importlib
from typing import Any

from econ.course_command import START_PAGE

KERNEL = "python3"  # what the notebooks name
READY = f"__import__({__name__!r}, fromlist=['_'])._get_ready()"  # leaves no name behind
MODULES = ("econ.lessons.l00_start", "econ.charts.live", "econ.service_bill")
CHART = {"data": {"values": [{"x": 1}]}, "mark": "bar", "encoding": {"x": {"field": "x"}}}
# parts of JupyterLab that ask a server, or another host, for what the course does not have
UNUSED = (
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/fileeditor-extension:language-server",
    "@jupyterlab/lsp-extension",
    "@jupyterlab/notebook-extension:language-server",
    "@voila-dashboards/jupyterlab-preview",
)


def _get_ready() -> None:
    """In the kernel: import what the first page uses, and draw, as a first chart takes longest."""
    for name in MODULES:
        importlib.import_module(name)
    importlib.import_module("econ.charts.render").png_of(CHART)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Switch off what is not used, and open the session before any page can ask for a list."""
    settings = server.web_app.settings
    # nothing here has to be built
    settings.setdefault("page_config_data", {})["buildCheck"] = False
    settings["page_config_hook"] = _without_unused
    server.io_loop.run_sync(lambda: _open(server))


def _without_unused(_: Any, page_config: dict[str, Any]) -> dict[str, Any]:
    return {
        **page_config,
        "disabledExtensions": [*page_config.get("disabledExtensions", []), *UNUSED],
    }


async def _open(server: Any) -> None:
    """The start page's session, where page and kernel are there."""
    from jupyter_server.utils import ensure_async

    if not await ensure_async(server.contents_manager.file_exists(START_PAGE)):
        return
    if KERNEL in server.kernel_spec_manager.find_kernel_specs():
        await server.session_manager.create_session(
            path=START_PAGE, name=START_PAGE, type="notebook", kernel_name=KERNEL
        )


async def _start_jupyter_server_extension(server: Any) -> None:
    """Make its kernel ready."""
    for kernel_id in server.kernel_manager.list_kernel_ids():
        client = server.kernel_manager.get_kernel(kernel_id).client()
        client.start_channels(stdin=False, hb=False)
        try:
            await client.wait_for_ready(timeout=600)
            await client.execute_interactive(
                READY, silent=True, allow_stdin=False, output_hook=lambda _: None, timeout=600
            )
        finally:
            client.stop_channels()
