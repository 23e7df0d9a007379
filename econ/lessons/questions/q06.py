"""Questions of lesson 06: how should the work be arranged?"""

from __future__ import annotations

import functools
import math

from econ.lessons.l05_goodput.load import N
from econ.lessons.l06_arranging import answer_steps, continuous_steps, splits_frame, static_steps
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario
from econ.serving import max_rate_per_s, slo_preset


@functools.cache
def _split_rates() -> tuple[float, float]:
    """Good requests/s of two narrow replicas, and of one wide one."""
    rates = splits_frame(Scenario.default(), [2, 4])["max_rate_per_s"]
    return float(rates.iloc[0]), float(rates.iloc[1])


def _more_within_slo(q: Inputs) -> str:
    two, one = _split_rates()
    return "two" if two > one else "one"


question(
    "06-split",
    "The four accelerators can run as **one** replica that splits every layer by four, or as "
    "**two** replicas that split it by two. Which serves more requests within the SLO?",
    options={
        "one": "One of four: it writes each token faster.",
        "two": "Two of two: each exchanges less and reads its weights for its own users.",
        "same": "Both the same: the accelerators are the same.",
    },
    wrong=[
        Wrong("one", lambda q: "A user who is alone gets faster tokens from it. But a step's links "
              "and launches do not shrink with the split, so it serves "
              f"{_split_rates()[1]:.1f} requests/s, and the two serve {_split_rates()[0]:.1f}."),
        Wrong("same", "Four slices of a layer exchange their results in every layer. Two slices "
              "exchange less, and what is not exchanged is time for tokens."),
    ],
    because="What is exchanged between accelerators is time without tokens. Two narrow replicas "
    "exchange less.",
    truth=_more_within_slo,
)  # fmt: skip


question(
    "06-true",
    "Which of these three sentences is **true**?",
    options={
        "pools": "Separate pools for prefill and decode always serve more requests.",
        "decode": "Throughput per GPU may be stated per decode GPU.",
        "load": "Whether separate pools pay depends on the SLO and the lengths.",
    },
    wrong=[
        Wrong("pools", "Each pool idles while the other is the bottleneck, and the cache has to "
              "travel. With the SLO of this lesson the mixed server serves as many or more.",
              "pools-always-win"),
        Wrong("decode", "The GPUs that read the prompts are paid too. Leaving them out overstates "
              "throughput up to sixteenfold.", "per-pool-counts"),
    ],
    because="Count every GPU, and compare at the same limits.",
    truth=lambda q: "load",
)  # fmt: skip


question(
    "06-1",
    "Put the life of a request in order.",
    items={
        "cache": "Its KV cache is freed, and another request gets its place.",
        "first": "Its first token appears.",
        "prompt": "Its prompt is read.",
        "tokens": "Each step of the batch gives it one token.",
        "wait": "It waits for a place in the batch.",
    },
    wrong=[
        Wrong(("prompt", "wait", "first", "tokens", "cache"), "A prompt is read only once the "
              "request has a place: its cache needs room."),
        Wrong(("wait", "first", "prompt", "tokens", "cache"), "The first token comes out of the "
              "prefill. Nothing is written before the prompt is read."),
    ],
    hints=("What does a request need before its prompt can be read?",
           "Waiting, prefill, first token (here TTFT ends), decode, end."),
    twin="The life of a guest in a restaurant: wait for a table, read the menu, get the first "
    "course, get the others one by one, leave the table to the next.",
    truth=lambda q: ("wait", "prompt", "first", "tokens", "cache"),
)  # fmt: skip


SPLIT = (3, 1)  # replicas that prefill, and that decode


question(
    "06-2",
    "A vendor reports **{tokens:,}** output tokens/s per *decode* GPU. For each replica that "
    "decodes, three of the same size prefill. How many output **tokens/s** is that per GPU?",
    unit="tokens/s",
    inputs={"tokens": (1638, 2400, 1200)},
    wrong=[
        Wrong(lambda q: q.tokens, "That leaves out the GPUs that read the prompts. They are paid "
              "too.", "per-pool-counts"),
        Wrong(lambda q: q.tokens / 3, "For each GPU that decodes there are three others, so four "
              "in all."),
        Wrong(lambda q: q.tokens * 3 / 4, "Three of four GPUs prefill. The tokens come from the "
              "fourth, and all four share them."),
        Wrong(lambda q: q.tokens * 4, "More GPUs share the same tokens, so the figure falls."),
    ],
    hints=("How many GPUs in all stand behind one that decodes?", "Divide by 1 + 3."),
    work=lambda q: f"{q.tokens:,} ÷ (1 + 3) = {q.tokens / 4:,.0f} tokens/s.",
    truth=lambda q: float(q.tokens * SPLIT[1] / sum(SPLIT)),
)  # fmt: skip


@functools.cache
def _rate(policy: str) -> float:
    case = Scenario.default().with_(slo=slo_preset("reasoning"), policy=policy)
    return float(max_rate_per_s(case, n=N))


question(
    "06-3",
    'Let the server read whole prompts first (`scenario.with_(policy="prefill_first")`). Up to how '
    "many **requests/s** does it meet the SLO `reasoning`? Use `n=10_000`.",
    unit="requests/s",
    tolerance_frac=0.02,
    wrong=[Wrong(lambda q: _rate("chunked_prefill"), "That is the server as it was, which reads "
                 "prompts in chunks. Set the policy.")],
    hints=("Which two settings of the scenario change?",
           'serving.max_rate_per_s(scenario.with_(slo=serving.slo_preset("reasoning"), '
           'policy="prefill_first"), n=10_000)'),
    twin="As the lesson's table did for its own policy: give `max_rate_per_s` one scenario with "
    "everything set. With the default SLO and policy, "
    "`serving.max_rate_per_s(scenario, n=10_000)` gave the knee above.",
    truth=lambda q: _rate("prefill_first"),
)  # fmt: skip


question(
    "06-4",
    "Write continuous batching in ten lines. `lesson.answer_steps()` holds the lengths of 60 "
    "answers, in steps. A server has **{seats}** seats; when an answer ends, the next one takes "
    "its seat. After how many **steps** is the last answer complete?",
    unit="steps",
    inputs={"seats": (8, 6, 10)},
    whole=True,
    tolerance_frac=0.001,
    wrong=[
        Wrong(lambda q: static_steps(answer_steps(), q.seats), "That is static batching: a seat "
              "waits until the longest answer of its batch is complete."),
        Wrong(lambda q: math.ceil(sum(answer_steps()) / q.seats), "That is as if no seat were "
              "empty at the end. The last answers leave seats for which there is no next one."),
        Wrong(lambda q: sum(answer_steps()), "That is one after another. {seats} answers are "
              "written at a time."),
    ],
    hints=("Which seat is free first, and from which step on?",
           "Keep the step at which each seat is free. Each answer goes to the smallest of them "
           "and adds its length there; the largest in the end is the answer."),
    work=lambda q: f"With {q.seats} seats: the largest of the {q.seats} sums is "
    f"{continuous_steps(answer_steps(), q.seats):,} steps; static batches would take "
    f"{static_steps(answer_steps(), q.seats):,}.",
    truth=lambda q: float(continuous_steps(answer_steps(), q.seats)),
)  # fmt: skip
