"""Questions of lesson 01: what is a token, and why do bills differ?"""

from __future__ import annotations

import math

from econ.lessons.question import Inputs, Wrong, question
from econ.tokens.count import compression_frame


@question(
    "01-language",
    "One short paragraph stands in 31 languages. With a tokenizer of 2023, how many **times** as "
    "many tokens as English does the *worst* language take?",
    unit="times the tokens of English",
    slider=(1, 20),
    limits=(1, math.inf),
    tolerance_frac=0.2,
    wrong=[Wrong((1, 2), "Languages in Latin letters lie there. A tokenizer that has seen little "
                 "of a script spells it out, byte by byte.", "tokens-compare")],
    because="A bill for the same words differs by that factor, at the same price per token.",
)  # fmt: skip
def _worst_language(q: Inputs) -> float:
    frame = compression_frame()
    old = frame[(frame["group"] == "language") & (frame["tokenizer"] == "mistral-v1")]
    return float(old["relative"].max())
