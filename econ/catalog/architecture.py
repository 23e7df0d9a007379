"""An AI model as its architecture: parameters, KV cache and attention work follow from the shape.

Nothing here is looked up by a marketed size. A dense layer holds four attention matrices and two
or three feed-forward matrices; a mixture of experts repeats the latter; multi-head latent
attention stores one small vector per token instead of keys and values for every head.

>>> llama = Model(id="llama-3.1-70b", n_layers=80, hidden_size=8192, n_heads=64, n_kv_heads=8,
...               head_dim=128, ffn_size=28672, vocab_size=128256)
>>> f"{llama.n_params / 1e9:.2f} billion"
'70.55 billion'
>>> int(llama.kv_bytes_per_token())      # 2 (K and V) × 80 layers × 8 heads × 128 × 2 bytes
327680
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from econ.catalog.guard import count, not_negative, positive
from econ.catalog.layers import Layer, fill_counts, layers_of


@dataclass(frozen=True, kw_only=True)
class Model:
    """The shape of a transformer, as its configuration file gives it.

    Parameters
    ----------
    id, name, vendor, release, licence : str
        Identifier, full name, publisher, release, licence of the weights.
    native_precision : str
        Format the weights are published in.
    max_context_tokens : int
        Longest context; 0 where unknown.
    n_layers, hidden_size, n_heads, n_kv_heads, head_dim, ffn_size, vocab_size : int
        Layers, width of the residual stream, query heads, key-value heads, width of a head, inner
        width of a dense feed-forward block, rows of the embedding table.
    tied_embeddings : bool
        Whether the output matrix is the input table.
    n_ffn_matrices : int
        Matrices of a feed-forward block: 3 gated, 2 plain.
    n_experts, experts_per_token, moe_ffn_size, moe_hidden_size, shared_ffn_size : int
        Of a mixture: routed experts per layer, those a token uses, their inner and input width,
        and the summed width of the experts that every token passes through.
    ffn_sizes : tuple of int
        Widths of the dense blocks, one each, where they differ; ``ffn_size`` is then their mean.
    n_dense_layers, n_moe_layers, n_attention_layers : int, optional
        Layers with a dense block, with experts, with softmax attention (sliding or full); left out,
        they follow from the rest.
    layer_kinds : tuple of str
        What each layer is, in order, where layers differ and the order is known: ``"full dense"``,
        ``"sliding experts"``, … (`econ.catalog.layers`). The counts follow from it.
    n_linear_layers, n_sliding_layers, sliding_window_tokens, sparse_top_k_tokens : int
        Layers with linear attention, layers with a sliding window, the window, and the context
        tokens that sparse attention selects (0: all).
    n_coarse_layers, kv_stride_tokens, coarse_stride_tokens : int
        Compressed attention: context tokens to one entry of the cache in the layers that attend to
        the whole context, and in those of them that keep fewer entries and read all of them.
    full_layers_have_window : bool
        Whether those layers also keep the window's tokens one by one.
    n_reusing_layers, n_reusing_sliding_layers : int
        Layers without keys and values of their own, which read the cache of a layer below; of those
        that attend to the whole context, and of those that slide.
    sliding_heads, sliding_kv_heads, sliding_head_dim : int
        Heads of the sliding layers where they differ from the others; 0: the same.
    value_dim : int
        Width of a head's values where it differs from that of its keys; 0: ``head_dim``.
    keys_are_values : bool
        Whether full attention has one matrix for keys and values.
    stores_keys_only : bool
        Whether a key is also the value, so that one of them is stored.
    output_lora_rank, n_output_groups : int
        Rank and groups of an output projection of low rank; 0: one matrix.
    mla_kv_lora_rank, mla_q_lora_rank, mla_rope_dim, mla_nope_dim, mla_v_dim : int
        Widths of multi-head latent attention; 0 without it. A rank of the query alone is that of
        Step-3.
    other_params : float
        Weights that every token reads and the closed form does not know (linear-attention mixers,
        indexers). Norms and biases, less than 0.05 % together, are left out.
    lookup_params : float
        Weights of further tables of which a token reads a row, as it does of the input table.
    kv_index_bytes_per_token, fixed_state_bytes_per_sequence : float
        Index of sparse attention per token, state of linear layers per sequence.
    source : str
        Key of the source.

    Raises
    ------
    ValueError
        For a shape that cannot be.
    """

    id: str
    name: str = ""
    vendor: str = ""
    release: str = ""
    licence: str = ""
    native_precision: str = "bf16"
    max_context_tokens: int = 0

    n_layers: int
    hidden_size: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    ffn_size: int
    vocab_size: int
    tied_embeddings: bool = False
    n_ffn_matrices: int = 3

    n_experts: int = 0
    experts_per_token: int = 0
    moe_ffn_size: int = 0
    moe_hidden_size: int = 0
    shared_ffn_size: int = 0
    n_dense_layers: int = None  # type: ignore[assignment]  # follows from the rest
    n_moe_layers: int = None  # type: ignore[assignment]
    ffn_sizes: tuple[int, ...] = ()
    layer_kinds: tuple[str, ...] = ()

    n_attention_layers: int = None  # type: ignore[assignment]
    n_linear_layers: int = 0
    n_sliding_layers: int = 0
    sliding_window_tokens: int = 0
    sparse_top_k_tokens: int = 0
    n_coarse_layers: int = 0
    kv_stride_tokens: int = 1
    coarse_stride_tokens: int = 1
    full_layers_have_window: bool = False
    n_reusing_layers: int = 0
    n_reusing_sliding_layers: int = 0

    sliding_heads: int = 0
    sliding_kv_heads: int = 0
    sliding_head_dim: int = 0
    value_dim: int = 0
    keys_are_values: bool = False
    stores_keys_only: bool = False
    output_lora_rank: int = 0
    n_output_groups: int = 0

    mla_kv_lora_rank: int = 0
    mla_q_lora_rank: int = 0
    mla_rope_dim: int = 0
    mla_nope_dim: int = 0
    mla_v_dim: int = 0

    other_params: float = 0.0
    lookup_params: float = 0.0
    kv_index_bytes_per_token: float = 0.0
    fixed_state_bytes_per_sequence: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        """Fill the layer counts that follow from others, and refuse shapes that cannot be."""
        for name in ("n_layers", "hidden_size", "n_heads", "n_kv_heads", "head_dim", "vocab_size"):
            count(name, getattr(self, name), 1)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and value is not None:
                count(field.name, value)
            elif field.type == "float":
                not_negative(field.name, value)
        for name in ("kv_stride_tokens", "coarse_stride_tokens"):
            count(name, getattr(self, name), 1)
        fill_counts(self)
        if not self.moe_hidden_size:
            self._set(moe_hidden_size=self.hidden_size)
        attention, dense = self.n_attention_layers, self.n_dense_layers
        most = {
            "n_attention_layers": (
                "n_layers - n_linear_layers",
                self.n_layers - self.n_linear_layers,
            ),
            "n_dense_layers": ("n_layers", self.n_layers),
            "n_moe_layers": ("n_layers - n_dense_layers", self.n_layers - dense),
            "n_sliding_layers": ("n_attention_layers", attention),
            "n_coarse_layers": (
                "n_attention_layers - n_sliding_layers",
                self.n_full_attention_layers,
            ),
            "n_reusing_layers": (
                "n_attention_layers - n_sliding_layers",
                self.n_full_attention_layers,
            ),
            "n_reusing_sliding_layers": ("n_sliding_layers", self.n_sliding_layers),
            "experts_per_token": ("n_experts", self.n_experts),
            "n_kv_heads": ("n_heads", self.n_heads),
        }
        for name, (limit, value) in most.items():
            count(name, getattr(self, name))
            if getattr(self, name) > value:
                self._refuse(name, f"0 to {limit} = {value}")
        if self.n_heads % self.n_kv_heads:
            self._refuse("n_kv_heads", f"a divisor of n_heads = {self.n_heads}")
        if self.ffn_sizes and len(self.ffn_sizes) != dense:
            self._refuse("ffn_sizes", f"one width for each of n_dense_layers = {dense}")
        needs = {
            "sliding_window_tokens": self.n_sliding_layers or self.full_layers_have_window,
            "ffn_size": dense and not self.ffn_sizes,
            "n_moe_layers": self.n_experts,
            "moe_ffn_size": self.n_moe_layers,
            "experts_per_token": self.n_moe_layers,
            "mla_nope_dim": self.mla_kv_lora_rank,
            "mla_v_dim": self.mla_kv_lora_rank,
            "n_output_groups": self.output_lora_rank,
        }
        for name, reason in needs.items():
            if reason and not getattr(self, name):
                self._refuse(name, "above 0, since other fields call for it")

    def _set(self, **values: int) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _refuse(self, name: str, says: str) -> None:
        raise ValueError(f"{name} = {getattr(self, name)} is outside its range: {says}")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, one by one: what mixes tokens, what it stores, what feeds forward.

        In the order of the file where it is known (``layer_kinds``), else grouped by kind.

        >>> gemma = Model(id="g", n_layers=3, hidden_size=64, n_heads=4, n_kv_heads=2, head_dim=16,
        ...     ffn_size=128, vocab_size=100, sliding_window_tokens=512,
        ...     layer_kinds=("sliding dense", "sliding dense", "full dense"))
        >>> [(layer.mixer, layer.kv_elements, layer.window_tokens) for layer in gemma.layers]
        [('sliding', 64.0, 512), ('sliding', 64.0, 512), ('full', 64.0, 0)]
        """
        return layers_of(self)

    # -- kinds ------------------------------------------------------------------------------
    @property
    def is_moe(self) -> bool:
        """Whether feed-forward blocks are routed experts."""
        return self.n_experts > 0

    @property
    def is_mla(self) -> bool:
        """Whether keys and values are stored as one latent vector (multi-head latent attention)."""
        return self.mla_kv_lora_rank > 0

    @property
    def attention_kind(self) -> str:
        """MHA, GQA, MQA or MLA."""
        if self.is_mla:
            return "MLA"
        if self.n_kv_heads == self.n_heads:
            return "MHA"
        return "MQA" if self.n_kv_heads == 1 else "GQA"

    # -- parameters -------------------------------------------------------------------------
    @property
    def attention_params(self) -> float:
        """Query, key, value and output projections of all softmax-attention layers."""
        d, heads = self.hidden_size, self.n_heads
        if self.is_mla:
            query_dim = heads * (self.mla_nope_dim + self.mla_rope_dim)
            rank = self.mla_q_lora_rank
            query = d * rank + rank * query_dim if rank else d * query_dim
            down = d * (self.mla_kv_lora_rank + self.mla_rope_dim)
            up = self.mla_kv_lora_rank * heads * (self.mla_nope_dim + self.mla_v_dim)
            layer = query + down + up + heads * self.mla_v_dim * d
            return float(self.n_attention_layers * layer)
        value = self.value_dim or self.head_dim
        rank = self.mla_q_lora_rank
        key, query_dim = d * self.head_dim * self.n_kv_heads, heads * self.head_dim
        query = rank * (d + query_dim) if rank else d * query_dim
        both = key + (0 if self.keys_are_values else d * self.n_kv_heads * value)
        layer = query + both + self._output_params(heads * value)
        full = self.n_full_attention_layers * layer - self.n_reusing_layers * both
        return float(full + self._sliding_attention_params)

    def _output_params(self, width: int) -> int:
        """One output projection: a matrix, or two of low rank, of which the first is in groups."""
        rank, d = self.output_lora_rank, self.hidden_size
        return rank * (width + self.n_output_groups * d) if rank else width * d

    @property
    def _sliding_attention_params(self) -> int:
        """Projections of all sliding layers."""
        heads, kv_heads, dim, value = self.sliding_shape
        d, rank, n = self.hidden_size, self.mla_q_lora_rank, self.n_sliding_layers
        query = rank * (d + heads * dim) if rank else d * heads * dim
        both = d * kv_heads * (dim if self.stores_keys_only else dim + value)
        own = n - self.n_reusing_sliding_layers
        return n * (query + self._output_params(heads * value)) + own * both

    @property
    def sliding_shape(self) -> tuple[int, int, int, int]:
        """Query heads, key-value heads, width of a key and of a value in the sliding layers."""
        dim = self.sliding_head_dim or self.head_dim
        value = self.value_dim or dim
        return (
            self.sliding_heads or self.n_heads,
            self.sliding_kv_heads or self.n_kv_heads,
            dim,
            value,
        )

    @property
    def dense_ffn_params(self) -> float:
        """Feed-forward matrices of the layers without experts."""
        widths = sum(self.ffn_sizes) or self.n_dense_layers * self.ffn_size
        return float(self.n_ffn_matrices * self.hidden_size * widths)

    @property
    def routed_expert_params(self) -> float:
        """All routed experts of all layers, of which a token uses ``experts_per_token``."""
        one = self.n_ffn_matrices * self.moe_hidden_size * self.moe_ffn_size
        return float(self.n_moe_layers * self.n_experts * one)

    @property
    def shared_expert_params(self) -> float:
        """Experts that every token passes through."""
        one = self.n_ffn_matrices * self.hidden_size * self.shared_ffn_size
        return float(self.n_moe_layers * one)

    @property
    def router_params(self) -> float:
        """The layer that scores the experts."""
        return float(self.n_moe_layers * self.n_experts * self.hidden_size)

    @property
    def embedding_params(self) -> float:
        """The input table; one row is read per token."""
        return float(self.vocab_size * self.hidden_size)

    @property
    def head_params(self) -> float:
        """The output matrix, read whole at every step, also where it shares the input table."""
        return float(self.vocab_size * self.hidden_size)

    @property
    def n_params(self) -> float:
        """All weights that are stored."""
        stored_head = 0.0 if self.tied_embeddings else self.head_params
        return (
            self.attention_params
            + self.dense_ffn_params
            + self.routed_expert_params
            + self.shared_expert_params
            + self.router_params
            + self.embedding_params
            + stored_head
            + self.other_params
            + self.lookup_params
        )

    @property
    def active_params(self) -> float:
        """Weights that work on one generated token: with the head, without the input table.

        Two FLOP each give the work of a decode step apart from attention over the context.
        Marketed "active" counts follow no common convention; this one is for computing with.
        """
        share = self.experts_per_token / self.n_experts if self.n_experts else 0.0
        return (
            self.attention_params
            + self.dense_ffn_params
            + self.routed_expert_params * share
            + self.shared_expert_params
            + self.router_params
            + self.head_params
            + self.other_params
        )

    # -- the KV cache -----------------------------------------------------------------------
    @property
    def n_full_attention_layers(self) -> int:
        """Layers that attend to the whole context."""
        return self.n_attention_layers - self.n_sliding_layers

    @property
    def kv_elements_per_token_per_layer(self) -> int:
        """Numbers stored per token and attention layer: K and V of each KV head, or the latent."""
        if self.is_mla:
            return self.mla_kv_lora_rank + self.mla_rope_dim
        value = 0 if self.stores_keys_only else self.value_dim or self.head_dim
        return self.n_kv_heads * (self.head_dim + value)

    @property
    def sliding_kv_elements_per_token_per_layer(self) -> int:
        """The same in a layer with a sliding window."""
        if self.is_mla or self.stores_keys_only:
            return self.kv_elements_per_token_per_layer
        _, kv_heads, dim, value = self.sliding_shape
        return kv_heads * (dim + value)

    @property
    def kv_full_elements_per_token(self) -> float:
        """Numbers by which the caches grow that sparse attention, where there is any, selects from.

        Layers that read the cache of another store none.
        """
        n = self.n_full_attention_layers - self.n_coarse_layers - self.n_reusing_layers
        return n * self.kv_elements_per_token_per_layer / self.kv_stride_tokens

    @property
    def kv_scanned_elements_per_token(self) -> float:
        """Numbers by which the caches grow that are read whole: indexes and coarse entries."""
        coarse = self.n_coarse_layers * self.kv_elements_per_token_per_layer
        return self.kv_index_bytes_per_token / 2 + coarse / self.coarse_stride_tokens

    @property
    def kv_window_elements_per_token(self) -> float:
        """Numbers stored per token of the window, in all layers that have one."""
        own = self.n_sliding_layers - self.n_reusing_sliding_layers
        beside = self.n_full_attention_layers if self.full_layers_have_window else 0
        return (
            own * self.sliding_kv_elements_per_token_per_layer
            + beside * self.kv_elements_per_token_per_layer
        )

    def kv_bytes_per_token(self, bytes_per_element: float = 2.0) -> float:
        """Bytes by which the cache of one sequence grows per token, once sliding windows are full.

        Formula: full-attention layers × elements × bytes per element, plus what is read whole: the
        index of sparse attention (``kv_index_bytes_per_token`` is given at 2 bytes per element and
        scales alike) and coarse entries. Below the window, sliding layers grow as well: `kv_bytes`.
        """
        positive("bytes_per_element", bytes_per_element, 16)
        elements = self.kv_full_elements_per_token + self.kv_scanned_elements_per_token
        return elements * bytes_per_element

    def kv_bytes(self, context_tokens: Any, bytes_per_element: float = 2.0) -> Any:
        """Bytes of cache and fixed state of one sequence of ``context_tokens`` (or of an array).

        >>> gpt_oss = Model(id="gpt-oss-120b", n_layers=36, hidden_size=2880, n_heads=64,
        ...     n_kv_heads=8, head_dim=64, ffn_size=2880, vocab_size=201088,
        ...     n_sliding_layers=18, sliding_window_tokens=128)
        >>> int(gpt_oss.kv_bytes(1000)) - int(gpt_oss.kv_bytes(999))   # half the layers slide
        36864
        """
        shortest = np.min(context_tokens)
        if not (shortest >= 0 and np.all(np.isfinite(context_tokens))):
            not_negative("context_tokens", shortest if shortest < 0 else np.nan)
        window = np.minimum(context_tokens, self.sliding_window_tokens)
        return (
            self.kv_bytes_per_token(bytes_per_element) * context_tokens
            + self.kv_window_elements_per_token * bytes_per_element * window
            + self.fixed_state_bytes_per_sequence
        )

    @property
    def attention_flop_per_context_token(self) -> float:
        """FLOP per new token for each token of context, in the full-attention layers.

        Two for each of the products QKᵀ and (weights)·V, over all query heads; with latent
        attention in its absorbed form the vectors are the latent ones, and with compressed
        attention an entry stands for several tokens.
        """
        width = self.head_dim + (self.value_dim or self.head_dim)
        if self.is_mla:
            width = 2 * self.mla_kv_lora_rank + self.mla_rope_dim
        fine = (self.n_full_attention_layers - self.n_coarse_layers) / self.kv_stride_tokens
        coarse = self.n_coarse_layers / self.coarse_stride_tokens
        return float((fine + coarse) * 2 * self.n_heads * width)

    @property
    def prefill_attention_flop_per_context_token(self) -> float:
        """The same when a prompt is read: latent attention then widens K and V for every head."""
        if not self.is_mla:
            return self.attention_flop_per_context_token
        width = self.mla_nope_dim + self.mla_rope_dim + self.mla_v_dim
        return float(self.n_full_attention_layers * 2 * self.n_heads * width)

    @classmethod
    def from_hf_config(cls, config: str | Path | Mapping[str, Any], id: str = "") -> Model:
        """Read a Hugging Face ``config.json``: nothing guessed, nothing silent.

        Parameters
        ----------
        config : str, Path or dict
            The file, its folder, or its content. An ``hf_quant_config.json`` beside it is read too.
        id : str
            Name of the model; default: that in the file, else of the file or its folder.

        Returns
        -------
        Model
            The text tower; what was left out (other towers, prediction heads) stands in ``source``.

        Raises
        ------
        ValueError
            For an encoder, a part that is not understood, or a key that bears on the count and was
            not read, by name.

        Examples
        --------
        >>> Model.from_hf_config({"model_type": "chatglm", "num_layers": 28, "hidden_size": 4096,
        ...     "num_attention_heads": 32, "multi_query_group_num": 2, "kv_channels": 128,
        ...     "ffn_hidden_size": 13696, "padded_vocab_size": 65024}).kv_bytes_per_token()
        28672.0
        """
        from econ.catalog.hf_config import shape_of

        return cls(**shape_of(config, id))
