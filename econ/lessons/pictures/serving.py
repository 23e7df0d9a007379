"""Pictures 1, 4, 5 and 6: a request, batches, a long prompt, two pools; from the simulator."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from econ.catalog.units import MILLI
from econ.lessons.l06_arranging import pools_for
from econ.lessons.pictures.scene import WIDTH_PX, Picture, Place, Scene
from econ.lessons.pictures.steps import Requests, Step, walk, walk_static
from econ.scenario import Scenario
from econ.serving import Replica, replica, simulate

LEFT, RIGHT = 125, WIDTH_PX - 20
COLOURS = ("blue", "orange", "green", "vermilion", "sky", "purple", "grey")


@functools.cache
def server() -> Replica:
    """The default scenario's replica, its scheduler reached at once."""
    replica_now = replica(Scenario.default())
    assert isinstance(replica_now, Replica)
    return replica_now.replace(lag_s=0.0, n_lag_steps=0.0)


def token_times(steps: Sequence[Step], request: Place) -> list[float]:
    """When each token of a request appeared."""
    return [s.end_s for s in steps if request in s.first or request in s.decoded]


# -- 1: one request on a time line ---------------------------------------------------------------
ONE = Requests([0.0, 0.0, 0.0, 0.15], [1137, 300, 300, 1500], [14, 25, 25, 5])


def request_frame() -> pd.DataFrame:
    """Each token of the first request: ``token``, ``time_s``, ``gap_s`` (from the one before)."""
    run = server().replace(token_budget=512)
    times = token_times(walk(ONE, run), 0)
    frame = pd.DataFrame({"token": range(1, len(times) + 1), "time_s": times})
    return frame.assign(gap_s=frame["time_s"].diff())


def request_picture() -> Picture:
    """TTFT, ITL and TPOT of one request."""
    frame = request_frame()
    first, last = frame["time_s"].iloc[0], frame["time_s"].iloc[-1]
    tpot_s = (last - first) / (len(frame) - 1)
    widest = int(frame["gap_s"].idxmax())
    scale = (RIGHT - LEFT) / last

    def x(time_s: float) -> float:
        return float(LEFT + scale * time_s)

    scene = Scene()
    scene.text(20, 64, "one request", bold=True)
    scene.line(LEFT, 60, RIGHT, 60)
    scene.box(LEFT, 45, x(first) - LEFT, 30, "sky", f"prompt read in {first / MILLI:.0f} ms")
    for row in frame.itertuples():
        scene.box(x(row.time_s) - 2, 42, 4, 36, "blue", f"token {row.token}: {row.time_s:.3f} s")
    scene.bracket(LEFT, x(first), 100, f"TTFT {first / MILLI:.0f} ms")
    begin, end = frame["time_s"].iloc[widest - 1], frame["time_s"].iloc[widest]
    scene.bracket(x(begin), x(end), 100, f"the longest ITL: {(end - begin) / MILLI:.0f} ms")
    scene.bracket(x(first), RIGHT, 145, f"TPOT = this span ÷ {len(frame) - 1} gaps = "
                  f"{tpot_s / MILLI:.1f} ms")  # fmt: skip
    scene.text(LEFT, 30, "sent")
    scene.text(RIGHT, 30, f"last token after {last:.2f} s", anchor="end")
    words = (
        f"The first of {len(frame)} tokens comes after {first / MILLI:.0f} ms (TTFT); the others "
        f"at a mean gap of {tpot_s / MILLI:.1f} ms (TPOT). One gap (ITL) is "
        f"{(end - begin) / MILLI:.0f} ms, since another user's prompt was read in it."
    )
    return Picture("request", "When do the tokens of one request come?",
                   ((scene.markup, words),), frame, 175)  # fmt: skip


# -- 4: continuous and static batches ------------------------------------------------------------
SEATS = 4
MANY = Requests([0.0] * 9, [200] * 9, [12, 3, 7, 4, 9, 3, 6, 11, 5])


@functools.cache
def batches_frame() -> pd.DataFrame:
    """Who sits where: ``batching``, ``step``, ``end_s``, ``seat``, ``request`` (-1: nobody),
    ``n_done`` (requests that have ended).
    """  # fmt: skip
    run = server().replace(max_batch=SEATS)
    rows = []
    for name, steps in (("continuous", walk(MANY, run)),
                        ("static", walk_static(MANY, run))):  # fmt: skip
        seats: list[int | None] = [None] * SEATS
        written = [0] * len(MANY.output_tokens)
        for number, step in enumerate(steps, 1):
            active = [*step.decoded, *(i for i, _ in step.read)]
            seats = [
                i if i is not None and written[i] < MANY.output_tokens[i] else None for i in seats
            ]
            for i in active:
                if i not in seats:
                    seats[seats.index(None)] = i
            for i in {*step.decoded, *step.first}:
                written[i] += 1
            done = sum(w >= n for w, n in zip(written, MANY.output_tokens, strict=True))
            rows += [[name, number, step.end_s, seat, -1 if i is None else i, done]
                     for seat, i in enumerate(seats)]  # fmt: skip
    return pd.DataFrame(rows, columns=["batching", "step", "end_s", "seat", "request", "n_done"])


def batches_picture() -> Picture:
    """The same requests in continuous and in static batches, step by step."""
    frame = batches_frame()
    n_steps = int(frame["step"].max())
    cell = (RIGHT - LEFT) / n_steps
    frames = []
    for now in range(1, n_steps + 1):
        scene, sentences = Scene(), []
        for top, (name, rows) in zip((30, 150), frame.groupby("batching", sort=False), strict=True):
            scene.text(20, top + 50, name, bold=True)
            for seat in range(SEATS):
                scene.line(LEFT, top + 22 * seat + 20, RIGHT, top + 22 * seat + 20)
            seen = rows[rows["step"] <= now]
            for row in seen[seen["request"] >= 0].itertuples():
                color = COLOURS[row.request % len(COLOURS)]
                x, y = LEFT + cell * (row.step - 1), top + 22 * row.seat
                scene.box(x, y, cell - 2, 18, color, f"request {row.request + 1}")
            last = seen.iloc[-1]
            busy = float((seen["request"] >= 0).mean())
            words = f"{last.n_done} of {len(MANY.output_tokens)} answers after {last.end_s:.2f} s"
            scene.text(LEFT, top - 8, f"{words}, seats busy {busy:.0%}")
            sentences.append(f"{name}: {words}, {busy:.0%} of the seats busy")
        frames.append((scene.markup, f"Step {now}. {'; '.join(sentences)}.".replace(". c", ". C")))
    return Picture("batches", "What happens to a seat when an answer ends?", tuple(frames), frame,
                   250)  # fmt: skip


# -- 5: a long prompt, whole and in chunks -------------------------------------------------------
CHUNK = 512
LONG = Requests([0.0] * 4 + [0.25], [100] * 4 + [8000], [60] * 4 + [8])
POLICIES = {"whole prompt": "prefill_first", "in chunks": "chunked_prefill"}


@functools.cache
def stall_frame() -> pd.DataFrame:
    """Every token of four users and of the long prompt's: ``way``, ``request``, ``time_s``."""
    rows = []
    for name, policy in POLICIES.items():
        steps = walk(LONG, server().replace(policy=policy, token_budget=CHUNK))
        rows += [
            [name, i, t] for i in range(len(LONG.output_tokens)) for t in token_times(steps, i)
        ]
    return pd.DataFrame(rows, columns=["way", "request", "time_s"])


def longest_gap_s(frame: pd.DataFrame, way: str) -> float:
    """The longest wait between two tokens of the users who were there before."""
    rows = frame[(frame["way"] == way) & (frame["request"] < len(LONG.output_tokens) - 1)]
    return float(rows.groupby("request")["time_s"].diff().max())


def stall_picture() -> Picture:
    """A prompt of 8,000 tokens stalls everybody; the same prompt in chunks does not."""
    frame = stall_frame()
    end_s, newcomer = float(frame["time_s"].max()), len(LONG.output_tokens) - 1
    scale = (RIGHT - LEFT) / end_s
    frames = []
    for now_s in np.linspace(end_s / 30, end_s, 30):
        scene, sentences = Scene(), []
        for top, way in zip((30, 175), POLICIES, strict=True):
            rows = frame[(frame["way"] == way) & (frame["time_s"] <= now_s)]
            gap_s = longest_gap_s(frame, way)
            scene.text(20, top + 50, way, bold=True)
            for row in rows.itertuples():
                y = top + 20 * row.request
                colour = "vermilion" if row.request == newcomer else "blue"
                scene.box(LEFT + scale * row.time_s - 1.5, y, 3, 14, colour)
            scene.text(LEFT, top - 8, f"longest wait between two tokens: {gap_s / MILLI:.0f} ms; "
                       f"{len(rows)} tokens so far")  # fmt: skip
            sentences.append(f"{way}: {len(rows)} tokens, longest wait {gap_s / MILLI:.0f} ms")
        at = LEFT + scale * LONG.arrival_s[newcomer]
        scene.line(at, 22, at, 280, dashed=True)
        scene.text(at + 5, 300, f"a prompt of {LONG.input_tokens[newcomer]:,} tokens arrives; "
                   "its answer in red")  # fmt: skip
        frames.append((scene.markup, f"After {now_s:.2f} s. {'; '.join(sentences)}."))
    return Picture("stall", "What does one user's long prompt do to all others?", tuple(frames),
                   frame, 310, interval_ms=150)  # fmt: skip


# -- 6: two pools --------------------------------------------------------------------------------
N_POOL = 8


@functools.cache
def pools_frame() -> pd.DataFrame:
    """Where each request is: ``arrival_s``, ``first_token_s`` (prefill ends), ``moved_s`` (its
    cache has arrived), ``done_s``; from the simulation of two pools.
    """  # fmt: skip
    pools = pools_for(Scenario.default(), 1, 1)
    arrival_s = np.arange(N_POOL) * 0.12
    prompt, output = np.tile([1000, 4000], N_POOL // 2), np.tile([40, 20], N_POOL // 2)
    times = simulate(arrival_s, prompt, output, pools)
    moved_s = times.first_token_s + prompt * pools.kv_transfer_s_per_token
    return pd.DataFrame({"request": range(1, N_POOL + 1), "input_tokens": prompt,
                         "arrival_s": arrival_s, "first_token_s": times.first_token_s,
                         "moved_s": moved_s, "done_s": times.done_s})  # fmt: skip


def hall_of(row: pd.Series, now_s: float) -> str:
    """Where a request is at a time."""
    edges = [row["arrival_s"], row["first_token_s"], row["moved_s"], row["done_s"]]
    names = ("not yet sent", "prefill hall", "in transit", "decode hall", "done")
    return names[sum(bool(now_s >= edge) for edge in edges)]


def pools_picture() -> Picture:
    """Two halls, and the cache that is carried between them."""
    frame = pools_frame()
    places = {"prefill hall": (30, 250), "in transit": (300, 120), "decode hall": (440, 250)}
    moved = sorted(frame["moved_s"] - 0.5 * (frame["moved_s"] - frame["first_token_s"]))
    steady = np.linspace(0, float(frame["done_s"].max()), 30)
    frames = []
    for now_s in sorted([*steady, *moved]):
        where = frame.apply(hall_of, axis=1, now_s=now_s)
        scene, sentences = Scene(), []
        for name, (x, width) in places.items():
            requests = frame[where == name]
            scene.text(x, 30, f"{name}: {len(requests)}", bold=True)
            scene.box(x, 42, width, 150, "grey", outline=True)
            for place, row in enumerate(requests.itertuples()):
                size = 14 + 26 * row.input_tokens / frame["input_tokens"].max()
                x0, y0 = x + 10 + 48 * (place % max(width // 50, 1)), 55 + 48 * (place // 5)
                color = COLOURS[row.Index % len(COLOURS)]
                words = f"request {row.request}: {row.input_tokens:,} tokens of cache"
                scene.box(x0, y0, size, size, color, words)
            sentences.append(
                f"{len(requests)} {'in transit' if name == 'in transit' else 'in the ' + name}"
            )
        n_done = int((where == "done").sum())
        scene.text(30, 215, f"{now_s:.2f} s; {n_done} of {len(frame)} answers complete; a square "
                   "is a request, its size the length of its prompt")  # fmt: skip
        frames.append(
            (scene.markup, f"After {now_s:.2f} s: {', '.join(sentences)}; {n_done} done.")
        )
    busiest = max(range(len(frames)), key=lambda i: frames[i][0].count("<rect"))
    return Picture("pools", "Where is a request, if prefill and decode have halls of their own?",
                   tuple(frames), frame, 230, still=busiest, interval_ms=300)  # fmt: skip
