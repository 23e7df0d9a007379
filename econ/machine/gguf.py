"""A model file of your own through llama.cpp, where its Python binding is installed already.

Nothing is downloaded: the file is one that lies on this computer.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np

from econ.catalog.guard import count
from econ.machine.host import EnergyCounter
from econ.machine.result import Run, timed_run

LONGEST_TOKENS = 1_000_000


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
