"""One look for all charts: a palette that colour-blind readers can tell apart, on its own ground.

The chart brings its background along, so it reads the same in JupyterLab's light and dark theme,
on GitHub and in print.

>>> PALETTE["blue"]
'#0072b2'
"""

from __future__ import annotations

import altair as alt
import numpy as np

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
INK, FAINT, GROUND = "#1f2328", "#d8dee4", "#ffffff"
FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


@alt.theme.register("econ", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """The theme, as Altair wants it; enabled on import."""
    axis = {
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
                "subtitleColor": "#57606a",
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


# -- how a colour looks to others: Machado, Oliveira & Fernandes (2009), severity 1 --------------
DEFICIENCY = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear_rgb(colour: str) -> np.ndarray:
    """``#rrggbb`` as linear light, 0 to 1 (IEC 61966-2-1)."""
    s = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Linear sRGB as CIE L*a*b* under D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(a: str, b: str, deficiency: str | None = None) -> float:
    """ΔE*ab (CIE 1976) of two colours, as seen with a colour-vision deficiency.

    About 2.3 is just visible.

    >>> difference("#000000", "#ffffff") > 99
    True
    """
    see = np.array(DEFICIENCY[deficiency]) if deficiency else np.eye(3)
    return float(np.linalg.norm(lab(see @ linear_rgb(a)) - lab(see @ linear_rgb(b))))


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2), 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    light = sorted(float(linear_rgb(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light[1] + 0.05) / (light[0] + 0.05)
