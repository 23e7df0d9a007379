"""One batch on this computer: its prompts are read, its answers written, every gap is timed.

>>> one = run(batch=2, prompt_tokens=8, output_tokens=4, model=tiny_model(2e6))
>>> len(one.itl_s), one.output_tokens_per_s > 0
(3, True)
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.machine.gguf import LONGEST_TOKENS, run_gguf
from econ.machine.host import EnergyCounter
from econ.machine.result import Run, timed_run
from econ.machine.transformer import TinyModel, tiny_model

DEFAULT_PARAMS = 64e6  # 256 MB in float32
MOST_BATCH = 4096


def run(
    batch: int = 1,
    prompt_tokens: int = 32,
    output_tokens: int = 16,
    *,
    model: TinyModel | None = None,
    engine: str = "numpy",
    gguf: str | Path = "",
) -> Run:
    """Serve a batch of equal requests that start together.

    Parameters
    ----------
    batch : int
        Requests, e.g. 8.
    prompt_tokens, output_tokens : int
        Tokens of each, e.g. 32 and 16; two or more are written, so that there is a gap.
    model : TinyModel, optional
        From `tiny_model`; by default one of 64 million parameters on ``engine``.
    engine : str
        Of that default: ``"numpy"``, or ``"torch"`` where it is installed; ``"llama.cpp"`` for a
        model file of your own.
    gguf : str or Path
        That file; its batch is 1.

    Returns
    -------
    Run
        TTFT (all prompts are read in one step), TPOT, every gap (ITL), tokens per second, joules.

    Raises
    ------
    MemoryError
        Where the caches exceed the memory that is free.
    ValueError
        For a number outside its range.

    Examples
    --------
    >>> run(1, 4, 2, model=tiny_model(1e6)).batch
    1
    """
    count("batch", batch, 1, MOST_BATCH)
    count("prompt_tokens", prompt_tokens, 1, LONGEST_TOKENS)
    count("output_tokens", output_tokens, 2, LONGEST_TOKENS)
    if engine == "llama.cpp":
        count("batch", batch, 1, 1)
        return run_gguf(gguf, prompt_tokens, output_tokens)
    net = tiny_model(DEFAULT_PARAMS, engine=engine) if model is None else model
    cache = net.cache(batch, prompt_tokens + output_tokens)
    prompts = np.random.default_rng(batch).integers(0, net.shape.vocab_size, (batch, prompt_tokens))
    counter = EnergyCounter()
    moments_s = [time.perf_counter()]
    tokens = net.step(cache, list(enumerate(prompts.tolist())))
    moments_s.append(time.perf_counter())
    for _ in range(output_tokens - 1):
        tokens = net.step(cache, [(slot, [token]) for slot, token in enumerate(tokens)])
        moments_s.append(time.perf_counter())
    return timed_run(
        moments_s,
        counter.j,
        model=net.shape.id,
        engine=net.backend.name,
        precision=net.backend.precision,
        batch=batch,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
    )


def runs_frame(
    batches: Iterable[int] = (1, 2, 4, 8, 16, 32),
    prompt_tokens: int = 32,
    output_tokens: int = 16,
    *,
    model: TinyModel | None = None,
) -> pd.DataFrame:
    """`run` at several batch sizes, a row each; parameters as there."""
    net = tiny_model(DEFAULT_PARAMS) if model is None else model
    runs = [run(batch, prompt_tokens, output_tokens, model=net) for batch in batches]
    return pd.DataFrame([one.row() for one in runs])
