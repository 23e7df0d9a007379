"""Pictures of headlines: how a cheapest price comes about, and what a factor is made of."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd

from econ.ledger import claim
from econ.lessons.pictures.scene import WIDTH_PX, Picture, Scene
from econ.trends import frontier
from econ.trends.prices import PRICE
from econ.trends.rates import year_of

LEVEL_FRAC = 0.82  # of GPQA Diamond: a level whose record was lost
LEFT_PX, RIGHT_PX, TOP_PX, FLOOR_PX = 60, WIDTH_PX - 20, 50, 250
USD = (0.1, 10.0)  # the axis; dearer offers lie at its upper end


# -- the cheapest for sale, month by month -------------------------------------------------------
@functools.cache
def offers_by_month_frame() -> pd.DataFrame:
    """Offers of the level that were for sale on each first of a month: ``date``, their price,
    ``purchasable`` (the lowest of these) and who asks it, ``record_low`` of all months so far.
    """  # fmt: skip
    path = frontier.cheapest_frame(LEVEL_FRAC).dropna(subset=["purchasable"])
    months = []
    for row in path.itertuples():
        sold = frontier.on_sale_frame(LEVEL_FRAC, row.date)
        offers = sold.groupby(["model", "seller"], as_index=False)[PRICE].min()
        months.append(
            offers.assign(date=row.date, purchasable=row.purchasable, record_low=row.record_low,
                          cheapest=f"{row.model} at {row.seller}")
        )  # fmt: skip
    return pd.concat(months, ignore_index=True)


def _y_px(usd: float) -> float:
    low, high = (math.log(end) for end in USD)
    share = (math.log(min(usd, USD[1])) - low) / (high - low)
    return FLOOR_PX - share * (FLOOR_PX - TOP_PX)


def frontier_picture() -> Picture:
    """Each month's offers, the cheapest of them, and the lowest that ever was."""
    rows = offers_by_month_frame()
    path = rows.drop_duplicates("date").reset_index(drop=True)
    years = np.asarray(year_of(path["date"]))
    step_px = (RIGHT_PX - LEFT_PX) / (years[-1] - years[0] + 1 / 12)
    at_px = [*(LEFT_PX + step_px * (years - years[0])), float(RIGHT_PX)]
    frames = []
    for n, now in enumerate(path.itertuples()):
        scene, sold = Scene(), rows[rows["date"] == now.date]
        for usd in np.geomspace(*USD, 3):
            scene.text(LEFT_PX - 8, _y_px(usd) + 4, f"${usd:g}", anchor="end")
        scene.line(LEFT_PX, FLOOR_PX + 6, RIGHT_PX, FLOOR_PX + 6)
        for place, date in enumerate(path["date"]):
            if date[5:] in ("01-01", "07-01"):
                scene.text(at_px[place], FLOOR_PX + 24, date[:7], anchor="middle")
        for usd in sold[PRICE]:
            scene.box(at_px[n], _y_px(usd) - 1.5, 12, 3, "grey", f"${usd:.3g}", faint=True)
        for place, row in enumerate(path.head(n + 1).itertuples()):
            width_px = at_px[place + 1] - at_px[place]
            scene.box(at_px[place], _y_px(row.purchasable) - 2, width_px, 4, "blue",
                      f"{row.date}: ${row.purchasable:.4g}")  # fmt: skip
            record_px = _y_px(row.record_low) + 3
            scene.line(at_px[place], record_px, at_px[place + 1], record_px, dashed=True)
        for place, (color, name) in enumerate(
            {"blue": "cheapest for sale", "grey": "each offer of the month"}.items()
        ):
            scene.box(LEFT_PX + 160 * place, 16, 14, 10, color, faint=color == "grey")
            scene.text(LEFT_PX + 22 + 160 * place, 26, name)
        scene.line(LEFT_PX + 350, 22, LEFT_PX + 380, 22, dashed=True)
        scene.text(LEFT_PX + 388, 26, "record low")
        above = now.purchasable / now.record_low - 1
        record = f"{above:.0%} above the record low" if above > 0.01 else "the lowest so far"
        words = (f"{now.date}: {len(sold)} offers reach {LEVEL_FRAC:.0%} on GPQA Diamond. The "
                 f"cheapest, {now.cheapest}, asks ${now.purchasable:.3g} per million tokens, "
                 f"{record}.")  # fmt: skip
        frames.append((scene.markup, words))
    numbers = path[["date", "cheapest", "purchasable", "record_low"]]
    return Picture("frontier", "Why does the cheapest price of one quality fall in steps, and can "
                   "it rise?", tuple(frames), numbers, 285, step_name="Month",
                   interval_ms=600)  # fmt: skip


# -- one factor, taken apart ---------------------------------------------------------------------
CLAIM = "gb300-50x-mw"


@functools.cache
def factor_frame() -> pd.DataFrame:
    """The claim's own figures: ``what``, tokens/s per MW, and times those of the old system."""
    steps = claim(CLAIM).steps_frame().set_index("step")["value"]
    old, new = (float(steps[f"{name}, tokens/s per MW"]) for name in ("H200", "GB300"))
    alike = old * claim(CLAIM).asked
    rows = [("H200", old), ("GB300 without drafted tokens", alike),
            ("GB300 with drafted tokens", new)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["what", "tokens_per_s_per_mw"])
    return frame.assign(times=frame["tokens_per_s_per_mw"] / old)


def factor_picture() -> Picture:
    """A printed factor; what it divides by what; what differs; what is left if that is alike."""
    case, rows = claim(CLAIM), factor_frame()
    old, alike, new = rows["tokens_per_s_per_mw"]
    drafted = new / alike
    long_px, left_px = 440 / math.log(new / old), 240.0
    scale = 440 / new

    def heading(scene: Scene, n: int) -> None:
        scene.text(20, 26, ("1. The headline", "2. Divided by what?", "3. Under which conditions?",
                            "4. What is left")[n], bold=True)  # fmt: skip

    def bars(scene: Scene, drawn: list[int], note: dict[int, str]) -> None:
        for place, at in enumerate(drawn):
            row, y_px = rows.iloc[at], 70 + 62 * place
            color = ("grey", "blue", "orange")[at]
            value = row["tokens_per_s_per_mw"]
            scene.text(left_px - 12, y_px + 16, row["what"], anchor="end")
            scene.box(left_px, y_px, scale * value, 24, color, f"{value:,.0f} tokens/s per MW")
            scene.text(left_px, y_px + 42, f"{value:,.0f} tokens/s per MW{note.get(at, '')}")

    frames = []
    printed, divided, terms, left = (Scene() for _ in range(4))
    for n, scene in enumerate((printed, divided, terms, left)):
        heading(scene, n)
    printed.text(WIDTH_PX / 2, 130, f"“{case.claimed:.0f} times”", anchor="middle", bold=True)
    printed.text(WIDTH_PX / 2, 156, "the tokens per megawatt", anchor="middle")
    frames.append((printed.markup, f"{case.text}. A factor alone hides two numbers and all of "
                   "their conditions."))  # fmt: skip
    bars(divided, [0, 2], {})
    frames.append((divided.markup, f"{new:,.0f} over {old:,.0f} tokens per second and megawatt is "
                   f"{new / old:.0f}: the arithmetic is right."))  # fmt: skip
    bars(terms, [0, 1, 2], {1: ", as fast for a user", 2: ": another software option"})
    frames.append((terms.markup, "Only the new system drafts tokens. Without that, as fast for a "
                   f"user, it writes {alike:,.0f} tokens per second and megawatt."))  # fmt: skip
    left.text(20, 60, f"“{case.claimed:.0f} times the tokens per megawatt” is {new:,.0f} over "
              f"{old:,.0f} tokens/s per MW: {new / old:.0f} ×")  # fmt: skip
    machine_px = long_px * math.log(alike / old)
    left.box(left_px, 90, machine_px, 34, "blue", f"machine and format: {alike / old:.1f} times")
    left.box(left_px + machine_px, 90, long_px * math.log(drafted), 34, "orange",
             f"drafted tokens: {drafted:.0f} times")  # fmt: skip
    left.text(left_px - 12, 112, "the factor, in logarithms", anchor="end")
    left.bracket(left_px, left_px + machine_px, 140, f"machine, fp4 for fp8: {alike / old:.1f} ×")
    left.bracket(left_px + machine_px, left_px + long_px * math.log(new / old), 140,
                 f"drafted tokens {drafted:.0f} ×")  # fmt: skip
    left.text(20, 205, f"Without drafted tokens, as fast for a user: {alike:,.0f} over {old:,.0f}, "
              f"{alike / old:.1f} ×")  # fmt: skip
    frames.append((left.markup, f"{new / old:.0f} times is {alike / old:.1f} of the machine, in "
                   f"four bits instead of eight, times {drafted:.0f} of drafted tokens. Which of "
                   "these are you buying?"))  # fmt: skip
    return Picture("factor", "What is left of a factor when both sides are alike?", tuple(frames),
                   rows, 250, step_name="Step", interval_ms=1500)  # fmt: skip
