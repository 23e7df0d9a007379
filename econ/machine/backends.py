"""What multiplies: NumPy, or PyTorch on processor or accelerator where it is installed already.

A backend holds weights in its own arrays and offers the six operations of a Llama-shaped layer.
Nothing is ever downloaded: what is not installed is refused with what there is instead.

>>> backend("numpy").name
'numpy'
>>> backend("numpy", "bf16")
Traceback (most recent call last):
    ...
ValueError: precision = 'bf16' is outside its range: NumPy multiplies fast in fp32 alone
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from econ.catalog.guard import one_of

ENGINES = ("numpy", "torch")
TORCH_PRECISIONS = ("fp32", "bf16", "int8")
NORM_FLOOR = 1e-5
ROTARY_BASE = 10_000.0


class Backend(Protocol):
    """The arithmetic of one engine in one precision; arrays are the engine's own."""

    name: str
    precision: str
    device: str
    bytes_per_element: float

    def array(self, values: Any) -> Any:
        """An array of activations."""

    def weights(self, values: Any) -> Any:
        """A matrix (out, in) as the products take it."""

    def empty(self, size: tuple[int, ...]) -> Any:
        """An array for a KV cache."""

    def linear(self, weights: Any, x: Any) -> Any:
        """x (tokens, in) times the weights: (tokens, out)."""

    def norm(self, x: Any) -> Any:
        """Each token's vector over its root mean square."""

    def gate(self, gate: Any, up: Any) -> Any:
        """SiLU of one half times the other."""

    def attend(self, q: Any, k: Any, v: Any) -> Any:
        """Causal attention of the last tokens, q (tokens, heads, size), over k and v (heads, n,
        size)."""

    def rotate(self, x: Any, start: int) -> Any:
        """Rotary position of x (tokens, heads, size), whose first token has position ``start``."""

    def join(self, parts: list[Any]) -> Any:
        """Arrays one below the other."""

    def largest(self, x: Any) -> list[int]:
        """Where each row is largest; waits until the device has finished."""

    def finish(self) -> None:
        """Wait until the device has finished."""


class NumpyBackend:
    """float32 through the BLAS that NumPy was built with."""

    name, precision, device, bytes_per_element = "numpy", "fp32", "cpu", 4.0

    def array(self, values: Any) -> Any:
        return np.asarray(values, "float32")

    weights = array

    def empty(self, size: tuple[int, ...]) -> Any:
        return np.zeros(size, "float32")

    def linear(self, weights: Any, x: Any) -> Any:
        # one vector is a pass over the matrix; several are a product for which BLAS packs it
        return (weights @ x[0])[None] if len(x) == 1 else (weights @ x.T).T

    def norm(self, x: Any) -> Any:
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + NORM_FLOOR)

    def gate(self, gate: Any, up: Any) -> Any:
        return gate / (1 + np.exp(-gate)) * up

    def attend(self, q: Any, k: Any, v: Any) -> Any:
        n_new, n_heads, size = q.shape
        n_kv, n = k.shape[:2]
        grouped = q.reshape(n_new, n_kv, -1, size).transpose(1, 2, 0, 3).reshape(n_kv, -1, size)
        scores = grouped @ k.swapaxes(1, 2) / np.float32(np.sqrt(size))
        if n_new > 1:
            later = np.arange(n) > np.arange(n - n_new, n)[:, None]
            scores = scores.reshape(n_kv, -1, n_new, n)
            scores = np.where(later, np.float32(-np.inf), scores).reshape(n_kv, -1, n)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = scores / scores.sum(axis=-1, keepdims=True) @ v
        mixed = mixed.reshape(n_kv, -1, n_new, size).transpose(2, 0, 1, 3)
        return mixed.reshape(n_new, n_heads * size)

    def rotate(self, x: Any, start: int) -> Any:
        cos, sin = _turns(len(x), x.shape[-1], start)
        first, second = np.split(x, 2, axis=-1)
        return np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)

    def join(self, parts: list[Any]) -> Any:
        return np.concatenate(parts)

    def largest(self, x: Any) -> list[int]:
        return [int(i) for i in x.argmax(axis=-1)]

    def finish(self) -> None:
        pass


class TorchBackend:
    """PyTorch in fp32, bf16 or int8 weights, on the processor or an NVIDIA accelerator."""

    name = "torch"

    def __init__(self, precision: str = "fp32", device: str = "") -> None:
        import torch

        one_of("precision of the engine torch", precision, TORCH_PRECISIONS)
        self.torch = torch
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.precision = precision
        self.bytes_per_element = {"fp32": 4.0, "bf16": 2.0, "int8": 1.0}[precision]
        self.type = torch.float32 if precision == "fp32" else torch.bfloat16

    def array(self, values: Any) -> Any:
        return self.torch.as_tensor(values).to(self.device, self.type)

    def weights(self, values: Any) -> Any:
        if self.precision != "int8":
            return self.array(values)
        values = np.asarray(values)
        scale = np.abs(values).max(axis=1) / 127
        quantised = self.torch.as_tensor(np.rint(values / scale[:, None]).astype("int8"))
        return quantised.to(self.device), self.array(scale)

    def empty(self, size: tuple[int, ...]) -> Any:
        return self.torch.zeros(size, dtype=self.type, device=self.device)

    def linear(self, weights: Any, x: Any) -> Any:
        if self.precision != "int8":
            return self.torch.nn.functional.linear(x, weights)
        quantised, scale = weights  # read in 8 bits, multiplied in 16
        return self.torch._weight_int8pack_mm(x.contiguous(), quantised, scale)

    def norm(self, x: Any) -> Any:
        return self.torch.nn.functional.rms_norm(x, x.shape[-1:], eps=NORM_FLOOR)

    def gate(self, gate: Any, up: Any) -> Any:
        return self.torch.nn.functional.silu(gate) * up

    def attend(self, q: Any, k: Any, v: Any) -> Any:
        n_new, n = len(q), k.shape[1]
        seen = self.torch.ones(n_new, n, dtype=self.torch.bool, device=self.device)
        mixed = self.torch.nn.functional.scaled_dot_product_attention(
            q.transpose(0, 1)[None], k[None], v[None],
            attn_mask=seen.tril(n - n_new) if n_new > 1 else None, enable_gqa=True,
        )  # fmt: skip
        return mixed[0].transpose(0, 1).reshape(n_new, -1)

    def rotate(self, x: Any, start: int) -> Any:
        cos, sin = (self.array(turn) for turn in _turns(len(x), x.shape[-1], start))
        first, second = x.chunk(2, dim=-1)
        return self.torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)

    def join(self, parts: list[Any]) -> Any:
        return self.torch.cat(parts)

    def largest(self, x: Any) -> list[int]:
        return [int(i) for i in x.argmax(dim=-1).tolist()]

    def finish(self) -> None:
        if self.device.startswith("cuda"):
            self.torch.cuda.synchronize()


def _turns(n_tokens: int, size: int, start: int) -> tuple[Any, Any]:
    """Cosine and sine of every token's rotation, as (tokens, 1, size / 2)."""
    rates = ROTARY_BASE ** (-np.arange(0, size, 2) / size)
    angles = (start + np.arange(n_tokens))[:, None, None] * rates
    return np.cos(angles).astype("float32"), np.sin(angles).astype("float32")


def installed() -> tuple[str, ...]:
    """The engines that this computer has."""
    return tuple(e for e in ENGINES if e == "numpy" or importlib.util.find_spec(e) is not None)


def backend(engine: str = "numpy", precision: str = "fp32", device: str = "") -> Backend:
    """The arithmetic of an engine that is installed.

    Parameters
    ----------
    engine : str
        ``"numpy"``, or ``"torch"`` where PyTorch is installed.
    precision : str
        fp32; with torch also bf16 or int8 (weights in 8 bits, products in 16).
    device : str
        Of torch: ``"cpu"`` or ``"cuda"``; empty for the accelerator where there is one.

    Returns
    -------
    Backend
        The six operations of a layer.

    Raises
    ------
    UnknownName
        For another engine or precision, with the known ones.
    ValueError
        For an engine that is not installed, or a precision that NumPy has no fast product for.
    """
    one_of("engine of the machine's lab", engine, ENGINES)
    if engine not in installed():
        raise ValueError(f"engine = {engine!r} is not installed here; {', '.join(installed())} is")
    makers: dict[str, Callable[[], Backend]] = {
        "numpy": NumpyBackend,
        "torch": lambda: TorchBackend(precision, device),
    }
    if engine == "numpy" and precision != "fp32":
        raise ValueError(
            f"precision = {precision!r} is outside its range: NumPy multiplies fast in fp32 alone"
        )
    return makers[engine]()
