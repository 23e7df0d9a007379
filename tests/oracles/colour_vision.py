"""How a colour looks to others: Machado, Oliveira & Fernandes (2009), severity 1."""

from __future__ import annotations

import numpy as np

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
