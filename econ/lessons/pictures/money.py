"""Pictures of money: nested boundaries of energy; an owned hour and a day; three laws, one bill."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd

from econ.catalog.rents import rent
from econ.lessons.l07_energy import request_boundary_frame, served
from econ.lessons.l09_scaling.panels import amount
from econ.lessons.l09_scaling.training import served as served_within_limits
from econ.lessons.l11_stack import hour_ladder_frame
from econ.lessons.pictures.scene import WIDTH_PX, Picture, Scene
from econ.scaling import demand_frame, lifetime_bill, training_usd_per_flop
from econ.scaling.bill import PARTS
from econ.scenario import Scenario
from econ.tco import cost, day_load

RIGHT = WIDTH_PX - 20
OPERATOR = "microsoft"


# -- 9: the machine room -------------------------------------------------------------------------
@functools.cache
def room_frame() -> pd.DataFrame:
    """The ladder of boundaries for one request: ``rung``, ``typical`` (Wh so far), ``adds``."""
    return request_boundary_frame(served(), OPERATOR)[["rung", "typical", "adds"]]


def room_picture() -> Picture:
    """Four nested boundaries; the area of each is the energy within it."""
    frame = room_frame()
    side = 240 / math.sqrt(float(frame["typical"].max()))
    colours = dict(zip(frame["rung"], ("blue", "orange", "green", "grey"), strict=True))
    frames = []
    for n in range(1, len(frame) + 1):
        scene = Scene()
        for row in frame.head(n).iloc[::-1].itertuples():
            length = side * math.sqrt(row.typical)
            scene.box(30, 275 - length, length * 1.5, length, colours[row.rung],
                      f"{row.rung}: {row.typical:.3f} Wh")  # fmt: skip
        for place, row in enumerate(frame.head(n).itertuples()):
            y = 60 + 50 * place
            scene.box(430, y - 12, 14, 14, colours[row.rung])
            scene.text(452, y, row.rung, bold=True)
            scene.text(452, y + 18, f"+ {row.adds:.3f} Wh, so far {row.typical:.3f} Wh")
        last = frame.iloc[n - 1]
        frames.append((scene.markup, f"Up to the boundary “{last.rung}”, one request takes "
                       f"{last.typical:.2f} Wh; the area is the energy."))  # fmt: skip
    return Picture("room", "Whose energy is counted?", tuple(frames), frame, 290,
                   step_name="Boundary", interval_ms=1200)  # fmt: skip


# -- 10: an owned hour, and a day ----------------------------------------------------------------
MEAN_PER_S = 100.0
GROUPS = {"server": "blue", "network and other capital": "sky", "space and services": "green",
          "electricity": "orange", "margin": "vermilion"}  # fmt: skip
SOURCES = {"own": "blue", "reserved": "sky", "burst": "orange", "API": "vermilion"}


@functools.cache
def hour_frame() -> pd.DataFrame:
    """An owned hour from the server to what on-demand rent leaves: ``group``,
    ``usd_per_gpu_hour``.
    """  # fmt: skip
    parts = cost(Scenario.default().with_(tenure="owned")).frame()
    groups = parts.groupby("group", sort=False)["usd_per_gpu_hour"].sum()
    groups = groups[groups > 0]
    rent = hour_ladder_frame(Scenario.default()).set_index("layer")["price_usd"]["on_demand"]
    rows = [*groups.items(), ("margin", float(rent) - float(groups.sum()))]
    return pd.DataFrame(rows, columns=["group", "usd_per_gpu_hour"])


@functools.cache
def day_frame() -> pd.DataFrame:
    """A day's load by who serves it: ``hour``, ``own``, ``reserved``, ``burst``, ``API``
    (requests/s). Own covers the lowest hour, reserved up to the mean, burst up to four fifths of
    the way from the mean to the peak, and an API what is left.
    """  # fmt: skip
    load = day_load(MEAN_PER_S)
    edges = [0, load.min(), load.mean(), load.mean() + 0.8 * (load.max() - load.mean()), np.inf]
    parts = {
        name: np.clip(load, low, high) - low
        for name, low, high in zip(SOURCES, edges, edges[1:], strict=False)
    }
    return pd.DataFrame({"hour": range(len(load)), **parts})


def hour_picture() -> Picture:
    """The stack of an owned hour, and the day that its hours serve."""
    hour, day = hour_frame(), day_frame()
    scale = 210 / float(hour["usd_per_gpu_hour"].sum())
    frames = []
    for n in range(len(day)):
        scene, y, label_y = Scene(), 250.0, 290.0
        for row in hour.itertuples():
            height = scale * row.usd_per_gpu_hour
            y -= height
            label_y = min(y + height / 2 + 5, label_y - 17)  # labels of thin layers stay apart
            scene.box(30, y, 70, height, GROUPS[row.group], row.group)
            scene.text(108, label_y, f"{row.group} ${row.usd_per_gpu_hour:.2f}")
        scene.text(30, 22, "one GPU-hour", bold=True)
        tall = 200 / float(day[list(SOURCES)].sum(axis=1).max())
        scene.text(340, 22, "a day of requests", bold=True)
        for row in day.head(n + 1).itertuples():
            top = 250.0
            for name, color in SOURCES.items():
                height = tall * getattr(row, name)
                top -= height
                scene.box(340 + 15 * row.hour, top, 12, height, color,
                          f"{row.hour}:00 {name} {getattr(row, name):.0f} requests/s")  # fmt: skip
        for place, (name, color) in enumerate(SOURCES.items()):
            scene.box(340 + 92 * place, 262, 12, 12, color)
            scene.text(357 + 92 * place, 273, name)
        now = day.iloc[n]
        parts = ", ".join(f"{name} {now[name]:.0f}" for name in SOURCES)
        owned = hour[hour["group"] != "margin"]["usd_per_gpu_hour"].sum()
        margin = hour.set_index("group")["usd_per_gpu_hour"]["margin"]
        words = (f"An owned hour costs ${owned:.2f}; on demand it rents for ${margin:.2f} more. At "
                 f"{n}:00 the load is served by: {parts} requests per second.")  # fmt: skip
        frames.append((scene.markup, words))
    return Picture("hour", "What is in an owned hour, and which hours should one own?",
                   tuple(frames), pd.concat([hour, day]), 285, still=12, step_name="Hour",
                   interval_ms=250)  # fmt: skip


# -- three laws on one bill ----------------------------------------------------------------------
DEMANDS = tuple(10.0**power for power in range(6, 13))
LAWS = {
    "pretraining": ("blue", "once: a larger model on more text"),
    "post-training": ("green", "once: training after that"),
    "plain answers": ("sky", "every time: reading and writing"),
    "test-time compute": ("orange", "every time: thought, attempts"),
    "checking": ("grey", "every time: who says what is right"),
}


@functools.cache
def laws_frame() -> pd.DataFrame:
    """The bill of Llama 3.1 70B over its requests: ``n_requests, part, usd, share``.

    A plain answer, 2,000 tokens of thought and four attempts, chosen by a vote; 5 % post-training.
    """
    bill = lifetime_bill(
        served_within_limits("llama-3.1-70b", input_tokens=500, output_tokens=500),
        training_tokens=15e12, n_requests=1e9, thinking_tokens=2000, n_attempts=4,
        post_training_frac=0.05,
        training_usd_per_flop=training_usd_per_flop(rent("h100-sxm", "reserved")),
    )  # fmt: skip
    return demand_frame(bill, DEMANDS)


def laws_picture() -> Picture:
    """Shares of one bill, from a million requests to a trillion."""
    frame = laws_frame()
    frames = []
    for demand in DEMANDS:
        rows = frame[frame["n_requests"] == demand].set_index("part")
        scene, y = Scene(), 250.0
        for part in PARTS[:-1]:
            height = 200 * float(rows.loc[part, "share"])
            y -= height
            scene.box(40, y, 120, height, LAWS[part][0], f"{part}: {rows.loc[part, 'share']:.1%}")
        scene.text(40, 272, f"${amount(float(rows['usd'].sum()))}", bold=True)
        scene.text(40, 30, f"{amount(demand)} requests", bold=True)
        for place, part in enumerate(PARTS[:-1]):
            y_px = 78 + 46 * place
            scene.box(220, y_px - 13, 14, 14, LAWS[part][0])
            scene.text(244, y_px, f"{part}, {LAWS[part][1]}", bold=True)
            scene.text(244, y_px + 18, f"{rows.loc[part, 'share']:.1%} of the bill")
        once = float(rows.loc[list(PARTS[:2]), "share"].sum())
        frames.append((scene.markup, f"At {amount(demand)} requests, what is paid once is "
                       f"{once:.0%} of ${amount(float(rows['usd'].sum()))}."))  # fmt: skip
    return Picture("laws", "Which of the three laws do you pay for?", tuple(frames), frame, 285,
                   still=3, step_name="Requests", interval_ms=900)  # fmt: skip
