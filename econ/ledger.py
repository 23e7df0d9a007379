"""Published figures, recomputed: *ours · published · gap · source*.

A row of ``data/published_figures.csv`` names a recomputation registered here and its inputs. Two
sorts are counted apart: ``model`` rows call a function that a notebook uses and speak for the
models; ``arithmetic`` rows only check a ratio. Rows with ``asserted`` false are shown, not held.

>>> frame = ledger_frame("tokens")
>>> frame.loc["claude-image-1092", ["ours", "published"]].tolist()
[1590.0, 1590.0]
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable

import pandas as pd

from econ.facts import Price, accelerator, model, price, table
from econ.facts.guard import unknown
from econ.facts.units import GIGA, KILO, MEGA
from econ.models.roofline import predict, weight_bytes
from econ.models.token_bill import token_bill
from econ.models.tokens import image_tokens

RECOMPUTE: dict[str, Callable[..., float]] = {}
# which registered names call a function of the notebooks; the others are ratios
MODEL_CALLS: set[str] = set()


def recompute(calls_model: bool) -> Callable:
    """Register a recomputation under its function's name."""

    def keep(function: Callable[..., float]) -> Callable[..., float]:
        RECOMPUTE[function.__name__] = function
        if calls_model:
            MODEL_CALLS.add(function.__name__)
        return function

    return keep


# -- arithmetic ---------------------------------------------------------------------------------
@recompute(calls_model=False)
def ratio(over: float, under: float) -> float:
    """One number over another."""
    return over / under


@recompute(calls_model=False)
def more_by(new: float, old: float) -> float:
    """By what share the new number is larger."""
    return new / old - 1


@recompute(calls_model=False)
def fewer_by(new: float, old: float) -> float:
    """By what share the new number is smaller."""
    return 1 - new / old


# -- tokens -------------------------------------------------------------------------------------
@recompute(calls_model=True)
def picture(width_px: float, height_px: float, scheme: str) -> float:
    """Tokens of a picture."""
    return image_tokens(width_px, height_px, scheme)


@recompute(calls_model=True)
def thousand_pictures_usd(
    width_px: float, height_px: float, scheme: str, input_usd_per_mtok: float
) -> float:
    """The bill of a thousand pictures."""
    listed = Price(model="listed", input_usd_per_mtok=input_usd_per_mtok, output_usd_per_mtok=0.0)
    n = KILO * image_tokens(width_px, height_px, scheme)
    return token_bill(listed, input_tokens=n, output_tokens=0).total_usd


@recompute(calls_model=True)
def cached_input_factor(hit_frac: float, read_factor: float, write_factor: float) -> float:
    """Average input rate over the fresh rate at a hit share, on a list with these factors."""
    listed = Price(
        model="listed",
        input_usd_per_mtok=1.0,
        cached_input_usd_per_mtok=read_factor,
        cache_write_usd_per_mtok=write_factor,
        output_usd_per_mtok=0.0,
    )
    n = KILO
    cached = token_bill(
        listed,
        input_tokens=n,
        cache_read_tokens=n * hit_frac,
        cache_write_tokens=n * (1 - hit_frac),
        output_tokens=0,
    )
    return cached.total_usd / token_bill(listed, input_tokens=n, output_tokens=0).total_usd


@recompute(calls_model=False)
def cached_discount(model: str, provider: str, on: str) -> float:
    """Discount of cached input on a dated price list."""
    listed = price(model, provider, on)
    return 1 - listed.cached_input_usd_per_mtok / listed.input_usd_per_mtok


# -- architecture -------------------------------------------------------------------------------
@recompute(calls_model=True)
def parameters(id: str) -> float:
    """Parameters of a model from its shape."""
    return model(id).n_params


@recompute(calls_model=True)
def kv_cache_bytes(id: str, context_tokens: float, bytes_per_element: float = 2) -> float:
    """KV cache of one sequence."""
    return float(model(id).kv_bytes(context_tokens, bytes_per_element))


@recompute(calls_model=True)
def ridge_flop_per_byte(id: str, precision: str) -> float:
    """Peak FLOP per byte of memory bandwidth."""
    chip = accelerator(id)
    return chip.peak_flop_per_s(precision) / chip.memory_bandwidth_bytes_per_s


@recompute(calls_model=True)
def streaming_s(
    id: str, chip: str, n_gpu: int, bytes_per_param: float, kv_tokens: float = 0, batch: int = 0
) -> float:
    """Seconds to read the weights, and the KV caches of a batch, once."""
    read = model(id).n_params * bytes_per_param + batch * float(model(id).kv_bytes(kv_tokens))
    return read / (n_gpu * accelerator(chip).memory_bandwidth_bytes_per_s)


@recompute(calls_model=True)
def streaming_tokens_per_s(batch: int, **case: float | str) -> float:
    """Tokens per second of a batch at that bound."""
    return batch / streaming_s(batch=batch, **case)


@recompute(calls_model=True)
def weights_gb(id: str, precision: str) -> float:
    """Stored weights in decimal gigabytes."""
    return weight_bytes(id, precision) / GIGA


@recompute(calls_model=True)
def predicted_tpot_s(**case: float | str) -> float:
    """Time per output token by the fitted model."""
    return predict(**case).tpot_s


@recompute(calls_model=False)
def whole_answer_s(ttft_s: float, tpot_s: float, output_tokens: float) -> float:
    """End to end: the first token, then a gap for each of the others."""
    return ttft_s + (output_tokens - 1) * tpot_s


@recompute(calls_model=False)
def in_flight(tokens_per_s: float, gap_s: float) -> float:
    """Sequences in a step by Little's law."""
    return tokens_per_s * gap_s


# -- the ledger ---------------------------------------------------------------------------------
def ledger_frame(topic: str | None = None) -> pd.DataFrame:
    """All rows of a topic (or all topics), recomputed.

    Columns: ``topic``, ``claim``, ``ours``, ``published``, ``unit``, ``gap`` (ours/published − 1),
    ``tolerance_frac``, ``within``, ``sort`` (model or arithmetic), ``asserted``, ``source``,
    ``note``.
    """
    rows = table("published_figures")
    if topic is not None:
        if topic not in set(rows["topic"]):
            raise unknown("topic", topic, rows["topic"].unique())
        rows = rows[rows["topic"] == topic]
    ours = [_run(r.compute, r.inputs) for r in rows.itertuples()]
    frame = rows.assign(ours=ours)
    gap = frame["ours"] / frame["published"] - 1
    return frame.assign(
        gap=gap,
        within=gap.abs() <= frame["tolerance_frac"],
        sort=["model" if c in MODEL_CALLS else "arithmetic" for c in frame["compute"]],
    )[
        ["topic", "claim", "ours", "published", "unit", "gap", "tolerance_frac", "within", "sort",
         "asserted", "source", "note"]
    ]  # fmt: skip


def _run(name: str, inputs: str) -> float:
    if name not in RECOMPUTE:
        raise unknown("recomputation", name, RECOMPUTE)
    value = float(RECOMPUTE[name](**json.loads(inputs)))
    if not math.isfinite(value):
        raise ValueError(f"{name}({inputs}) = {value}")
    return value


def show(topic: str | None = None) -> pd.DataFrame:
    """The ledger for a reader: claim, ours, published, gap, sort, source."""
    frame = ledger_frame(topic)

    def digits(value: float) -> str:
        return f"{value:,.0f}" if value >= MEGA / 10 else f"{value:,.4g}"

    return pd.DataFrame(
        {
            "claim": frame["claim"],
            "ours": frame["ours"].map(digits),
            "published": frame["published"].map(digits) + " " + frame["unit"],
            "gap": frame["gap"].map("{:+.1%}".format),
            "sort": frame["sort"],
            "source": frame["source"],
        }
    )


def main(arguments: list[str] | None = None) -> None:
    """``python -m econ.ledger [--topic TOPIC]``: print the ledger and its counts."""
    parser = argparse.ArgumentParser(prog="python -m econ.ledger", description=main.__doc__)
    parser.add_argument("--topic")
    topic = parser.parse_args(arguments).topic
    print(show(topic).to_string())
    frame = ledger_frame(topic)
    held = frame[frame["asserted"]]
    for sort, rows in held.groupby("sort"):
        print(f"{sort}: {rows['within'].sum()} of {len(rows)} within their tolerance")
    print(f"shown but not asserted: {len(frame) - len(held)}")


if __name__ == "__main__":
    main()
