"""Questions of lesson 13: what does a finished task cost?"""

from __future__ import annotations

import functools

from econ.lessons.l13_agents import cost_at, loop_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.plan import typical_bill
from econ.tco import cost_usd_per_accepted_task


@functools.cache
def _shares() -> dict[str, float]:
    return dict(typical_bill("coding-agent", "claude-opus-4-8").shares())


def _largest_part(q: Inputs) -> str:
    return {"cached input": "cached", "new input": "new", "output": "output"}[
        max(_shares(), key=lambda part: _shares()[part])
    ]


question(
    "13-share",
    "A coding agent's calls are billed by a seller that takes a tenth of the price for cached "
    "input. Which part of the bill is the **largest**?",
    options={
        "output": "What the model writes",
        "new": "New input, with what has expired from the cache",
        "cached": "Cached input",
    },
    wrong=[
        Wrong("output", lambda q: "An agent reads hundreds of tokens for each one that it writes. "
              f"Output is {_shares()['output']:.0%} of the bill.", "agent-is-output"),
        Wrong("new", lambda q: f"New input is {_shares()['new input']:.0%}. Cached input costs a "
              "tenth, but there are tens of times as many tokens of it.", "cached-is-free"),
    ],
    because="Every call sends the whole history again, and a tenth of a price times all of it is "
    "the largest part.",
    truth=_largest_part,
)  # fmt: skip


@functools.cache
def _hit_percent(n_sessions_per_h: float) -> float:
    return 100 * float(cost_at(n_sessions_per_h).hit_frac)


question(
    "13-hit",
    "At 18 sessions an hour nearly all of each prompt is found in the eight accelerators' memory. "
    "At **72** sessions an hour the sessions are the same and there are four times as many. Which "
    "**share** of the prompts, in %, is found there now?",
    unit="%",
    slider=(0, 100),
    limits=(0, 100),
    tolerance_frac=0.25,
    wrong=[Wrong((75, 100), "That is the share in these sessions if nothing is ever forgotten. It "
                 "is a property of the sessions and of the memory together, not of the engine: "
                 "the memory is full, so each session finds its prompt evicted by the others.",
                 "hits-are-the-engines")],
    because="Once the contexts of the sessions at work exceed the memory, a prompt is evicted "
    "before it is used again.",
    truth=lambda q: _hit_percent(72.0),
)  # fmt: skip


def _tier_gain(q: Inputs) -> float:
    bare, tiered = cost_at(18.0), cost_at(18.0, ("host",))
    return 100 * float(1 - tiered.mean_turn_s / bare.mean_turn_s)


question(
    "13-tier",
    "The eight accelerators get host memory as a second tier of the cache. At **18** sessions an "
    "hour, by how many % does the mean turn get faster?",
    unit="%",
    slider=(0, 60),
    limits=(0, 100),
    tolerance_frac=0.5,
    wrong=[Wrong((8, 100), "At this load the accelerators' own memory holds nearly all that is "
                 "asked again, so a tier below it has nearly nothing to add. It pays where the "
                 "memory is short.", "bigger-cache-pays")],
    because="A larger cache is worth what it finds that the smaller one had lost.",
    truth=_tier_gain,
)  # fmt: skip


ATTEMPT_USD, SOLVED = 0.30, 0.5


question(
    "13-failed",
    "An attempt costs 0.30 USD whether it succeeds or not, half of the attempts succeed, and a "
    "person checks each for 2 USD. What does a **finished** task cost, in **USD**?",
    unit="USD",
    slider=(0.2, 10),
    tolerance_frac=0.1,
    wrong=[
        Wrong((0.25, 0.65), "That leaves out the person, who looks at every attempt and costs "
              "more than the tokens."),
        Wrong((1.8, 2.9), "That is one attempt with its check. Half of the attempts fail, cost as "
              "much and are checked as well.", "failed-runs-cheap"),
    ],
    because="Attempt and check together, divided by the share of attempts that succeed.",
    truth=lambda q: float(cost_usd_per_accepted_task(ATTEMPT_USD, SOLVED, 2.0)),
)  # fmt: skip


def _sent(q: Inputs) -> float:
    return float(loop_frame(q.steps, q.system)["input_tokens"].sum())


def _share(q: Inputs) -> float:
    return float(loop_frame(q.steps, q.system)["repeated_tokens"].sum()) / _sent(q)


question(
    "13-1",
    "An agent starts with **{system:,}** tokens of instructions and takes **{steps}** steps. Each "
    "step adds 1,500 tokens of a tool's result before the call, and 300 tokens of answer after "
    "it. How many input **tokens** are sent in all?",
    unit="tokens",
    inputs={"system": (8_000, 10_000, 6_000), "steps": (40, 30, 50)},
    tolerance_frac=0.002,
    wrong=[
        Wrong(lambda q: q.system + q.steps * 1500, "That counts every token once. Each call sends "
              "the whole history again."),
        Wrong(lambda q: q.steps * (q.system + 1500), "That forgets that the history grows: the "
              "last call sends all results and answers before it."),
        Wrong(lambda q: q.steps * (q.system + 1500) + 1500 * q.steps * (q.steps - 1) / 2, "The "
              "answers are part of the history too."),
        Wrong(lambda q: q.steps * (q.system + 1500) + 1800 * q.steps * (q.steps + 1) / 2,
              "That sends one turn of history too many each time: call k has k − 1 behind it."),
        Wrong(lambda q: q.steps * (q.system + 1500) + 1800 * q.steps**2 / 2,
              "The history of n calls is n(n − 1)/2 turns, not n²/2: the first call has none."),
    ],
    hints=("What does the second call send that the first did not?",
           "n·(system + new) + (new + answer)·n(n − 1)/2"),
    work=lambda q: f"{q.steps} × {q.system + 1500:,} + 1,800 × {q.steps} × {q.steps - 1} / 2 = "
    f"{_sent(q):,.0f} tokens.",
    truth=_sent,
)  # fmt: skip


question(
    "13-2",
    "The agent of exercise 13-1 takes **{steps}** steps behind **{system:,}** tokens of "
    "instructions. Its cache starts empty and forgets nothing. Which **share** of the input does "
    "that cache serve?",
    unit="share",
    inputs={"system": (8_000, 10_000, 6_000), "steps": (40, 30, 50)},
    limits=(0, 1),
    tolerance_frac=0.002,
    wrong=[
        Wrong(lambda q: 1 - q.steps * 1500 / _sent(q), "The instructions are not in the cache "
              "before the first call: it computes them."),
        Wrong(lambda q: 1 - (q.system + q.steps * 1800) / _sent(q), "The answers are in the cache "
              "already: the model made their keys and values when it wrote them."),
        Wrong(lambda q: 1 - _share(q), "That is the share that is computed. The cache serves the "
              "rest."),
    ],
    hints=("Which tokens does each call compute?",
           "1 − (system + n·new) / all input"),
    work=lambda q: f"{q.system:,} + {q.steps} × 1,500 tokens are computed, so the share is "
    f"{_share(q):.3f}.",
    truth=_share,
)  # fmt: skip


KV_BYTES, LINK = 100e3, 50e9


question(
    "13-3",
    "A prompt of **{tokens:,}** tokens was evicted to host memory. Each token takes 100 kB of "
    "cache, and the link carries 50 GB/s. Computing it anew takes 20 µs a token. How many times as "
    "long as **loading** does computing take?",
    unit="×",
    inputs={"tokens": (40_000, 60_000, 30_000)},
    tolerance_frac=0.01,
    wrong=[
        Wrong(lambda q: KV_BYTES / LINK / 20e-6, "That is the reciprocal: loading over computing."),
        Wrong(lambda q: 20e-6 * q.tokens, "That is the time to compute it, in seconds. Divide it "
              "by the time to load it."),
    ],
    hints=("How long does one token take each way?", "20 µs ÷ (100 kB ÷ 50 GB/s)"),
    work=lambda q: "A token loads in 100 kB ÷ 50 GB/s = 2 µs and is computed in 20 µs: 10 times, "
    f"for {q.tokens:,} tokens as for one.",
    truth=lambda q: 20e-6 / (KV_BYTES / LINK),
)  # fmt: skip


question(
    "13-4",
    "A fleet costs **{hour_usd} USD** an hour, and a seller asks **{session_usd} USD** for a "
    "session. From how many **sessions an hour** on is the fleet cheaper?",
    unit="sessions/h",
    inputs={"hour_usd": (39, 42, 36), "session_usd": (0.78, 0.7, 0.9)},
    tolerance_frac=0.01,
    wrong=[
        Wrong(lambda q: q.session_usd / q.hour_usd, "That is the reciprocal: hours per session."),
        Wrong(lambda q: q.hour_usd / q.session_usd / 8, "The fleet's hour is that of all eight "
              "accelerators already."),
    ],
    hints=("What do so many sessions cost at the seller?", "hour ÷ session"),
    work=lambda q: f"{q.hour_usd} ÷ {q.session_usd} = {q.hour_usd / q.session_usd:.1f} sessions an "
    "hour. Whether the fleet can serve so many in time is another question.",
    truth=lambda q: float(q.hour_usd / q.session_usd),
)  # fmt: skip
