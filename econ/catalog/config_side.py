"""Inputs of every layer of its own, and what comes with them, in Gemma 3n and the small Gemma 4.

A token reads a row of a second table for each layer: stored, but not read whole. Gemma 3n also has
several residual streams (AltUp) and a shortcut of low rank (LAuReL).

>>> shape = {"n_layers": 2, "hidden_size": 8, "ffn_size": 16, "other_params": 0, "ffn_sizes": ()}
>>> c = Config({"hidden_size_per_layer_input": 4, "vocab_size_per_layer_input": 100}, "config")
>>> side_inputs(c, shape, ["full", "full"])
>>> shape["lookup_params"], shape["other_params"]
(800, 192)
"""

from __future__ import annotations

from typing import Any

from econ.catalog.config_file import Config


def side_inputs(c: Config, shape: dict[str, Any], mixers: list[str]) -> None:
    """Add to a shape the tables and matrices that every layer has beside attention and blocks."""
    n, d = shape["n_layers"], shape["hidden_size"]
    if width := c.whole("hidden_size_per_layer_input"):
        shape["lookup_params"] = n * width * c.need("vocab_size_per_layer_input")
        shape["other_params"] += n * d * width + n * 2 * d * width
    else:
        c.get("vocab_size_per_layer_input")
    if rank := c.whole("laurel_rank"):
        shape["other_params"] += n * 2 * d * rank
    if streams := c.whole("altup_num_inputs"):
        maps = d * streams + streams * (streams + streams * streams)
        shape["other_params"] += 2 * (streams - 1) * d * d + n * maps
    c.get("altup_active_idx", "altup_coef_clip", "altup_correct_scale")
    if c.get("use_double_wide_mlp"):  # of the layers that reuse a cache
        widths = tuple((1 + m.endswith("reuse")) * shape["ffn_size"] for m in mixers)
        shape |= {"ffn_sizes": widths, "ffn_size": round(sum(widths) / n)}
