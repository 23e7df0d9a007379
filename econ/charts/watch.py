"""What a page watches while it is open: the size of a file before it is sent, and its kernel.

A file that is too large is not sent at all, as a server ends a connection that carries more than
it takes. Where a kernel no longer answers, a banner says so; JupyterLab has a dialog of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Watch(anywidget.AnyWidget):
    """An invisible part of a page.

    Parameters
    ----------
    most_bytes : int
        The largest file that is sent, e.g. 32,000,000.
    on_refused : callable
        Called with what was chosen (``"trace"`` or ``"model"``), the file's name and its bytes.
    """

    _esm = Path(__file__).with_name("watch.js")
    most_bytes = traitlets.Int().tag(sync=True)
    refused: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, most_bytes: int, on_refused: Callable[[str, str, int], Any]) -> None:
        super().__init__(most_bytes=most_bytes)
        self.observe(lambda change: on_refused(*change["new"][:3]), "refused")
