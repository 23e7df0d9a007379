"""Questions of lesson 01: what is a token, and why do bills differ?"""

from __future__ import annotations

import functools
import math

from econ.catalog import price, table
from econ.lessons.l01_tokens import AGENT
from econ.lessons.question import Inputs, Wrong, question
from econ.tokens.bill import agent_loop_tokens, conversation_tokens, token_bill
from econ.tokens.count import compression_frame, count_tokens, image_tokens


def _worst_language(q: Inputs) -> float:
    frame = compression_frame()
    old = frame[(frame["group"] == "language") & (frame["tokenizer"] == "mistral-v1")]
    return float(old["relative"].max())


question(
    "01-language",
    "One short paragraph is written in 31 languages. With a tokenizer of 2023, how many "
    "**times** as many tokens as English does the *worst* language take?",
    unit="times the tokens of English",
    slider=(1, 20),
    limits=(1, math.inf),
    tolerance_frac=0.2,
    wrong=[Wrong((1, 2), "Languages in Latin letters lie there. A tokenizer that has seen little "
                 "of a script spells it out, byte by byte.", "tokens-compare")],
    because="A bill for the same words differs by that factor, at the same price per token.",
    truth=_worst_language,
)  # fmt: skip


question(
    "01-true",
    "Which of these four sentences is **true**?",
    options={
        "cheapest": "The model with the cheapest token makes the cheapest task.",
        "hidden": "Reasoning tokens that nobody sees cost nothing.",
        "twice": "A cached token costs as much as a fresh one, or is billed twice.",
        "effort": "The same model at the same price per token can cost twice as much per task.",
    },
    wrong=[
        Wrong("cheapest", "A model may need several times the tokens for the same task, or fail at "
              "it. Count what a solved task costs.", "cheapest-token-task"),
        Wrong("hidden", "Hidden reasoning is billed as output, the dearest kind of token, and it "
              "is often most of the answer.", "reasoning-free"),
        Wrong("twice", lambda q: "A cached token is billed once, at its own rate: "
              f"{_cached_share():.0%} of the fresh one's in the list of `gpt-5.6-terra`.",
              "cached-full-rate"),
    ],
    because="Effort, length and retries change the number of tokens, not their price.",
    truth=lambda q: "effort",
)  # fmt: skip


def _cached_share() -> float:
    terra = price("gpt-5.6-terra", "OpenAI")
    assert terra.cached_input_usd_per_mtok is not None
    return terra.cached_input_usd_per_mtok / terra.input_usd_per_mtok


def _paragraph(code: str) -> str:
    return str(table("parallel_text").loc[code, "text"])


@functools.cache
def _tokens(code: str) -> int:
    return int(count_tokens(_paragraph(code), "tekken"))


question(
    "01-1",
    'How many **characters per token** does Tekken reach on the paragraph '
    '`table("parallel_text").loc["{code}", "text"]`?',
    unit="characters per token",
    inputs={"code": ("ka", "hi", "el")},
    wrong=[
        Wrong(lambda q: len(_paragraph(q.code).encode()) / _tokens(q.code), "Those are bytes per "
              "token. A letter of this script takes more than one byte."),
        Wrong(lambda q: len(_paragraph(q.code).split()) / _tokens(q.code), "Those are words per "
              "token. Count characters."),
    ],
    hints=("What does `len` count in a text, and what does `count_tokens`?",
           "Characters of the text ÷ its tokens."),
    work=lambda q: f"The paragraph in `{q.code}` has {len(_paragraph(q.code))} characters and "
    f"{_tokens(q.code)} tokens: {len(_paragraph(q.code)) / _tokens(q.code):.2f} per token.",
    truth=lambda q: len(_paragraph(q.code)) / _tokens(q.code),
)  # fmt: skip


TILE_PX, TILE_TOKENS, BASE_TOKENS = 512, 170, 85


def _unscaled(q: Inputs) -> float:
    width_px, height_px = q.size
    n_tiles = math.ceil(width_px / TILE_PX) * math.ceil(height_px / TILE_PX)
    return float(n_tiles * TILE_TOKENS + BASE_TOKENS)


def _picture(q: Inputs) -> int:
    width_px, height_px = q.size
    return image_tokens(width_px, height_px, "openai-tile")


question(
    "01-2",
    "How many **tokens** is a screenshot of {size[0]} × {size[1]} px by the rule `openai-tile`?",
    unit="tokens",
    inputs={"size": ((1920, 1080), (1280, 960), (3000, 2000))},
    tolerance_frac=1e-9,
    wrong=[
        Wrong(_unscaled, "That cuts the picture as it is. The rule first scales it, until the "
              "short side is 768 px."),
        Wrong(lambda q: _picture(q) - BASE_TOKENS, "Those are the tiles "
              "alone. Each picture also costs a fixed number of tokens."),
        Wrong(BASE_TOKENS, "That is the price of low detail. High detail adds the tiles."),
    ],
    hints=("In which order does the rule scale, cut and count?",
           "Fit into 2,048 px, scale the short side to 768 px, count tiles of 512 px, 170 tokens "
           "each, and add 85."),
    work=lambda q: f"{q.size[0]} × {q.size[1]} px: after scaling, "
    f"{(_picture(q) - BASE_TOKENS) // TILE_TOKENS} tiles × 170 + 85 = "
    f"{_picture(q):,} tokens.",
    truth=lambda q: float(_picture(q)),
)  # fmt: skip


SYSTEM, USER, MODEL = 500, 60, 250  # tokens of the chat in the exercise


def _chat_tokens(turns: int) -> float:
    rows = conversation_tokens(turns, user_tokens=USER, assistant_tokens=MODEL,
                               system_tokens=SYSTEM)  # fmt: skip
    return float(rows["input_tokens"].sum())


question(
    "01-3",
    "A conversation has **{turns}** turns. It starts with 500 tokens of instructions; in each turn "
    "the user writes 60 tokens and the model 250. How many **input tokens** does the client send "
    "in all?",
    unit="tokens",
    inputs={"turns": (30, 20, 40)},
    tolerance_frac=0.002,
    wrong=[
        Wrong(lambda q: q.turns * (SYSTEM + USER), "That counts the new words of each turn. Each "
              "request also sends the whole history again, so the sum grows with the square of "
              "the turns.", "chat-linear"),
        Wrong(lambda q: SYSTEM + q.turns * USER, "That is what the user typed. Each request sends "
              "instructions and history again.", "chat-linear"),
        Wrong(lambda q: _chat_tokens(q.turns) + MODEL * q.turns, "That also counts the answer of "
              "the same turn. It is output; it becomes input one turn later."),
    ],
    hints=("What does the client send in turn 2 that it has sent before?",
           "turns × 500 + 60 × turns × (turns + 1) / 2 + 250 × turns × (turns − 1) / 2."),
    work=lambda q: f"With {q.turns} turns: {q.turns} × 500 + 60 × {q.turns} × {q.turns + 1} / 2 + "
    f"250 × {q.turns} × {q.turns - 1} / 2 = {_chat_tokens(q.turns):,.0f} tokens.",
    truth=lambda q: _chat_tokens(q.turns),
)  # fmt: skip


FRESH_USD, READ_USD = 3.0, 0.3


question(
    "01-4",
    "A list asks 3.00 USD per million fresh input tokens, **{write_usd:.2f} USD** for writing them "
    "to a cache and 0.30 USD for reading them from it. From which **share** of cache hits on does "
    "it pay to write the cache?",
    unit="share",
    inputs={"write_usd": (3.75, 6.0, 4.5)},
    limits=(0, math.inf),
    wrong=[
        Wrong(lambda q: q.write_usd / FRESH_USD - 1, "That is the surcharge for writing. A hit "
              "saves more than that: it also needs no writing."),
        Wrong(lambda q: (q.write_usd - FRESH_USD) / (FRESH_USD - READ_USD), "That compares the "
              "surcharge with the saving of a hit, but a hit replaces a *write*: the saving is "
              "{write_usd:.2f} − 0.30."),
        Wrong(READ_USD / FRESH_USD, "That is the price of a hit over the price of a fresh token. "
              "Writing has to come into it."),
    ],
    hints=("Write down what a token costs on average with the cache, and without it.",
           "h · read + (1 − h) · write = fresh; solve for h."),
    work=lambda q: f"At {q.write_usd:.2f} USD a write: h = ({q.write_usd:.2f} − 3.00) / "
    f"({q.write_usd:.2f} − 0.30) = {(q.write_usd - FRESH_USD) / (q.write_usd - READ_USD):.3f}.",
    truth=lambda q: float((q.write_usd - FRESH_USD) / (q.write_usd - READ_USD)),
)  # fmt: skip


@functools.cache
def _agent_usd_per_mtok(steps: int) -> float:
    rows = agent_loop_tokens(steps, **AGENT)
    read, written = (float(rows[f"{kind}_tokens"].sum()) for kind in ("input", "output"))
    bill = token_bill(price("gpt-5.6-terra", "OpenAI"), input_tokens=read / steps,
                      output_tokens=written / steps, n_requests=steps)  # fmt: skip
    return float(bill.blended_usd_per_mtok)


question(
    "01-5",
    "Switch off the cache of the lesson's agent and let it take **{steps}** steps. What is its "
    "**blended price** in USD per million tokens, input and output together, at the list prices of "
    "`gpt-5.6-terra` (2 USD in, 12 USD out)?",
    unit="USD per million tokens",
    inputs={"steps": (40, 20, 10)},
    wrong=[
        Wrong((3 * 2 + 12) / 4, "That is the usual blend of three parts input to one part output. "
              "This agent reads far more for each token that it writes.", "blend-three-to-one"),
        Wrong((2 + 12) / 2, "That is the mean of the two prices. Weigh them by the tokens."),
        Wrong(12, "That is the price of output. Most of the agent's tokens are input."),
    ],
    hints=("How many tokens does the agent read for each one that it writes?",
           "All USD ÷ all tokens, both ways; `agent_loop_tokens` has the tokens of each step."),
    work=lambda q: f"In {q.steps} steps the blend is {_agent_usd_per_mtok(q.steps):.2f} USD per "
    "million: close to the price of input, since input is nearly all of it.",
    truth=lambda q: _agent_usd_per_mtok(q.steps),
)  # fmt: skip
