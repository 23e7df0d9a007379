"""``econ site``: the course as pages, read in a browser without an account or a network.

The pages are a prebuilt archive inside the wheel, the folder that ``make site`` wrote, or whatever
folder or archive is named. They are served from where they lie: nothing is unpacked or written.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import socketserver
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from econ.course_command import LOOPBACK

ARCHIVE = "site.zip"
FIRST = "index.html"
# a machine's own table of types can be wrong (a Windows registry often is)
TYPES = {
    ".css": "text/css; charset=utf-8", ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8", ".ipynb": "application/json",
    ".js": "text/javascript; charset=utf-8", ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8", ".png": "image/png", ".py": "text/x-python",
    ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
    ".woff2": "font/woff2", ".zip": "application/zip",
}  # fmt: skip


class Pages:
    """The files of a site by name, of a folder or of an archive.

    Parameters
    ----------
    place : Path
        A folder, or a ``.zip``; ``index.html`` stands at its top.

    Raises
    ------
    OSError
        If nothing is there.
    ValueError
        If it is no archive, or has no ``index.html``.
    """

    def __init__(self, place: Path) -> None:
        self._read: Callable[[str], bytes]
        if place.is_dir():
            self._read = lambda name: (place / name).read_bytes()
            files = (p for p in place.rglob("*") if p.is_file() and not p.is_symlink())
            self.names = {p.relative_to(place).as_posix() for p in files}
        else:
            try:
                box = zipfile.ZipFile(place)
            except zipfile.BadZipFile:
                raise ValueError(f"{place} is neither a folder nor a .zip of a site") from None
            self._read = box.read
            self.names = {name for name in box.namelist() if not name.endswith("/")}
        if FIRST not in self.names:
            raise ValueError(f"{place} has no {FIRST}: it is not the site")

    def read(self, address: str) -> tuple[str, bytes] | None:
        """Type and content of what an address names; None for what is not there."""
        name = unquote(urlsplit(address).path).lstrip("/")
        name = f"{name}{FIRST}" if not name or name.endswith("/") else name
        if name not in self.names:  # so that no ".." leads out
            return None
        kind = TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
        return kind, self._read(name)


def add_to(commands: Any) -> None:
    """Add ``site`` to the commands of a parser."""
    site = commands.add_parser("site", help="show the course's pages in a browser")
    where = "a folder or .zip with the pages (default: those that came with this installation)"
    site.add_argument("place", nargs="?", type=Path, help=where)
    site.add_argument("--ip", default=LOOPBACK, help="address (default: this computer alone)")
    site.add_argument("--port", type=int, default=0, help="port (default: any free one)")
    site.add_argument("--no-browser", action="store_true", help="only print the address")
    site.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the pages until Ctrl-C."""
    import webbrowser

    place = options.place.expanduser() if options.place else _prebuilt()
    with _server(Pages(place), options.ip, options.port) as pages:
        address = f"http://{options.ip}:{pages.server_address[1]}/"
        print(f"{address}  ({place}; Ctrl-C ends it)", flush=True)
        if not options.no_browser and options.ip == LOOPBACK:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):
            pages.serve_forever()
    return 0


def _server(pages: Pages, ip: str = LOOPBACK, port: int = 0) -> socketserver.TCPServer:
    """A server of some pages, not yet running; port 0 is any free one."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    if not 0 <= port <= 65535:
        raise ValueError(f"port = {port} is outside its range: 0 to 65535")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.read(self.path)
            kind, content = page or (TYPES[".txt"], b"no such page\n")
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if self.command == "GET":
                with contextlib.suppress(ConnectionError):  # the reader has left
                    self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """A reader's steps are nobody's business."""

    try:
        return ThreadingHTTPServer((ip, port), Handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise OSError(f"port {port} is taken or not allowed: name another, or none") from None


def _prebuilt() -> Path:
    """Where the pages are: built in this checkout, or inside the wheel."""
    inside = Path(__file__).with_name(ARCHIVE)
    top = Path(__file__).resolve().parents[1]
    built = top / "build" / "site"
    for place in (built, inside):
        if place.exists():
            return place
    if (top / "Makefile").exists():
        raise FileNotFoundError("the pages are not built yet: make site, then econ site")
    raise FileNotFoundError(
        f"this installation came without the pages: download {ARCHIVE} of the release, then econ "
        f"site {ARCHIVE}; econ lab opens the course itself"
    )
