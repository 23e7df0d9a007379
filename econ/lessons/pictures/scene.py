"""A picture: drawn shapes over a table of numbers, in one frame or in several that play.

Shapes are SVG in the ink of the page (``currentColor``), so that a picture follows a light or a
dark theme; its still, for GitHub and print, brings a white ground along.

>>> scene = Scene()
>>> scene.box(10, 10, 50, 20, "blue", "a box of 50")
>>> scene.markup
'<rect x="10" y="10" width="50" height="20" fill="#0072b2"><title>a box of 50</title></rect>'
"""

from __future__ import annotations

import functools
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets

from econ.catalog.guard import one_of
from econ.charts.render import is_static, small_png
from econ.charts.tables import Folded, Table, three
from econ.charts.theme import FONT, GROUND, INK, PALETTE

WIDTH_PX, TITLE_PX, PNG_SCALE = 720, 34, 1.3
Place = int  # in a sequence, e.g. of frames


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


class Scene:
    """Shapes in the order in which they are drawn; lengths in pixels of a width of 720."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    @property
    def markup(self) -> str:
        """All shapes as SVG."""
        return "".join(self._parts)

    def box(
        self, x_px: float, y_px: float, width_px: float, height_px: float, color: str,
        words: str = "", *, faint: bool = False, outline: bool = False,
    ) -> None:  # fmt: skip
        """A rectangle in a colour of the palette; ``words`` appear when it is pointed at."""
        one_of("color", color, PALETTE)
        fill = "none" if outline else PALETTE[color]
        look = f' stroke="{PALETTE[color]}" stroke-width="2"' if outline else ""
        look += ' opacity="0.3"' if faint else ""
        title = f"<title>{html.escape(words)}</title>" if words else ""
        self._parts.append(
            f'<rect x="{_px(x_px)}" y="{_px(y_px)}" width="{_px(max(width_px, 0))}" '
            f'height="{_px(max(height_px, 0))}" fill="{fill}"{look}>{title}</rect>'
        )

    def text(
        self, x_px: float, y_px: float, words: str, *, anchor: str = "start", bold: bool = False
    ) -> None:
        """A line of text in the page's ink."""
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{_px(x_px)}" y="{_px(y_px)}" text-anchor="{anchor}" fill="currentColor" '
            f'font-size="13"{weight}>{html.escape(words)}</text>'
        )

    def line(self, x1_px: float, y1_px: float, x2_px: float, y2_px: float, *,
             dashed: bool = False) -> None:  # fmt: skip
        """A straight line in the page's ink."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(
            f'<line x1="{_px(x1_px)}" y1="{_px(y1_px)}" x2="{_px(x2_px)}" y2="{_px(y2_px)}" '
            f'stroke="currentColor"{dash}/>'
        )

    def bracket(self, x1_px: float, x2_px: float, y_px: float, words: str) -> None:
        """A span with its name below it."""
        for x_px in (x1_px, x2_px):
            self.line(x_px, y_px - 5, x_px, y_px + 5)
        self.line(x1_px, y_px, x2_px, y_px)
        middle = min(max((x1_px + x2_px) / 2, 60), WIDTH_PX - 60)
        self.text(middle, y_px + 19, words, anchor="middle")


@dataclass(frozen=True)
class Picture:
    """A picture that answers a question, made of the model's own numbers.

    ``frames``: the SVG of each state and the words for it; ``still``: which of them stands where
    nothing moves; ``numbers``: what is drawn.
    """

    id: str
    question: str
    frames: tuple[tuple[str, str], ...]
    numbers: pd.DataFrame
    height_px: int
    still: Place = -1
    step_name: str = "Step"
    interval_ms: int = 500

    @property
    def description(self) -> str:
        """The alternative text: the question and the words of the still."""
        return f"{self.question} {self.frames[self.still][1]}"

    def svg(self, frame: Place, *, ground: bool = False) -> str:
        """One frame; with ``ground`` under its question in black on white, to stand alone."""
        font, top_px, back = FONT.replace('"', "'"), 0, ""
        if ground:
            top_px, heading = TITLE_PX, Scene()
            heading.text(20, -10, self.question, bold=True)
            back = f'<rect y="-{top_px}" width="100%" height="100%" fill="{GROUND}"/>'
            back += heading.markup
        height_px = self.height_px + top_px
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -{top_px} {WIDTH_PX} {height_px}" '
            f'width="{WIDTH_PX}" height="{height_px}" color="{INK if ground else "inherit"}" '
            f'font-family="{font}">{back}{self.frames[frame][0]}</svg>'
        )

    @property
    def spec(self) -> dict[str, Any]:
        """What the script needs to show and play it."""
        return {
            "id": self.id,
            "question": self.question,
            "height": self.height_px,
            "frames": [markup for markup, _ in self.frames],
            "words": [words for _, words in self.frames],
            "still": range(len(self.frames))[self.still],
            "step": self.step_name,
            "interval": self.interval_ms,
            "table": self.table()._repr_html_(),
        }

    def table(self) -> Folded:
        """The numbers that are drawn, to open on demand."""
        numbers = {c: three for c in self.numbers if pd.api.types.is_numeric_dtype(self.numbers[c])}
        summary = f"The picture's numbers ({len(self.numbers)} rows)"
        return Folded(summary, [Table(self.numbers, **numbers)])

    def png(self) -> str | None:
        """The still, base64; None where there is nothing to draw it with."""
        try:
            import vl_convert
        except ImportError:
            return None
        drawing = self.svg(self.still, ground=True).replace("currentColor", INK)
        return small_png(vl_convert.svg_to_png(drawing, scale=PNG_SCALE))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if not is_static():
            display(Moving(self))  # type: ignore[no-untyped-call]
            return
        bundle: dict[str, Any] = {"text/plain": self.description}
        metadata: dict[str, Any] = {}
        if still := self.png():
            bundle["image/png"], metadata["image/png"] = still, {"alt": self.description}
        display(bundle, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]


@functools.cache
def script() -> str:
    """The script that shows pictures; it ends with the line that exports it."""
    return Path(__file__).with_name("picture.js").read_text(encoding="utf-8")


class Moving(anywidget.AnyWidget):
    """A picture on the page, with a slider and a button to play it."""

    _esm = ""  # set when the first one is made
    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, picture: Picture):
        type(self)._esm = script()
        super().__init__(spec=picture.spec)
