"""A model as a list of layers: what mixes tokens, what it stores, what feeds forward.

A kind is two words, the mixer and the feed-forward block, e.g. ``"sliding experts"``:

* ``full``: attention over the whole context; ``coarse``: over entries that stand for many tokens
* ``sliding``: attention over a window; ``full-reuse``, ``sliding-reuse``: with the cache of a layer
  below
* ``linear``: a fixed state (linear attention, state space, convolution); ``full+linear``: both
* ``cross``: attention to a picture or the like, which does not grow; ``none``
* ``dense``, ``experts``, ``none``

>>> counts_of(("sliding dense", "full experts", "linear experts"))["n_attention_layers"]
2
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from econ.catalog.guard import one_of

MIXERS = ("full", "coarse", "sliding", "full-reuse", "sliding-reuse", "linear", "full+linear",
          "cross", "none")  # fmt: skip
FEEDS = ("dense", "experts", "none")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a model.

    Parameters
    ----------
    mixer : str
        What mixes tokens: ``"full"``, ``"sliding"``, ``"linear"``, … (`econ.catalog.layers`).
    kv_elements : float
        Numbers that the layer stores per token of context (or of its window), e.g. 2048.
    window_tokens : int
        Tokens that it keeps; 0: all.
    index_elements : float
        Numbers of a sparse-attention index per token.
    state_bytes : float
        Fixed state of a sequence.
    feed_forward : str
        ``"dense"``, ``"experts"`` or ``"none"``.
    feed_forward_params, active_feed_forward_params : float
        Weights of the block with its router and shared experts, and those that a token uses.
    """

    mixer: str
    kv_elements: float = 0.0
    window_tokens: int = 0
    index_elements: float = 0.0
    state_bytes: float = 0.0
    feed_forward: str = "none"
    feed_forward_params: float = 0.0
    active_feed_forward_params: float = 0.0


class LayerCount(int):
    """A number of layers that remembers of how many, and whether it follows from the rest.

    `dataclasses.replace` hands it on, so that a model with another ``n_layers`` is filled in anew
    or refused, and never keeps half of another model.
    """

    n_layers: int = 0
    follows: bool = False


def counts_of(kinds: Sequence[str]) -> dict[str, int]:
    """The counts of layers that a list of kinds implies.

    Raises
    ------
    UnknownName
        For a word that is no mixer, or no feed-forward block.
    """
    mixers, feeds = Counter[str](), Counter[str]()
    for kind in kinds:
        mixer, _, feed = kind.partition(" ")
        for what, word, words in (("mixer", mixer, MIXERS), ("feed-forward block", feed, FEEDS)):
            one_of(what, word, words)
        mixers[mixer] += 1
        feeds[feed] += 1
    sliding = mixers["sliding"] + mixers["sliding-reuse"]
    full = mixers["full"] + mixers["full-reuse"] + mixers["coarse"] + mixers["full+linear"]
    return {
        "n_linear_layers": mixers["linear"],
        "n_attention_layers": full + sliding,
        "n_sliding_layers": sliding,
        "n_coarse_layers": mixers["coarse"],
        "n_reusing_layers": mixers["full-reuse"],
        "n_reusing_sliding_layers": mixers["sliding-reuse"],
        "n_dense_layers": feeds["dense"],
        "n_moe_layers": feeds["experts"],
    }


class Layered(Protocol):
    """What a model says of its layers."""

    @property
    def n_layers(self) -> int: ...
    @property
    def layer_kinds(self) -> tuple[str, ...]: ...
    @property
    def ffn_sizes(self) -> tuple[int, ...]: ...
    @property
    def ffn_size(self) -> int: ...
    @property
    def n_experts(self) -> int: ...


def fill_counts(model: Any) -> None:
    """Fill the counts of layers that follow from others, in the order in which they follow.

    Raises
    ------
    ValueError
        For a list of kinds of another length, or a count that was given for another ``n_layers``.
    """
    n = model.n_layers
    if model.layer_kinds and len(model.layer_kinds) != n:
        raise ValueError(
            f"layer_kinds names {len(model.layer_kinds)} layers of n_layers = {n}: give it anew, "
            "one kind a layer"
        )
    stated = counts_of(model.layer_kinds) if model.layer_kinds else {}
    after: dict[str, Callable[[], int]] = {
        "n_linear_layers": lambda: 0,
        "n_attention_layers": lambda: n - model.n_linear_layers,
        "n_sliding_layers": lambda: 0,
        "n_coarse_layers": lambda: 0,
        "n_reusing_layers": lambda: 0,
        "n_reusing_sliding_layers": lambda: 0,
        "n_dense_layers": lambda: 0 if model.n_experts else n,
        "n_moe_layers": lambda: n - model.n_dense_layers if model.n_experts else 0,
    }
    for name, follows in after.items():
        value, default = getattr(model, name), stated.get(name, follows())
        if isinstance(value, LayerCount) and value.n_layers != n:
            if not value.follows:
                raise ValueError(
                    f"{name} = {value} was given for n_layers = {value.n_layers}: give it anew for "
                    f"n_layers = {n}"
                )
            value = None
        if stated and value not in (None, 0, default):
            raise ValueError(f"{name} = {value} is not that of layer_kinds: {default}")
        filled = LayerCount(default if value is None or stated else int(value))
        filled.n_layers, filled.follows = n, filled == follows()
        object.__setattr__(model, name, filled)


def layers_of(model: Layered) -> tuple[Layer, ...]:
    """The layers of a model, in order, or grouped by kind where the order is not known."""
    kinds = [kind.partition(" ")[::2] for kind in model.layer_kinds] or _grouped(model)
    n_states = sum("linear" in mixer for mixer, _ in kinds) or 1
    widths = iter(model.ffn_sizes or [model.ffn_size] * len(kinds))
    layers, known = [], {}
    for mixer, feed in kinds:
        width = next(widths) if feed == "dense" else 0
        if (mixer, feed, width) not in known:
            known[mixer, feed, width] = _layer(model, mixer, feed, width, n_states)
        layers.append(known[mixer, feed, width])
    return tuple(layers)


def _grouped(model: Any) -> list[tuple[str, str]]:
    full = model.n_full_attention_layers - model.n_coarse_layers - model.n_reusing_layers
    sliding = model.n_sliding_layers - model.n_reusing_sliding_layers
    mixers = (
        ["linear"] * model.n_linear_layers
        + ["sliding"] * sliding
        + ["sliding-reuse"] * model.n_reusing_sliding_layers
        + ["full"] * full
        + ["coarse"] * model.n_coarse_layers
        + ["full-reuse"] * model.n_reusing_layers
    )
    feeds = ["dense"] * model.n_dense_layers + ["experts"] * model.n_moe_layers
    n = max(model.n_layers, len(mixers), len(feeds))
    mixers += ["none"] * (n - len(mixers))
    return list(zip(mixers, ["none"] * (n - len(feeds)) + feeds, strict=True))


def _layer(model: Any, mixer: str, feed: str, width: int, n_states: int) -> Layer:
    """One layer of a kind."""
    kv_elements, window_tokens, index_elements = 0.0, 0, 0.0
    if mixer == "sliding":
        kv_elements = float(model.sliding_kv_elements_per_token_per_layer)
        window_tokens = model.sliding_window_tokens
    elif mixer in ("full", "full+linear"):
        kv_elements = model.kv_elements_per_token_per_layer / model.kv_stride_tokens
        n_full = model.n_full_attention_layers - model.n_coarse_layers
        index_elements = model.kv_index_bytes_per_token / 2 / n_full
    elif mixer == "coarse":
        kv_elements = model.kv_elements_per_token_per_layer / model.coarse_stride_tokens
    block, active = 0.0, 0.0
    if feed == "dense":
        block = active = float(model.n_ffn_matrices * model.hidden_size * width)
    elif feed == "experts":
        n, experts = model.n_moe_layers, model.routed_expert_params
        rest = (model.shared_expert_params + model.router_params) / n
        block, active = experts / n + rest, experts / n * _used_frac(model) + rest
    return Layer(
        mixer=mixer,
        kv_elements=kv_elements,
        window_tokens=window_tokens,
        index_elements=index_elements,
        state_bytes=model.fixed_state_bytes_per_sequence / n_states if "linear" in mixer else 0.0,
        feed_forward=feed,
        feed_forward_params=block,
        active_feed_forward_params=active,
    )


def _used_frac(model: Any) -> float:
    return float(model.experts_per_token / model.n_experts)
