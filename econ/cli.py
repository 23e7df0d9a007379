"""The command line, a thin wrapper: ``econ plan scenario.json``, ``econ cost --model …``.

``econ plan`` searches, simulates and reports; ``econ cost`` prices one deployment. ``--json``
prints one JSON object and nothing else. Exit code 2 with one line on what is wrong, else 0.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from econ import __version__
from econ.catalog.precision import PRECISIONS
from econ.deployment import POLICIES
from econ.latency.prediction import predict
from econ.plan.exports import export
from econ.plan.planner import PRECISIONS as PLANNED
from econ.plan.planner import best_of, constraints_frame, plan, prices_of
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.trace_files import read_trace
from econ.tokens.workloads import Workload

MOST_BYTES = 10_000_000  # of a scenario file
SHOWN = [
    *("basis", "accelerator", "precision", "tp", "pp", "ep", "dp", "policy", "concurrency"),
    *("n_replicas", "fleet_gpus", "good_frac", "ttft_s", "tpot_s", "p95_ttft_s", "p95_tpot_s"),
    *("usd_per_hour", "cost_usd_per_good_mtok", "cost_low_usd_per_good_mtok"),
    *("cost_high_usd_per_good_mtok", "regime", "site_energy_j_per_token", "carbon_g_per_mtok"),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        return given.run(given)
    except (ValueError, OSError, ImportError) as error:
        print(f"econ {given.command}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="econ", description="The economics of AI inference.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("plan", help="find the cheapest deployment that keeps a promise")
    one.add_argument("scenario", nargs="?", help="a scenario's JSON (default: the notebooks' own)")
    one.add_argument("--trace", help="a CSV or Parquet of requests in the workload's place")
    one.add_argument("--trace-unit", choices=("s", "ms"), help="unit of its arrivals")
    one.add_argument("--rate-per-s", type=float, help="requests per second, if not the workload's")
    one.add_argument("--peak-factor", type=float, default=1.0, help="peak over mean (default 1)")
    one.add_argument("--spare", type=int, default=0, help="spare replicas, 1 for N+1 (default 0)")
    one.add_argument("--accelerators", nargs="+", help="default: all that have a price")
    one.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PLANNED))
    one.add_argument("--policies", nargs="+", choices=POLICIES,
                     default=["chunked_prefill", "prefill_first"])  # fmt: skip
    one.add_argument("--price", nargs="+", default=[], metavar="ACCELERATOR=USD_PER_HOUR")
    one.add_argument("--out", nargs="+", default=[], help="new .html, .csv, .parquet files")
    one.add_argument("--json", action="store_true", help="print one JSON object")
    one.set_defaults(run=_plan)

    two = commands.add_parser("cost", help="price one deployment's tokens")
    two.add_argument("--model", required=True)
    two.add_argument("--accelerator", required=True)
    two.add_argument("--input-tokens", type=float, required=True)
    two.add_argument("--output-tokens", type=float, required=True)
    two.add_argument("--concurrency", type=float, default=32)
    two.add_argument("--tp", type=int, default=1)
    two.add_argument("--n-gpu", type=int)
    two.add_argument("--precision", choices=PRECISIONS, default="bf16")
    two.add_argument("--usd-per-gpu-hour", type=float, help="default: the latest list rent")
    two.add_argument("--utilisation-frac", type=float, default=1.0)
    two.add_argument("--json", action="store_true", help="print one JSON object")
    two.set_defaults(run=_cost)
    return parser


def read_scenario(path: str | None) -> Scenario:
    """The scenario in a file, or the default; what is no scenario says why."""
    if path is None:
        return Scenario.default()
    file = Path(path)
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{file.name}: larger than {MOST_BYTES:,} bytes: not a scenario")
    try:
        return Scenario.from_json(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name}: not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise ValueError(f"{file.name}: nested too deeply to be a scenario") from None
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None


def _prices(pairs: Sequence[str]) -> dict[str, float]:
    prices = {}
    for pair in pairs:
        name, _, usd = pair.partition("=")
        try:
            prices[name] = float(usd)
        except ValueError:
            raise ValueError(f"--price {pair!r}: give ACCELERATOR=USD_PER_HOUR") from None
    return prices


def _plan(given: argparse.Namespace) -> int:
    for name in given.out:
        if Path(name).exists():  # before the work, not after it
            raise FileExistsError(f"{name} is there already and is left as it is: name another")
        if Path(name).suffix.lower() not in (".html", ".csv", ".parquet"):
            raise ValueError(f"{name}: give a .html, .csv or .parquet file")
    scenario, trace = read_scenario(given.scenario), None
    if given.trace:
        trace = read_trace(given.trace, unit=given.trace_unit)
        own = Workload.from_trace(trace, title=Path(given.trace).stem)
        scenario = scenario.with_(workload=own)
    frame = plan(
        scenario, given.accelerators, given.precisions, policies=given.policies,
        prices_usd_per_gpu_hour=_prices(given.price), rate_per_s=given.rate_per_s,
        peak_factor=given.peak_factor, n_spare=given.spare, trace=trace,
        progress=sys.stderr.isatty(),
    )  # fmt: skip
    best = best_of(frame)
    for name in given.out:
        if name.lower().endswith(".html"):
            from econ.report import report_html

            export(report_html(scenario, frame), name)
        else:
            export(frame, name)
    columns = [c for c in SHOWN if c in frame]
    first = frame[frame["basis"] != "rejected"][columns].head(10)
    if given.json:
        ruled_out = constraints_frame(frame).set_index("constraint")["n_deployments"]
        _print_json({"best": best[columns].to_dict(), "first": first.to_dict("records"),
                     "n_deployments": len(frame), "constraints": ruled_out.to_dict()})  # fmt: skip
        return 0
    print(
        f"{len(frame):,} deployments; best: {best['fleet_gpus']:.0f} × {best['accelerator']} "
        f"{best['precision']}, TP {best['tp']:.0f}, ${best['cost_usd_per_good_mtok']:.2f} "
        f"(${best['cost_low_usd_per_good_mtok']:.2f} to "
        f"${best['cost_high_usd_per_good_mtok']:.2f}) per million good output tokens"
    )
    print(
        first.drop(columns=["pp", "ep", "dp"]).to_string(index=False, float_format="{:.3g}".format)
    )
    for name in given.out:
        print(f"written: {name}")
    return 0


def _cost(given: argparse.Namespace) -> int:
    scenario = Scenario.of(
        given.model, given.accelerator, n_gpu=given.n_gpu, tp=given.tp, precision=given.precision,
        input_tokens=given.input_tokens, output_tokens=given.output_tokens,
    )  # fmt: skip
    one = predict(scenario, concurrency=given.concurrency)
    usd = given.usd_per_gpu_hour
    if usd is None:
        listed = prices_of(Scenario.default(), None)
        if given.accelerator not in listed:
            raise ValueError(f"no price of {given.accelerator}: give --usd-per-gpu-hour")
        usd = listed[given.accelerator]
    metric = "output_tokens_per_s_per_gpu"
    slow, fast = one.band(metric)

    def cost(rate: float) -> float:
        return cost_usd_per_mtok(usd, rate, given.utilisation_frac)

    rate = getattr(one, metric)
    found = {
        "cost_usd_per_mtok": cost(rate),
        "cost_low_usd_per_mtok": cost(fast),
        "cost_high_usd_per_mtok": cost(slow),
        "usd_per_gpu_hour": usd,
        metric: rate,
        "ttft_s": one.ttft_s,
        "tpot_s": one.tpot_s,
        "bound_by": one.bound_by,
        "regime": one.regime,
    }
    if given.json:
        _print_json(found)
        return 0
    print(
        f"${found['cost_usd_per_mtok']:.2f} per million output tokens (90 % band ${cost(fast):.2f} "
        f"to ${cost(slow):.2f}) at ${usd:.2f} per GPU-hour\n{rate:,.0f} output tokens/s per "
        f"accelerator, TTFT {one.ttft_s:.3g} s, TPOT {one.tpot_s:.3g} s, bound by {one.bound_by}"
    )
    return 0


def _print_json(found: dict) -> None:
    print(json.dumps(_plain(found), indent=2, allow_nan=False))


def _plain(value):
    """As JSON knows it: what is not a finite number becomes null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
