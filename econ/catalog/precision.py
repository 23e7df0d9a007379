"""Number formats of weights and caches: the one table of bytes per element.

What is stored in which format:

* dense models: every matrix in the named format; the input table and the output head in 2 bytes,
  or in 4 where the matrices are
* mixtures of experts in 4 bits: the routed experts alone; the rest as the model is published
* 4-bit formats carry one scale per block: a byte per 16 values (fp4), two bytes per 32 (int4)

>>> bytes_per_element("fp8"), bytes_per_element("fp4")
(1.0, 0.5625)
>>> bytes_per_element("fp6")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown precision 'fp6'; nearest: fp16, fp8, fp4
"""

from __future__ import annotations

from econ.catalog.architecture import Model
from econ.catalog.guard import unknown

BYTES_PER_ELEMENT = {
    "fp32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "fp4": 1 / 2 + 1 / 16,
    "int8": 1.0,
    "int4": 1 / 2 + 2 / 32,
}
PRECISIONS = tuple(BYTES_PER_ELEMENT)
UNQUANTISED_BYTES = 2.0  # per element of what stays in 16 bits


def check_precision(precision: str) -> str:
    """The precision, or an error that lists the known ones."""
    if precision not in BYTES_PER_ELEMENT:
        raise unknown("precision", precision, PRECISIONS)
    return precision


def bytes_per_element(precision: str) -> float:
    """Stored bytes of one number in a format, with its share of the block's scale.

    Parameters
    ----------
    precision : str
        fp32, bf16, fp16, fp8, fp4, int8 or int4.

    Returns
    -------
    float
        E.g. 2.0 for bf16, 0.5625 for fp4.

    Raises
    ------
    UnknownName
        For another format.
    """
    return BYTES_PER_ELEMENT[check_precision(precision)]


def weight_bytes_by_part(model: Model, precision: str) -> dict[str, float]:
    """Stored bytes of the weights, part by part.

    Parameters
    ----------
    model : Model
        The model.
    precision : str
        Format of the weights, e.g. ``"fp8"``.

    Returns
    -------
    dict
        ``attention`` (with router and mixers), ``dense`` (feed-forward blocks and shared experts),
        ``experts`` (routed), ``head`` and ``table`` (those of which a token reads a row; not
        the input table where the head shares it).

    Raises
    ------
    UnknownName
        For an unknown format.

    Examples
    --------
    >>> from econ.catalog import model
    >>> parts = weight_bytes_by_part(model("llama-3.1-70b"), "fp8")
    >>> f"{sum(parts.values()) / 1e9:.1f} GB"
    '72.7 GB'
    """
    quantised = rest = bytes_per_element(precision)
    ends = max(quantised, UNQUANTISED_BYTES)
    if model.is_moe and quantised < 1:
        rest = 1.0 if model.native_precision == "fp8" else UNQUANTISED_BYTES
    tables = model.lookup_params + (0.0 if model.tied_embeddings else model.embedding_params)
    return {
        "attention": (model.attention_params + model.other_params + model.router_params) * rest,
        "dense": (model.dense_ffn_params + model.shared_expert_params) * rest,
        "experts": model.routed_expert_params * quantised,
        "head": model.head_params * ends,
        "table": tables * ends,
    }
