"""The page that explains the latency model: text and formulas from Markdown, numbers from data."""

from __future__ import annotations

import html
from pathlib import Path

import pandas as pd

from econ.catalog import table
from econ.latency.calibration import REGIMES, WIDEST, Calibration, bands
from econ.latency.fit import METRICS, START

TEXT = Path(__file__).with_name("latency_model.md")
SYMBOLS = {
    "weight_bandwidth_frac": r"\eta_w",
    "kv_bandwidth_frac": r"\eta_{kv}",
    "decode_compute_frac": r"\eta_d",
    "prefill_compute_frac": r"\eta_p",
    "attention_compute_frac": r"\eta_a",
    "expert_compute_frac": r"\eta_e",
    "softmax_flop_per_s": r"\rho",
    "link_frac": r"\eta_l",
    "prefill_link_frac": r"\eta_L",
    "n_tile_tokens": r"\tau",
    "n_prefill_tile_tokens": r"\tau_p",
    "prefill_chunk_tokens": "c_0",
    "large_message_bytes": "m_0",
    "slow_link_bytes_per_s": r"\omega_0",
    "kernel_s": r"\kappa",
    "collective_s": r"\lambda",
    "expert_skew_factor": "s",
    "recv_wait_frac": r"\zeta",
    "n_state_passes": r"\nu",
    "host_exposed_frac": r"\epsilon",
    "cdna3_compute_frac": r"\alpha",
    "cdna4_compute_frac": r"\alpha",
    "cdna3_overhead_factor": "a",
    "cdna4_overhead_factor": "a",
    "pipeline_bubble_frac": r"\pi",
    "usable_memory_frac": r"\mu",
    "reserved_bytes": "M_0",
    "first_token_s": r"\delta",
    "n_wait_steps": "w",
    "opening_s": r"\xi",
    "host_s_per_sequence": r"\theta",
}
TITLES = dict(zip(METRICS, ("TPOT", "TTFT", "mean TTFT", "throughput"), strict=True))


def page() -> str:
    """The page as Markdown, its tables filled in."""
    text = TEXT.read_text(encoding="utf-8")
    parts = {
        "counts": _counts(),
        "maturity": _maturity(),
        "fitted": _fitted(),
        "without": _without(),
        "fixed": _fixed(),
        "repeats": _repeats(),
        "bands": _bands(),
        "coverage": _coverage(),
        "widest": f"{WIDEST:g}",
    }
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    return text


def _grid(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, in whose cells formulas are typeset."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _symbol(name: str) -> str:
    tex = SYMBOLS.get(name.split(".")[-1], "")
    return f"${tex}$" if tex else ""


def _counts() -> str:
    without = table("calibration_without")
    return (
        f"{len(START)} constants were fitted to {without.loc['all', 'n_felt']:,} runs; "
        "the others are round values that no run identifies, each with its reason."
    )


def _share(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1%}"


def _fitted() -> str:
    k, without = Calibration.fitted(), table("calibration_without")
    rows = []
    for name in START:
        low, high = k.intervals[name]
        ends = f"{low:.3g} to {high:.3g}"
        cells = [_symbol(name), f"`{name}`", f"{k.value(name):.3g}", ends]
        felt = without.loc[name]
        rows.append([*cells, f"{felt['n_felt']:,}", html.escape(felt["felt_by"])])
    head = ["constant", "name", "value", "5–95 %", "runs that depend on it", "most of all"]
    return _grid(head, rows)


def _without() -> str:
    without = table("calibration_without")
    errors = without[[name for name in without if name.endswith("_error_frac")]]
    rows = [
        [_symbol(name), f"`{name}`" if name != "all" else "all in place", *map(_share, row)]
        for name, row in errors.iterrows()
    ]
    return _grid(["constant", "without", *TITLES.values()], rows)


def _fixed() -> str:
    rows = table("calibration")
    rows = rows[rows["low"].isna()]
    cells = [
        [_symbol(name), f"`{name}`", f"{row['value']:.3g}", html.escape(row["note"])]
        for name, row in rows.iterrows()
    ]
    engines = [
        [_symbol("host_s_per_sequence"), f"`{name}.host_s_per_sequence`",
         f"{row['host_s_per_sequence']:.3g}", html.escape(row["note"])]
        for name, row in table("engines").iterrows()
    ]  # fmt: skip
    return _grid(["constant", "name", "value", "why"], cells + engines)


def _repeats() -> str:
    rows = [
        [f"{row.statistic}s of {TITLES[row.metric]}", row.apart, f"{row.median_frac:.1%}",
         f"{row.p90_frac:.0%}", f"{row.n_runs}"]
        for row in table("repeated_runs").itertuples()
    ]  # fmt: skip
    return _grid(["what", "apart", "median", "90 %", "pairs"], rows)


def _maturity() -> str:
    rows = [
        [row.engine, row.generation, str(row.as_of)[:7], f"{row.maturity:.2f}",
         f"{row.low:.2f} to {row.high:.2f}", f"{row.n_runs}"]
        for row in table("software_maturity").itertuples()
    ]  # fmt: skip
    return _grid(["engine", "generation", "from", "maturity", "5–95 %", "runs"], rows)


def _bands() -> str:
    known = bands()
    rows = []
    for regime in REGIMES:
        found = [known[regime, metric] for metric in METRICS]
        cells = ["none" if band.reason else f"×{band.p90_factor:.2f}" for band in found]
        rows.append([regime, *cells, f"{found[0].n_rows:,}"])
    return _grid(["case", *TITLES.values(), "runs"], rows)


def _coverage() -> str:
    shares = table("band_coverage").groupby(["left_out", "metric"])["covered_frac"]
    least, mean = shares.min(), shares.mean()
    rows = []
    for split in table("band_coverage")["left_out"].unique():
        cells = [
            f"{least[split, metric]:.0%}, {mean[split, metric]:.0%}"
            if (split, metric) in least.index else ""
            for metric in METRICS
        ]  # fmt: skip
        rows.append([split, *cells])
    return _grid(["left out", *TITLES.values()], rows)
