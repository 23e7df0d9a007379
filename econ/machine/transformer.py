"""A small transformer of Llama's shape with random weights: what decodes here, at any size.

Grouped-query attention, rotary positions, gated feed-forward blocks and a KV cache; greedy, so that
a seed fixes every token. The words mean nothing, but the work is that of a trained model of the
same shape: the same bytes are read and the same products computed.

>>> tiny = tiny_model(2e6)
>>> tiny.shape.n_heads // tiny.shape.n_kv_heads, abs(tiny.shape.n_params / 2e6 - 1) < 0.1
(4, True)
>>> cache = tiny.cache(n_slots=1, max_tokens=16)
>>> first = tiny.step(cache, [(0, [1, 2, 3])])
>>> cache.n_tokens[0], len(first)
(3, 1)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from econ.catalog.architecture import Model
from econ.catalog.guard import count, positive
from econ.catalog.units import GB, MEGA
from econ.machine import backends
from econ.machine.backends import Backend
from econ.machine.host import available_bytes

HEAD_DIM = 64
HEADS_PER_KV = 4
VOCAB_SIZE = 4096
LARGEST_PARAMS = 2e11
Work = Sequence[tuple[int, Sequence[int]]]  # slots, and the tokens that each appends
HEADROOM = 0.8  # of the free memory that weights and caches may fill


@dataclass(eq=False)
class Cache:
    """Keys and values of the sequences that run, a slot each; ``n_tokens`` says how full it is."""

    keys: list[Any]
    values: list[Any]
    n_tokens: list[int]
    max_tokens: int


@dataclass(frozen=True, eq=False)
class TinyModel:
    """A shape, its weights, and the backend that multiplies them.

    ``shape`` is an `econ.Model`: every station takes it.
    """

    shape: Model
    backend: Backend
    seed: int
    table: Any
    layers: tuple[tuple[Any, ...], ...]
    head: Any

    def cache(self, n_slots: int, max_tokens: int) -> Cache:
        """An empty cache; refused where it exceeds the memory that is free.

        Parameters
        ----------
        n_slots : int
            Sequences at a time, e.g. 32.
        max_tokens : int
            Tokens of each, prompt and answer, e.g. 256.

        Raises
        ------
        MemoryError
            With the missing bytes: the cache that would have to be read is fuller than the memory.
        """
        count("n_slots", n_slots, 1, 1e6)
        count("max_tokens", max_tokens, 1, 1e9)
        m = self.shape
        need = n_slots * max_tokens * m.kv_bytes_per_token(self._kv_bytes_per_element)
        _check_room(need, f"a cache of {n_slots} × {max_tokens:,} tokens", self.backend)
        size = (n_slots, m.n_kv_heads, max_tokens, m.head_dim)
        keys, values = ([self.backend.empty(size) for _ in self.layers] for _ in "kv")
        return Cache(keys, values, [0] * n_slots, max_tokens)

    @property
    def _kv_bytes_per_element(self) -> float:
        return max(self.backend.bytes_per_element, 2.0)

    def step(self, cache: Cache, work: Work) -> list[int]:
        """One engine step: the new tokens of some sequences, whole prompts, chunks or one each.

        Parameters
        ----------
        cache : Cache
            Grows by the tokens.
        work : sequence of (slot, tokens)
            A slot of the cache and what is appended to it.

        Returns
        -------
        list of int
            The next token of each sequence, in the order of ``work``.

        Raises
        ------
        ValueError
            Where a sequence would outgrow its slot.
        """
        ops, m = self.backend, self.shape
        spans, at = [], 0
        for slot, tokens in work:
            start = cache.n_tokens[slot]
            if start + len(tokens) > cache.max_tokens:
                raise ValueError(
                    f"slot {slot} holds {start} of {cache.max_tokens} tokens: no room for "
                    f"{len(tokens)} more"
                )
            spans.append((slot, start, at, at + len(tokens)))
            at += len(tokens)
        x = self.table[np.concatenate([np.asarray(tokens) for _, tokens in work])]
        for i, (qkv, out, up, down) in enumerate(self.layers):
            x = x + ops.linear(out, self._attend(i, ops.linear(qkv, ops.norm(x)), cache, spans))
            both = ops.linear(up, ops.norm(x))
            x = x + ops.linear(down, ops.gate(both[:, : m.ffn_size], both[:, m.ffn_size :]))
        for slot, start, a, b in spans:
            cache.n_tokens[slot] = start + b - a
        last = x[[b - 1 for *_, b in spans]]
        return ops.largest(ops.linear(self.head, ops.norm(last)))

    def _attend(self, layer: int, qkv: Any, cache: Cache, spans: Sequence[tuple[int, ...]]) -> Any:
        """Each sequence over its own cache, one after the other, as its length is its own."""
        ops, m = self.backend, self.shape
        n_q, n_kv = m.n_heads, m.n_kv_heads
        keys, values, mixed = cache.keys[layer], cache.values[layer], []
        for slot, start, a, b in spans:
            heads = qkv[a:b].reshape(b - a, n_q + 2 * n_kv, m.head_dim)
            turned = ops.rotate(heads[:, : n_q + n_kv], start)
            end = start + b - a
            keys[slot, :, start:end] = turned[:, n_q:].swapaxes(0, 1)
            values[slot, :, start:end] = heads[:, n_q + n_kv :].swapaxes(0, 1)
            mixed.append(ops.attend(turned[:, :n_q], keys[slot, :, :end], values[slot, :, :end]))
        return ops.join(mixed)


def tiny_shape(n_params: float) -> Model:
    """The shape alone, without weights: as deep for its width as Llama is.

    Parameters
    ----------
    n_params : float
        Parameters, e.g. 64e6.

    Returns
    -------
    Model
        Within a tenth of that size from half a million on; its name says the size.

    Notes
    -----
    Heads of 64, four query heads to a KV head, a feed-forward of 8/3 of the width: a layer has
    10.5 · width² parameters, and width/64 layers are taken as the start.

    Examples
    --------
    >>> shape = tiny_shape(144e6)
    >>> shape.n_layers, shape.hidden_size, round(shape.n_params / MEGA)
    (12, 1024, 139)
    """
    positive("n_params", n_params, LARGEST_PARAMS)
    unit = HEAD_DIM * HEADS_PER_KV
    width = max(unit * round((6.1 * n_params) ** (1 / 3) / unit), unit)
    ffn = unit * round(8 / 3 * width / unit)
    per_layer = 2.5 * width**2 + 3 * width * ffn
    n_layers = max(round((n_params - VOCAB_SIZE * width) / per_layer), 1)
    shape = Model(
        id="tiny",
        n_layers=n_layers,
        hidden_size=width,
        n_heads=width // HEAD_DIM,
        n_kv_heads=width // unit,
        head_dim=HEAD_DIM,
        ffn_size=ffn,
        vocab_size=VOCAB_SIZE,
        tied_embeddings=True,
        native_precision="fp32",
    )
    return dataclasses.replace(shape, id=f"tiny-{shape.n_params / MEGA:.0f}m")


def tiny_model(
    n_params: float, *, engine: str = "numpy", precision: str = "fp32", seed: int = 0
) -> TinyModel:
    """A transformer of about so many parameters, with weights from a seed.

    Parameters
    ----------
    n_params : float
        Parameters, e.g. 64e6: 256 MB in float32, more than any processor's cache.
    engine : str
        ``"numpy"``, or ``"torch"`` where it is installed (on its accelerator where it has one).
    precision : str
        fp32; with torch also bf16 or int8.
    seed : int
        Of the weights.

    Returns
    -------
    TinyModel
        Its ``shape`` goes through every station.

    Raises
    ------
    MemoryError
        Where the weights exceed the memory that is free, with the missing bytes.
    ValueError
        For an engine that is not installed here.

    Examples
    --------
    >>> import econ
    >>> shape = tiny_model(2e6).shape
    >>> econ.Scenario.of(shape, "h100-sxm").model_id
    'tiny-2m'
    """
    ops, shape = backends.backend(engine, precision), tiny_shape(n_params)
    # drawn in float32, whatever they are stored in
    need = shape.n_params * (4 if ops.device == "cpu" else ops.bytes_per_element)
    _check_room(need, f"{shape.n_params / MEGA:,.0f} M weights", ops)
    rng = np.random.default_rng(seed)

    def draw(rows: int, columns: int) -> Any:
        values = rng.standard_normal((rows, columns), dtype="float32")
        values *= np.float32(columns**-0.5)
        return values

    width, ffn = shape.hidden_size, shape.ffn_size
    table = draw(shape.vocab_size, width)
    qkv = (shape.n_heads + 2 * shape.n_kv_heads) * HEAD_DIM
    sizes = ((qkv, width), (width, width), (2 * ffn, width), (width, ffn))
    layers = tuple(tuple(ops.weights(draw(*size)) for size in sizes) for _ in range(shape.n_layers))
    return TinyModel(shape, ops, seed, ops.array(table), layers, ops.weights(table))


def _check_room(need_bytes: float, what: str, ops: Backend) -> None:
    """Refuse what the memory that is free does not hold, before the computer starts to swap."""
    free = available_bytes(ops.device)
    if need_bytes > HEADROOM * free:
        raise MemoryError(
            f"{what} need {need_bytes / GB:.1f} GB; {free / GB:.1f} GB are free here, and "
            f"{HEADROOM:.0%} of them may be filled: {(need_bytes - HEADROOM * free) / GB:.1f} GB "
            "missing; take fewer sequences, shorter ones or a smaller model"
        )
