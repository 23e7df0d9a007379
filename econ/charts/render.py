"""How a chart leaves the kernel: drawn by JupyterLab without a network, and as picture and words.

JupyterLab ships Vega-Lite 5 and knows no later mime type, so the specification goes out under
that one. Beside it go a PNG (GitHub, print, untrusted notebooks) and, as plain text, the chart's
description: the alternative text, and what the test run compares. ``ECON_STATIC=1`` leaves the
specification out: that is how committed outputs are made.
"""

from __future__ import annotations

import base64
import io
import json
import os
from typing import Any

import altair as alt
from IPython import get_ipython
from IPython.display import HTML, display

from econ.charts.tables import table_of
from econ.charts.theme import FAINT, GROUND, INK, MUTED

V5_MIME = "application/vnd.vegalite.v5+json"
V5_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
# no menu: its button has no name to a screen reader, its editor is on another host; SVG is sharp
EMBED = {"actions": False, "renderer": "svg"}
PAGE_COLOURS = {INK: "currentColor", GROUND: "transparent", FAINT: "#8080804d", MUTED: "#8b949e"}
FIT = "<style>.vega-embed, .vega-embed svg { max-width: 100%; height: auto; }</style>"
PNG_SCALE = 1.3
PNG_COLOURS = 64


def is_static() -> bool:
    """Whether outputs are made for committing rather than for a reader at the keyboard."""
    return os.environ.get("ECON_STATIC") == "1"


def png_of(spec: dict[str, Any]) -> str | None:
    """The chart as a PNG with a palette, base64: a sixth of the size, to the eye the same.

    None in a browser, where there is nothing to draw it with and the live chart stands alone.
    """
    try:
        import vl_convert
    except ImportError:
        return None
    return small_png(vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))


def small_png(picture: bytes) -> str:
    """A PNG with a palette, base64."""
    from PIL import Image

    full = Image.open(io.BytesIO(picture))
    small = io.BytesIO()
    full.convert("RGB").quantize(PNG_COLOURS, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return base64.b64encode(small.getvalue()).decode()


def themed(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification for a page: ink and ground are those of the page, light or dark.

    Data keep their colours: ink inside a coloured cell follows the cell.
    """
    own = {"datasets": spec.get("datasets", {}), "data": spec.get("data", {})}
    rest = json.dumps({key: part for key, part in spec.items() if key not in own})
    for ours, theirs in PAGE_COLOURS.items():
        rest = rest.replace(f'"{ours}"', f'"{theirs}"')
    return {**json.loads(rest), **{key: part for key, part in own.items() if part}}


def bundle_of(spec: dict[str, Any], **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The renderer: picture and description always, the live specification for a reader."""
    words = spec.get("description")
    if not words:
        raise ValueError("a chart without a description is not shown: use grammar.finish")
    bundle: dict[str, Any] = {"text/plain": words}
    metadata: dict[str, Any] = {}
    if picture := png_of(spec):
        bundle["image/png"], metadata["image/png"] = picture, {"alt": words}
    if not is_static():
        bundle[V5_MIME] = {**themed(spec), "$schema": V5_SCHEMA}
        metadata[V5_MIME] = {"embed_options": EMBED}
    return bundle, metadata


def setup() -> None:
    """Make charts draw offline in this kernel; the setup cell of every notebook calls it.

    For a reader at the keyboard a chart is never wider than its place, and its numbers follow it,
    folded.
    """
    alt.renderers.register("econ", bundle_of)
    alt.renderers.enable("econ")
    alt.data_transformers.disable_max_rows()
    if (shell := get_ipython()) and not is_static():
        shell.display_formatter.ipython_display_formatter.for_type(alt.TopLevelMixin, _with_numbers)
        display(HTML(FIT))  # type: ignore[no-untyped-call]


def _with_numbers(chart: alt.TopLevelMixin) -> None:
    bundle, metadata = bundle_of(chart.to_dict())
    display(bundle, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
    display(table_of(chart))  # type: ignore[no-untyped-call]
