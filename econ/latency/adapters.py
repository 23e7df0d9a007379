"""LoRA adapters: what they take of the memory, and how many sequences that costs.

An adapter of rank r beside a matrix of m × n adds two thin ones, r·(m + n) parameters.

>>> f"{adapter_params('gpt-3-175b', n_rank=8) / 1e6:.1f} M"
'37.7 M'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from econ.catalog.architecture import Model
from econ.catalog.guard import count, unknown
from econ.catalog.precision import bytes_per_element
from econ.latency.calibration import Calibration
from econ.latency.prediction import max_batch
from econ.latency.shapes import as_model
from econ.scenario import Scenario
from econ.station import Result, station

MATRICES = ("query", "key", "value", "output", "feed forward")
USUAL = ("query", "value")
MOST_RANK = 4096


@dataclass(frozen=True, kw_only=True)
class AdapterMemory(Result):
    """Adapters in the memory of a deployment, and the batch that fits beside them.

    ``loading_s``: the least by which a decode step grows where every sequence has another adapter.
    """

    n_adapters: int
    adapter_bytes: float
    adapters_bytes: float
    adapters_frac: float
    max_batch: int
    max_batch_without: int
    loading_s: float


def adapter_params(model: str | Model, *, n_rank: int, matrices: Sequence[str] = USUAL) -> float:
    """Parameters of one LoRA adapter.

    Parameters
    ----------
    model : str or Model
        The model that is adapted; softmax attention without latent vectors.
    n_rank : int
        Width of the thin matrices, e.g. 16.
    matrices : sequence of str
        What is adapted: query, key, value, output, feed forward (dense blocks alone).

    Returns
    -------
    float
        E.g. 4.7e6 for rank 1 on queries and values of GPT-3.

    Raises
    ------
    ValueError
        For a model whose matrices are factors already (MLA) or whose layers are not alike.
    UnknownName
        For another matrix.

    Notes
    -----
    Σ rank · (inputs + outputs) over the matrices of all layers.

    References
    ----------
    Hu et al., LoRA: low-rank adaptation of large language models, 2021, arXiv:2106.09685

    Examples
    --------
    >>> f"{adapter_params('llama-3.1-8b', n_rank=16, matrices=MATRICES) / 1e6:.1f} M"
    '41.9 M'
    """
    m = as_model(model)
    n_rank = count("n_rank", n_rank, 1, MOST_RANK)
    if m.is_mla or m.n_sliding_layers or m.n_linear_layers or m.mla_q_lora_rank:
        raise ValueError(
            f"model = {m.id!r} is outside the range of adapters: layers of plain softmax attention"
        )
    hidden, query = m.hidden_size, m.n_heads * m.head_dim
    value = m.value_dim or m.head_dim
    ends = {
        "query": hidden + query,
        "key": hidden + m.n_kv_heads * m.head_dim,
        "value": hidden + m.n_kv_heads * value,
        "output": m.n_heads * value + hidden,
    }
    total = 0.0
    for name in dict.fromkeys(matrices):
        if name == "feed forward":
            total += m.n_ffn_matrices * m.n_dense_layers * (hidden + m.ffn_size)
        elif name in ends:
            total += m.n_attention_layers * ends[name]
        else:
            raise unknown("matrix of an adapter", name, MATRICES)
    return n_rank * total


@station(headline="max_batch")
def adapter_memory(
    s: Scenario,
    *,
    n_adapters: int,
    n_rank: int,
    matrices: Sequence[str] = USUAL,
    precision: str = "bf16",
    context_tokens: float | None = None,
    calibration: Calibration | None = None,
) -> AdapterMemory:
    """Memory of LoRA adapters that stay loaded beside the model, and the batch that is left.

    Parameters
    ----------
    s : Scenario
        Model, deployment and the workload's mean lengths.
    n_adapters : int
        Adapters that every replica holds, e.g. 100.
    n_rank : int
        Width of the thin matrices, e.g. 16.
    matrices : sequence of str
        What is adapted, as in `adapter_params`.
    precision : str
        Format of the adapters.
    context_tokens : float, optional
        Tokens that a sequence holds; the workload's mean by default.
    calibration : Calibration, optional
        Whose usable memory counts; fitted values by default.

    Returns
    -------
    AdapterMemory
        Bytes of one and of all adapters of a replica, their share of its memory, the batch with
        and without them over all replicas, and the least time that reading them adds to a step.

    Raises
    ------
    ValueError
        For a model without plain attention (see `adapter_params`) or a number outside its range.

    Notes
    -----
    They are cut like the weights: an accelerator of a replica holds n · bytes / (tp · pp), which
    goes off the room for the KV cache. Reading them takes at least batch · bytes / (tp · pp) /
    bandwidth of a step in which no two sequences share one. What their kernels take beyond that
    is not modelled: no open run measures it.

    References
    ----------
    Sheng et al., S-LoRA: serving thousands of concurrent LoRA adapters, 2023, arXiv:2311.03285

    Examples
    --------
    >>> many = adapter_memory(Scenario.default(), n_adapters=100, n_rank=16)
    >>> f"{many.adapter_bytes / 1e6:.1f} MB", many.max_batch_without - many.max_batch
    ('65.5 MB', 16)
    """
    n_adapters = count("n_adapters", n_adapters, 0, 10_000_000)
    cal = calibration or Calibration.fitted()
    d = s.deployment
    n_sharing, chip = d.tp * d.pp, d.resolved_accelerator
    one_bytes = adapter_params(s.resolved_model, n_rank=n_rank, matrices=matrices)
    one_bytes *= bytes_per_element(precision)
    held_bytes = n_adapters * one_bytes / n_sharing
    beside = cal.replace(reserved_bytes=cal.reserved_bytes + held_bytes)
    batch, without = (
        max_batch(s, context_tokens=context_tokens, calibration=k) for k in (beside, cal)
    )
    read_bytes = min(n_adapters, batch / s.n_replicas) * one_bytes / n_sharing
    return AdapterMemory(
        n_adapters=n_adapters,
        adapter_bytes=one_bytes,
        adapters_bytes=n_adapters * one_bytes,
        adapters_frac=held_bytes / chip.memory_bytes,
        max_batch=batch,
        max_batch_without=without,
        loading_s=read_bytes / chip.memory_bandwidth_bytes_per_s,
    )
