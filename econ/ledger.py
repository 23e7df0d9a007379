"""Published figures, recomputed: *ours · published · gap · source*.

A row of ``data/published_figures.csv`` names a recomputation registered here and its inputs. Two
sorts are counted apart: ``model`` rows call a function that a notebook uses and speak for the
models; ``arithmetic`` rows check a ratio, of published numbers or of facts. A row agrees within
its ``tolerance_frac``, or inside its band (``low``, ``high``) where the source gives a range or the
gap is the lesson, as with a bound beside a measurement. Rows with ``asserted`` false are shown, not
held.

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
from econ.facts.tables import BadTable
from econ.facts.units import KILO, MEGA
from econ.models.envelope import DoesNotFit, Envelope, envelope
from econ.models.scenario import Deployment, Scenario
from econ.models.token_bill import token_bill
from econ.models.tokens import image_tokens

RECOMPUTE: dict[str, Callable[..., float]] = {}
# recomputation -> the functions of the notebooks that it calls; empty for arithmetic
SPEAKS_FOR: dict[str, tuple[str, ...]] = {}


def recompute(*speaks_for: str) -> Callable:
    """Register a recomputation under its function's name, and what it speaks for, if a model."""

    def keep(function: Callable[..., float]) -> Callable[..., float]:
        RECOMPUTE[function.__name__] = function
        SPEAKS_FOR[function.__name__] = speaks_for
        return function

    return keep


# -- arithmetic ---------------------------------------------------------------------------------
@recompute()
def ratio(over: float, under: float) -> float:
    """One number over another."""
    return over / under


@recompute()
def product(over: list[float], under: list[float]) -> float:
    """The product of some numbers over the product of others."""
    return math.prod(over) / math.prod(under)


@recompute()
def more_by(new: float, old: float) -> float:
    """By what share the new number is larger."""
    return new / old - 1


@recompute()
def fewer_by(new: float, old: float) -> float:
    """By what share the new number is smaller."""
    return 1 - new / old


@recompute()
def ridge_flop_per_byte(id: str, precision: str) -> float:
    """Peak FLOP per byte of memory bandwidth."""
    chip = accelerator(id)
    return chip.peak_flop_per_s(precision) / chip.memory_bandwidth_bytes_per_s


@recompute()
def streaming_s(
    id: str,
    chip: str,
    n_gpu: int,
    bytes_per_param: float,
    kv_tokens: float = 0,
    batch: int = 0,
    bytes_per_element: float = 2,
) -> float:
    """Seconds to read the weights, and the KV caches of a batch, once, whether they fit or not."""
    read = serving_bytes(id, batch, kv_tokens, bytes_per_param, bytes_per_element)
    return read / (n_gpu * accelerator(chip).memory_bandwidth_bytes_per_s)


# -- tokens -------------------------------------------------------------------------------------
@recompute("image_tokens")
def picture(width_px: float, height_px: float, scheme: str) -> float:
    """Tokens of a picture."""
    return image_tokens(width_px, height_px, scheme)


@recompute("image_tokens", "token_bill")
def thousand_pictures_usd(
    width_px: float, height_px: float, scheme: str, input_usd_per_mtok: float
) -> float:
    """The bill of a thousand pictures."""
    listed = Price(model="listed", input_usd_per_mtok=input_usd_per_mtok, output_usd_per_mtok=0.0)
    n = KILO * image_tokens(width_px, height_px, scheme)
    return token_bill(listed, input_tokens=n, output_tokens=0).total_usd


@recompute("token_bill")
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


@recompute()
def cached_discount(model: str, provider: str, on: str) -> float:
    """Discount of cached input on a dated price list."""
    listed = price(model, provider, on)
    return 1 - listed.cached_input_usd_per_mtok / listed.input_usd_per_mtok


# -- architecture -------------------------------------------------------------------------------
@recompute("n_params")
def parameters(id: str) -> float:
    """Parameters of a model from its shape."""
    return model(id).n_params


@recompute("kv_bytes")
def kv_cache_bytes(id: str, context_tokens: float, bytes_per_element: float = 2) -> float:
    """KV cache of one sequence."""
    return float(model(id).kv_bytes(context_tokens, bytes_per_element))


@recompute("n_params", "kv_bytes")
def serving_bytes(
    id: str, batch: int, kv_tokens: float, bytes_per_param: float, bytes_per_element: float
) -> float:
    """Weights and the KV caches of a batch."""
    net = model(id)
    cache = float(net.kv_bytes(kv_tokens, bytes_per_element))
    return net.n_params * bytes_per_param + batch * cache


# -- the envelope -------------------------------------------------------------------------------
def _bound(
    id: str,
    chip: str,
    n_gpu: int,
    precision: str,
    batch: int,
    context_tokens: float,
    slowdown: float = 1.0,
) -> Envelope:
    """The envelope of one token after a context of so many."""
    machine = Deployment(accelerator=chip, n_gpu=n_gpu, tp=n_gpu, precision=precision)
    case = Scenario.default().replace(model=id, deployment=machine)
    return envelope(case, batch, input_tokens=context_tokens, output_tokens=1, slowdown=slowdown)


@recompute("envelope")
def decode_step_s(**case: float) -> float:
    """One decode step at the bound."""
    return _bound(**case).step_s


@recompute("envelope")
def weights_read_s(**case: float) -> float:
    """The part of a step that reads the weights, beside a context of one token."""
    return _bound(context_tokens=1, **case).weights_s


@recompute("envelope")
def prefill_s(input_tokens: float, mfu_frac: float, **case: float) -> float:
    """Prefill at a share of the peak."""
    return _bound(batch=1, context_tokens=input_tokens, slowdown=1 / mfu_frac, **case).prefill_s


@recompute("envelope")
def requests_that_fit(**case: float) -> float:
    """The largest batch whose KV caches fit beside the weights."""
    n = 0
    try:
        while True:
            _bound(batch=n + 1, **case)
            n += 1
    except DoesNotFit:
        return n


# -- the ledger ---------------------------------------------------------------------------------
def ledger_frame(topic: str | None = None) -> pd.DataFrame:
    """All rows of a topic (or all topics), recomputed.

    Columns: ``topic``, ``claim``, ``ours``, ``published``, ``unit``, ``gap`` (ours/published − 1),
    ``tolerance_frac``, ``low`` and ``high`` (where ours must lie), ``within``, ``sort`` (model or
    arithmetic), ``asserted``, ``source``, ``note``.
    """
    rows = table("published_figures")
    if topic is not None:
        if topic not in set(rows["topic"]):
            raise unknown("topic", topic, rows["topic"].unique())
        rows = rows[rows["topic"] == topic]
    low, high = _limits(rows)
    ours = pd.Series([_run(r.id, r.compute, r.inputs) for r in rows.itertuples()], rows.index)
    return rows.assign(
        ours=ours,
        gap=ours / rows["published"] - 1,
        low=low,
        high=high,
        within=ours.between(low, high),
        sort=["model" if SPEAKS_FOR[c] else "arithmetic" for c in rows["compute"]],
    )[
        ["topic", "claim", "ours", "published", "unit", "gap", "tolerance_frac", "low", "high",
         "within", "sort", "asserted", "source", "note"]
    ]  # fmt: skip


def _limits(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Where ours must lie: around the published value, or in the row's band, open if one-sided."""
    banded = rows[["low", "high"]].notna().any(axis=1)
    unclear = rows.index[banded == rows["tolerance_frac"].notna()]
    if len(unclear):
        raise BadTable(
            f"published_figures.csv row {unclear[0]!r}, column tolerance_frac: a row has either "
            "a tolerance or a band (low, high)"
        )
    slack = rows["published"] * rows["tolerance_frac"]
    low = rows["low"].fillna(-math.inf).where(banded, rows["published"] - slack)
    high = rows["high"].fillna(math.inf).where(banded, rows["published"] + slack)
    return low, high


def _run(id: str, name: str, inputs: str) -> float:
    """Recompute one row; whatever goes wrong names the row."""
    where = f"published_figures.csv row {id!r}"
    if name not in RECOMPUTE:
        raise BadTable(f"{where}, column compute: {unknown('recomputation', name, RECOMPUTE)}")
    try:
        value = float(RECOMPUTE[name](**json.loads(inputs)))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise BadTable(f"{where}, column inputs: {name}({inputs}): {error}") from error
    if not math.isfinite(value):
        raise BadTable(f"{where}, column inputs: {name}({inputs}) is {value}")
    return value


def show(topic: str | None = None) -> pd.DataFrame:
    """The ledger for a reader: claim, ours, published, gap, sort, source."""
    return _shown(ledger_frame(topic))


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
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
    parser.add_argument("--topic", choices=sorted(set(table("published_figures")["topic"])))
    frame = ledger_frame(parser.parse_args(arguments).topic)
    kept = frame["within"].map({True: "yes", False: "NO"}).where(frame["asserted"], "not asserted")
    print(_shown(frame).assign(within=kept).to_string())
    held = frame[frame["asserted"]]
    for sort, rows in held.groupby("sort"):
        by_band = rows["tolerance_frac"].isna().sum()
        print(
            f"{sort}: {rows['within'].sum()} of {len(rows)} within their tolerance or band "
            f"({by_band} by a band)"
        )
    print(f"shown but not asserted: {len(frame) - len(held)}")


if __name__ == "__main__":
    main()
