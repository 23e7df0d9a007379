"""The same lab on an NVIDIA accelerator: bandwidth, products in 16 and 8 bits, and a decode step
with and without CUDA graphs.

Needs PyTorch with CUDA. A decode step of a dense model launches a few hundred kernels one by one;
a graph launches them at once, and the difference between the two is the host's share of the step.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pandas as pd

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.guard import count
from econ.catalog.units import GB, MILLI
from econ.latency.prediction import weight_bytes
from econ.machine.host import available_bytes

COPY_BYTES = 2**31
PRODUCT_SIZE = 8192
N_REPEATS = 10
N_WARM = 3


def cuda_frame(*, n_repeats: int = N_REPEATS) -> pd.DataFrame:
    """Bandwidth and products of the accelerator.

    Parameters
    ----------
    n_repeats : int
        Of each measurement, e.g. 10.

    Returns
    -------
    DataFrame
        probe (copy or product), precision, rate (bytes or FLOP per second, median), unit.

    Raises
    ------
    ValueError
        Without PyTorch, or without an NVIDIA accelerator.
    """
    torch = _torch()
    count("n_repeats", n_repeats, 1, 1000)
    source = torch.empty(COPY_BYTES, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copy_s = _median_s(lambda: target.copy_(source), n_repeats)
    rows = [("copy", "", 2 * COPY_BYTES / copy_s, "B/s")]  # read and written
    n = PRODUCT_SIZE
    x, y = (torch.randn(n, n, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    rows.append(("product", "bf16", 2 * n**3 / _median_s(lambda: x @ y, n_repeats), "FLOP/s"))
    if torch.cuda.get_device_capability() >= (8, 9):  # from here on they compute in fp8
        x8, y8 = x.to(torch.float8_e4m3fn), y.t().contiguous().to(torch.float8_e4m3fn).t()
        one = torch.ones((), device="cuda")

        def multiply() -> Any:
            return torch._scaled_mm(x8, y8, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)

        rows.append(("product", "fp8", 2 * n**3 / _median_s(multiply, n_repeats), "FLOP/s"))
    return pd.DataFrame(rows, columns=["probe", "precision", "rate", "unit"])


def graph_frame(
    model: Model | str = "llama-3.1-8b",
    *,
    batch: int = 1,
    context_tokens: int = 1024,
    n_repeats: int = N_REPEATS,
) -> pd.DataFrame:
    """A decode step of a stack of layers in bf16, its kernels launched one by one and as a graph.

    Parameters
    ----------
    model : Model or str
        A dense model whose shape is taken, e.g. ``"llama-3.1-8b"``; the weights are random.
    batch : int
        Sequences, e.g. 1 or 64.
    context_tokens : int
        That each of them holds, e.g. 1024.
    n_repeats : int
        Of each, e.g. 10.

    Returns
    -------
    DataFrame
        launch (one by one, graph), step_s, weight_bandwidth_bytes_per_s (weights over the step).

    Raises
    ------
    ValueError
        As in `cuda_frame`, and for a mixture of experts or latent attention.
    MemoryError
        Where the stack and its caches exceed the memory that is free on the accelerator.
    """
    torch = _torch()
    shape = catalog.model(model)
    if shape.is_moe or shape.is_mla:
        raise ValueError(f"model = {shape.id!r}: the stack is that of a dense model with GQA")
    count("batch", batch, 1, 4096)
    count("context_tokens", context_tokens, 1, 1_000_000)
    _check_room(shape, batch * context_tokens)
    make: Callable[..., Any] = lambda *size: torch.randn(  # noqa: E731
        *size, device="cuda", dtype=torch.bfloat16
    )
    width, head, n_kv = shape.hidden_size, shape.head_dim, shape.n_kv_heads
    n_q, ffn = shape.n_heads, shape.ffn_size
    layers = [
        (make((n_q + 2 * n_kv) * head, width), make(width, n_q * head), make(2 * ffn, width),
         make(width, ffn), make(batch, n_kv, context_tokens, head),
         make(batch, n_kv, context_tokens, head))
        for _ in range(shape.n_layers)
    ]  # fmt: skip
    x = make(batch, width)
    product, functional = torch.nn.functional.linear, torch.nn.functional

    def step() -> Any:
        y = x
        for qkv, out, up, down, keys, values in layers:
            q = product(functional.rms_norm(y, (width,)), qkv)[:, : n_q * head]
            mixed = functional.scaled_dot_product_attention(
                q.view(batch, n_q, 1, head), keys, values, enable_gqa=True
            )
            y = y + product(mixed.reshape(batch, n_q * head), out)
            gate, value = product(functional.rms_norm(y, (width,)), up).chunk(2, dim=-1)
            y = y + product(functional.silu(gate) * value, down)
        return y

    one_by_one_s = _median_s(step, n_repeats)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    graph_s = _median_s(graph.replay, n_repeats)
    n_bytes = 2 * sum(w.numel() for layer in layers for w in layer[:4])
    rows = [("one by one", one_by_one_s), ("graph", graph_s)]
    return pd.DataFrame(
        [(launch, seconds, n_bytes / seconds) for launch, seconds in rows],
        columns=["launch", "step_s", "weight_bandwidth_bytes_per_s"],
    )


def _check_room(shape: Model, n_tokens: float) -> None:
    """Refuse a stack that the accelerator does not hold, before half of it is made."""
    need = weight_bytes(shape, "bf16") + n_tokens * shape.kv_bytes_per_token()
    free = available_bytes("cuda")
    if need > free:
        raise MemoryError(
            f"{shape.id} in bf16 with {n_tokens:,.0f} tokens of cache needs {need / GB:.1f} GB; "
            f"{free / GB:.1f} GB are free on the accelerator: {(need - free) / GB:.1f} GB missing"
        )


def _torch() -> Any:
    """PyTorch with an accelerator, or what is lacking."""
    try:
        import torch
    except ImportError:
        raise ValueError("PyTorch is not installed here: measure() uses NumPy instead") from None
    if not torch.cuda.is_available():
        raise ValueError(
            "PyTorch sees no NVIDIA accelerator: measure(engine='torch') measures the processor"
        )
    return torch


def _median_s(work: Callable[[], Any], n_repeats: int) -> float:
    """The median time of a piece of work, by the accelerator's own clock."""
    torch = _torch()
    for _ in range(N_WARM):
        work()
    seconds = []
    for _ in range(n_repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        seconds.append(start.elapsed_time(end) * MILLI)
    return float(statistics.median(seconds))
