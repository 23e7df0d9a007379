"""What every adapter does: read the questions, answer each under each setting, write the answers.

An adapter runs in its peer's own environment, so this file uses the standard library alone. It gets
rows, models and accelerators as JSON on its standard input and answers ``{"settings": {name:
words}, "answers": {name: [answer, …]}}`` behind a mark on its standard output. An answer is seconds
and tokens per second, or ``{"error": why}``: a question that a peer cannot answer is counted.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Callable

MARK = "\x1e"
Answer = dict[str, float]


def serve(settings: dict[str, str], answer: Callable[[dict, dict, dict, str], Answer]) -> None:
    """Answer all questions; ``answer(row, model, accelerator, setting)`` may raise."""
    asked = json.load(sys.stdin)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115  peers print as they go
    answers: dict[str, list[dict]] = {name: [] for name in settings}
    for row in asked["rows"]:
        model, chip = asked["models"][row["model"]], asked["accelerators"][row["accelerator"]]
        for name in settings:
            answers[name].append(_one(answer, row, model, chip, name))
    out.write(MARK + json.dumps({"settings": settings, "answers": answers}))


def _one(answer: Callable, row: dict, model: dict, chip: dict, setting: str) -> dict:
    """One answer; what is not a positive number is an error, as is whatever the peer raises."""
    try:
        found = {name: float(value) for name, value in answer(row, model, chip, setting).items()}
    except (Exception, SystemExit) as error:  # a peer may fail in any way: the way is reported
        return {"error": f"{type(error).__name__}: {error}"[:160]}
    bad = {n: v for n, v in found.items() if not (math.isfinite(v) and v > 0)}
    return {"error": f"not a positive number: {bad}"} if bad else found


def by_little(row: dict, ttft_s: float, tpot_s: float) -> Answer:
    """With the throughput that the other two mean when the row's users are always served."""
    answer_s = ttft_s + (row["output_tokens"] - 1) * tpot_s
    rate = row["concurrency"] * row["output_tokens"] / answer_s / row["n_gpu"]
    return {"ttft_s": ttft_s, "tpot_s": tpot_s, "output_tokens_per_s_per_gpu": rate}


def replica_users(row: dict) -> float:
    """Users of one of the row's data-parallel copies."""
    return row["concurrency"] / row["dp"]
