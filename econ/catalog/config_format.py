"""The format in which a model's weights are published, from its ``config.json`` or beside it.

>>> native_precision(Config({"quantization_config": {"quant_method": "awq", "bits": 4}}, "config"))
'int4'
>>> native_precision(Config({"quantization_config": {"quant_method": "sparkle"}}, "config"))
Traceback (most recent call last):
    ...
ValueError: config: quant_method = 'sparkle' is not understood
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from econ.catalog.config_file import Config

DTYPES = {
    "bfloat16": "bf16",
    "float16": "fp16",
    "half": "fp16",
    "float32": "fp32",
    "float8_e4m3fn": "fp8",
    "auto": "bf16",
}
# methods that are a format
METHODS = {
    "fp8": "fp8",
    "fbgemm_fp8": "fp8",
    "finegrained_fp8": "fp8",
    "mxfp8": "fp8",
    "mxfp4": "fp4",
    "nvfp4": "fp4",
    "fp4": "fp4",
    "eetq": "int8",
}
# methods that state their bits
BITS = {
    "awq",
    "gptq",
    "gptq_marlin",
    "auto-round",
    "auto_round",
    "autoawq",
    "hqq",
    "intel/auto-round",
}
# names of modelopt
ALGORITHMS = {
    "FP8": "fp8",
    "FP8_PB_WO": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8",
    "MXFP8": "fp8",
    "NVFP4": "fp4",
    "NVFP4_AWQ": "fp4",
    "W4A16_NVFP4": "fp4",
    "W4A8_NVFP4_FP8": "fp4",
    "MXFP4": "fp4",
    "W4A8_MXFP4_FP8": "fp4",
    "W4A16_AWQ": "int4",
    "W4A8_AWQ": "int4",
    "INT4_AWQ": "int4",
    "W8A16": "int8",
    "W8A8_SQ": "int8",
    "INT8_SQ": "int8",
}
INTEGERS, FLOATS = {4: "int4", 8: "int8"}, {4: "fp4", 8: "fp8", 16: "bf16"}


def native_precision(c: Config, beside: Mapping[str, Any] | None = None) -> str:
    """The format of most weights; ``beside``: the content of an ``hf_quant_config.json``."""
    dtype = str(c.get("torch_dtype", "dtype") or "bfloat16").removeprefix("torch.")
    quantised = c.get("quantization_config", "compression_config", "quantization")
    experts = c.get("expert_dtype")
    if experts is not None:
        if experts not in METHODS:
            raise c.refuse(f"expert_dtype = {experts!r} is not understood")
        return METHODS[experts]
    quantised = quantised or (beside or {}).get("quantization", beside)
    if not quantised:
        if dtype not in DTYPES:
            raise c.refuse(f"torch_dtype = {dtype!r} is not understood")
        return DTYPES[dtype]
    if not isinstance(quantised, Mapping):
        raise c.refuse(f"quantization_config = {quantised!r} is not an object")
    return _of(c, quantised) or DTYPES.get(dtype, "bf16")


def _of(c: Config, q: Mapping[str, Any]) -> str | None:
    """The format that a quantisation states; None where it quantises nothing."""
    method = str(q.get("quant_method") or "").lower()
    if isinstance(q.get("quantized_layers"), Mapping) and q["quantized_layers"]:
        names = q["quantized_layers"].items()
        return _most(c, [(name, _algorithm(c, part.get("quant_algo"))) for name, part in names])
    groups = q.get("config_groups")
    if isinstance(groups, Mapping) and groups:
        formats = []
        for group in groups.values():
            one = _group(c, group.get("weights") or {})
            formats += [(str(target), one) for target in group.get("targets") or ["Linear"]]
        return _most(c, formats)
    if "quant_algo" in q or method == "modelopt":
        algorithm = q.get("quant_algo")
        return _algorithm(c, algorithm) if algorithm is not None else None
    if method in METHODS:
        return METHODS[method]
    if method in BITS or method == "quanto":
        bits = q.get("bits", q.get("w_bit", q.get("nbits", q.get("weights"))))
        known: dict[Any, str] = {**INTEGERS, "int4": "int4", "int8": "int8", "float8": "fp8"}
        if not isinstance(bits, int | str) or bits not in known:
            raise c.refuse(f"{method} with bits = {bits!r} is not understood")
        return known[bits]
    if method == "bitsandbytes" or q.get("load_in_4bit") or q.get("load_in_8bit"):
        if q.get("load_in_4bit") == q.get("load_in_8bit"):
            raise c.refuse("bitsandbytes with neither or both of load_in_4bit and load_in_8bit")
        return "int4" if q.get("load_in_4bit") else "int8"
    if method == "torchao":
        text = str(q.get("quant_type")).lower()
        for word, precision in (("int4", "int4"), ("float8", "fp8"), ("int8", "int8")):
            if word in text:
                return precision
    raise c.refuse(f"quant_method = {q.get('quant_method')!r} is not understood")


def _algorithm(c: Config, name: object) -> str:
    if str(name).upper() not in ALGORITHMS:
        raise c.refuse(f"quant_algo = {name!r} is not understood")
    return ALGORITHMS[str(name).upper()]


def _group(c: Config, weights: Mapping[str, Any]) -> str:
    bits, kind = weights.get("num_bits"), weights.get("type")
    table = {"int": INTEGERS, "float": FLOATS}.get(str(kind), {})
    if bits not in table:
        raise c.refuse(f"weights of {bits!r} bits of type {kind!r} are not understood")
    return table[bits]


def _most(c: Config, formats: list[tuple[str, str]]) -> str:
    """Of several formats by layer: that of the experts, else of feed-forwards, else of most."""
    if len({precision for _, precision in formats}) == 1:
        return formats[0][1]
    for part in (".experts", "mlp", ""):
        inside = Counter(p for n, p in formats if part in n and "shared_expert" not in n)
        if inside:
            return inside.most_common(1)[0][0]
    raise c.refuse("several formats, and no layer named")
