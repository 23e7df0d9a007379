"""One look for all charts: a palette that colour-blind readers can tell apart, on its own ground.

A picture (GitHub, print) brings its white ground along; on a page a chart takes the page's ink and
ground (`econ.charts.render.themed`), so that it follows a light or a dark theme.

>>> PALETTE["blue"]
'#0072b2'
"""

from __future__ import annotations

from typing import Any

import altair as alt

from econ.catalog.guard import count

# the hues of Okabe & Ito, Color Universal Design (2008); orange, vermilion and sky darker than
# there, so that each reaches 3:1 on white and all stay apart; grey for what recedes
PALETTE = {
    "blue": "#0072b2",
    "orange": "#b98600",
    "green": "#009e73",
    "vermilion": "#b03f00",
    "purple": "#cc79a7",
    "sky": "#3f97dd",
    "grey": "#7f7f7f",
}
CATEGORIES = [PALETTE[c] for c in ("blue", "orange", "green", "vermilion", "sky", "purple")]
INK, FAINT, GROUND, MUTED = "#1f2328", "#d8dee4", "#ffffff", "#57606a"
FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


@alt.theme.register("econ", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """The theme, as Altair wants it; enabled on import."""
    axis: Any = {
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": FAINT,
        "domainColor": INK,
        "tickColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
    }
    return {
        "config": {
            "background": GROUND,
            "font": FONT,
            "padding": 12,
            "view": {"continuousWidth": 560, "continuousHeight": 300, "stroke": None},
            "axis": axis,
            "title": {
                "anchor": "start",
                "fontSize": 15,
                "color": INK,
                "subtitleFontSize": 12,
                "subtitleColor": MUTED,
                "offset": 12,
            },
            "legend": {
                "labelColor": INK,
                "titleColor": INK,
                "labelFontSize": 12,
                "labelLimit": 300,
            },
            "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12},
            "range": {"category": CATEGORIES},
            "line": {"strokeWidth": 2.5, "color": PALETTE["blue"]},
            # a description speaks for the picture and a table for its marks: hundreds of marks
            # read out one by one help nobody
            "mark": {"aria": False},
            "bar": {"color": PALETTE["blue"]},
            "point": {"filled": True, "size": 70, "color": PALETTE["blue"]},
            "rule": {"color": INK},
            "text": {"color": INK, "fontSize": 12},
        }
    }


def ramp(n: int) -> list[str]:
    """Light to dark blue in n steps, for groups that are an order.

    >>> ramp(2)
    ['#3f97dd', '#08306b']
    """
    count("n", n, 0, 256)
    light, dark = (
        [int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (PALETTE["sky"], "#08306b")
    )
    shares = [i / max(n - 1, 1) for i in range(n)]
    steps = [[a + (b - a) * s for a, b in zip(light, dark, strict=True)] for s in shares]
    return ["#" + "".join(f"{round(v):02x}" for v in step) for step in steps]
