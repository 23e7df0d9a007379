"""One batch on this computer: its prompts are read, its answers written, every gap is timed.

>>> one = run(batch=2, prompt_tokens=8, output_tokens=4, model=tiny_model(2e6))
>>> len(one.itl_s), one.output_tokens_per_s > 0
(3, True)
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.machine.host import EnergyCounter
from econ.machine.transformer import TinyModel, tiny_model
from econ.station import Result

DEFAULT_PARAMS = 64e6  # 256 MB in float32
MOST_BATCH = 4096
LONGEST_TOKENS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Run(Result):
    """What a batch took. ``energy_j`` is NaN where the system shows no counters."""

    model: str
    engine: str
    precision: str
    batch: int
    prompt_tokens: int
    output_tokens: int
    ttft_s: float
    tpot_s: float
    p50_itl_s: float
    p95_itl_s: float
    output_tokens_per_s: float
    energy_j: float
    itl_s: tuple[float, ...] = field(repr=False)

    @property
    def tokens_per_s_per_user(self) -> float:
        """Speed that one user sees after the first token."""
        return 1 / self.tpot_s

    @property
    def j_per_output_token(self) -> float:
        """Joules of the processor over all tokens written; NaN without counters."""
        return self.energy_j / (self.batch * self.output_tokens)


def timed_run(moments_s: Sequence[float], energy_j: float, **what: Any) -> Run:
    """A `Run` from the moments of its start and of every token; ``what`` are its other fields."""
    gaps_s = np.diff(moments_s)
    itl_s = gaps_s[1:]
    return Run(
        ttft_s=float(gaps_s[0]),
        tpot_s=float(itl_s.mean()),
        p50_itl_s=float(np.median(itl_s)),
        p95_itl_s=float(np.percentile(itl_s, 95)),
        output_tokens_per_s=what["batch"]
        * what["output_tokens"]
        / float(moments_s[-1] - moments_s[0]),
        energy_j=energy_j,
        itl_s=tuple(itl_s.tolist()),
        **what,
    )


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


def run_gguf(
    path: str | Path, prompt_tokens: int = 32, output_tokens: int = 16, *, on_gpu: bool = True
) -> Run:
    """One request through llama.cpp: its first token, every gap, tokens per second, joules.

    Parameters
    ----------
    path : str or Path
        A ``.gguf`` file on this computer.
    prompt_tokens, output_tokens : int
        E.g. 32 and 16.
    on_gpu : bool
        Whether its layers go to the accelerator for which the binding was built.

    Returns
    -------
    Run
        As `run` gives it, for a batch of one: the binding serves one user at a time.

    Raises
    ------
    ValueError
        Without the binding ``llama_cpp``, or a file that it does not read.
    """
    count("prompt_tokens", prompt_tokens, 1, LONGEST_TOKENS)
    count("output_tokens", output_tokens, 2, LONGEST_TOKENS)
    if importlib.util.find_spec("llama_cpp") is None:
        raise ValueError(
            "llama.cpp's binding (llama_cpp) is not installed here: run(...) measures a small "
            "model with NumPy instead"
        )
    if not Path(path).is_file():
        raise ValueError(f"no file {Path(path).name!r}: give a .gguf file on this computer")
    import llama_cpp

    net = llama_cpp.Llama(
        model_path=str(path), n_ctx=prompt_tokens + output_tokens, n_batch=512,
        n_gpu_layers=-1 if on_gpu else 0, verbose=False,
    )  # fmt: skip
    prompt = np.random.default_rng(0).integers(0, net.n_vocab(), prompt_tokens).tolist()
    counter, moments_s = EnergyCounter(), [time.perf_counter()]
    net.eval(prompt)
    token = net.sample(temp=0.0)
    moments_s.append(time.perf_counter())
    for _ in range(output_tokens - 1):
        net.eval([token])
        token = net.sample(temp=0.0)
        moments_s.append(time.perf_counter())
    return timed_run(
        moments_s, counter.j,
        model=Path(path).stem, engine="llama.cpp", precision="of the file",
        batch=1, prompt_tokens=prompt_tokens, output_tokens=output_tokens,
    )  # fmt: skip
