"""A picture of agents: their sessions against the memory that holds their prompts."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from econ.lessons.pictures.scene import WIDTH_PX, Picture, Scene
from econ.serving import Fleet, Replica, StepCost, serve_sessions
from econ.tokens import Sessions, session_load

LEFT, RIGHT = 90, WIDTH_PX - 20
N_SESSIONS, N_FRAMES = 6, 40
KV_TOKENS = 160_000
COST = StepCost.affine(0.012, 4e-5, per_ctx_token_s=2e-8, prefill_per_pair_s=6e-12)


@functools.cache
def some_sessions() -> Sessions:
    """Six short sessions of the agent that works alone, a few seconds apart."""
    load = session_load("task-agent").replace(
        context_limit_tokens=60_000, compact_to_tokens=4000, failed_frac=0.0
    )
    return load.draw(N_SESSIONS, rate_per_s=0.05, seed=5)


@functools.cache
def sessions_frame() -> pd.DataFrame:
    """Moments of the simulation: ``time_s``, ``session``, ``context_tokens`` (of its last answer),
    ``held_tokens`` (of these, in memory), ``hit_frac`` (of all prompts so far).
    """  # fmt: skip
    sessions = some_sessions()
    fleet = Fleet(replica=Replica(cost=COST, kv_tokens=KV_TOKENS, max_batch=8))
    end_s = float(np.nanquantile(serve_sessions(sessions, fleet).done_s, 0.9))
    rows = []
    for time_s in np.linspace(end_s / N_FRAMES, end_s, N_FRAMES):
        times = serve_sessions(sessions, fleet, "python", until_s=time_s)
        for k in range(N_SESSIONS):
            is_turn = (sessions.session == k) & times.done
            context = in_memory = 0
            if is_turn.any():
                last = int(np.flatnonzero(is_turn)[-1])
                branch, system = int(sessions.branch[last]), int(times.held_tokens[0])
                context = int(sessions.input_tokens[last] + sessions.output_tokens[last])
                in_memory = min(int(times.held_tokens[branch]) + system, context)
            rows.append((time_s, k + 1, context, in_memory, times.hit_frac))
    columns = ["time_s", "session", "context_tokens", "held_tokens", "hit_frac"]
    return pd.DataFrame(rows, columns=columns)


def sessions_picture() -> Picture:
    """Each session's context grows; what of it is still in memory when it asks again."""
    frame = sessions_frame()
    scale = (RIGHT - LEFT) / float(frame["context_tokens"].max())
    frames = []
    for time_s, rows in frame.groupby("time_s"):
        scene = Scene()
        for row in rows.itertuples():
            top = 40 + 30 * (row.session - 1)
            scene.text(20, top + 15, f"session {row.session}")
            words = f"{row.held_tokens:,} of {row.context_tokens:,} tokens in memory"
            scene.box(LEFT, top, scale * row.context_tokens, 20, "vermilion", words, outline=True)
            scene.box(LEFT, top, scale * row.held_tokens, 20, "blue", words)
        in_memory, total = rows["held_tokens"].sum(), rows["context_tokens"].sum()
        hit = rows["hit_frac"].iloc[0]
        scene.text(LEFT, 26, f"after {time_s:.0f} s; blue: in memory (left: the instructions "
                   "of all), red outline: evicted")  # fmt: skip
        sentence = (
            f"{in_memory:,} of {total:,} tokens are in memory; "
            f"{hit:.0%} of reads so far found theirs"
        )
        scene.text(LEFT, 240, sentence)
        frames.append((scene.markup, f"After {time_s:.0f} s: {sentence}."))
    return Picture("sessions", "What of a session is still in memory when it asks again?",
                   tuple(frames), frame, 255, step_name="Moment", interval_ms=250)  # fmt: skip
