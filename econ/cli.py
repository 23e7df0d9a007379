"""The command line, a thin wrapper: ``econ plan scenario.json``, ``econ cost --model …``.

``econ decide`` weighs API, rent and own; ``econ plan`` searches, simulates and reports; ``econ
cost`` prices one deployment; ``econ init`` writes a commented scenario. They take a scenario's
JSON with names or objects of your own; options come before what the file says.
``econ usage`` reads a bill (`econ.usage_command`); ``econ lab`` opens the course and ``econ
site`` its pages.
``--json`` prints one JSON object and nothing else. Exit code 2 with one line on what is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from econ import __version__, course_command, site_command, usage_command
from econ.catalog.precision import PRECISIONS
from econ.catalog.reading import file_error
from econ.catalog.records import plain_json
from econ.decide_command import add_decide, add_init, flags_of_file, read_scenario, with_log
from econ.decision.named import model_named
from econ.decision.typed import check_used, rents_typed
from econ.deployment import POLICIES
from econ.latency.prediction import predict
from econ.plan import Plan, check_new, export, plan
from econ.scenario import Scenario
from econ.sweeps import on_cluster
from econ.tco.bill import cost
from econ.tokens.clock import UNITS

COLUMNS = [
    *("basis", "accelerator", "precision", "tp", "pp", "ep", "dp", "policy", "concurrency"),
    *("n_replicas", "fleet_gpus", "paid_gpus", "rests_on", "arrivals", "good_frac"),
    *("good_frac_se", "ttft_s", "tpot_s", "p95_ttft_s", "p95_tpot_s"),
    *("usd_per_hour", "cost_usd_per_good_mtok", "cost_low_usd_per_good_mtok"),
    *("cost_high_usd_per_good_mtok", "regime", "site_energy_j_per_token", "carbon_g_per_mtok"),
]
# option of `econ cost` -> setting of the scenario
SETTINGS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "precision": "precision",
    "usd_per_gpu_hour": "cost_usd_per_gpu_hour",
    "utilisation_frac": "utilisation_frac",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``econ``; None for those of the process.

    Returns
    -------
    int
        The exit code: 0, or 2 where the input is wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        file = str(getattr(options, "scenario", None) or "")
        if file.endswith(".toml") and options.command == "decide":  # flags come after the file's
            words = [word for word in (arguments or sys.argv[1:])[1:] if word != file]
            options = _parser().parse_args(["decide", *flags_of_file(file), *words])
        code: int = options.run(options)
    except BrokenPipeError:  # whoever reads has had enough: `econ.__main__` ends in silence
        raise
    except (ValueError, OSError, ImportError) as error:
        print(f"econ {options.command}: {file_error(error)}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="econ", description="The economics of AI inference.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("plan", help="find the cheapest deployment that meets an SLO")
    one.add_argument("scenario", nargs="?", help="a scenario's JSON (default: the notebooks' own)")
    one.add_argument("--model", help="a name, or a model's config.json")
    one.add_argument("--trace", help="a log of requests in the workload's place")
    one.add_argument("--unit", "--trace-unit", choices=UNITS, help="unit of its clock, if asked")
    own = "names of the log's columns and ours: when=arrival_s,isl=input_tokens"
    one.add_argument("--columns", action="append", default=[], metavar="THEIRS=OURS", help=own)
    one.add_argument("--rate-per-s", type=float, help="requests per second, if not the workload's")
    one.add_argument("--peak-factor", type=float, default=1.0, help="peak over mean (default 1)")
    one.add_argument("--spare", type=int, default=0, help="spare replicas, 1 for N+1 (default 0)")
    one.add_argument("--accelerators", nargs="+", help="default: all that have a price")
    one.add_argument("--precisions", nargs="+", choices=PRECISIONS,
                     help="default: bf16, fp8 and the scenario's")  # fmt: skip
    one.add_argument("--policies", nargs="+", choices=POLICIES, help="default: the scenario's")
    one.add_argument("--price", nargs="+", default=[], metavar="ACCELERATOR=USD_PER_HOUR")
    one.add_argument("--out", nargs="+", default=[], help="new .html, .csv, .parquet files")
    one.add_argument("--cluster", metavar="ADDRESS", help="simulate on a dask cluster")
    one.add_argument("--json", action="store_true", help="print one JSON object")
    one.set_defaults(run=_plan)

    two = commands.add_parser("cost", help="price one deployment's tokens")
    two.add_argument("scenario", nargs="?", help="a scenario's JSON")
    two.add_argument("--model", help="a name, or a model's config.json")
    two.add_argument("--accelerator")
    two.add_argument("--input-tokens", type=float, help="default: those of a chat")
    two.add_argument("--output-tokens", type=float, help="default: those of a chat")
    two.add_argument("--concurrency", type=float, help="users (default: the most within the SLO)")
    two.add_argument("--tp", type=int)
    two.add_argument("--n-gpu", type=int)
    two.add_argument("--precision", choices=PRECISIONS)
    two.add_argument("--usd-per-gpu-hour", type=float, help="default: the latest list rent")
    two.add_argument("--utilisation-frac", type=float)
    two.add_argument("--json", action="store_true", help="print one JSON object")
    two.set_defaults(run=_cost)
    add_decide(commands)
    add_init(commands)
    usage_command.add_to(commands)
    course_command.add_to(commands)
    site_command.add_to(commands)
    return parser


def _plan(options: argparse.Namespace) -> int:
    check_new(options.out, (".html", ".csv", ".parquet"))
    scenario = read_scenario(options.scenario)
    if options.model:
        scenario = scenario.with_(model=model_named(options.model).model)
    scenario, trace = with_log(scenario, options)
    if options.rate_per_s is not None:
        scenario = scenario.with_(rate_per_s=options.rate_per_s)
    rents = rents_typed(options.price)
    if options.accelerators:
        check_used(rents, options.accelerators)
    with on_cluster(options.cluster):
        answer = plan(
            scenario, options.accelerators, options.precisions, policies=options.policies,
            prices_usd_per_gpu_hour=rents, peak_factor=options.peak_factor,
            n_spare=options.spare, trace=trace, progress=sys.stderr.isatty(),
        )  # fmt: skip
    columns = [name for name in COLUMNS if name in answer.rows]
    best, first = answer.best, answer.feasible[columns].head(10)
    for name in options.out:
        _write(answer, name)
    if options.json:
        ruled_out = answer.constraints().set_index("constraint")["n_deployments"]
        print(
            plain_json(
                {
                    "headline": answer.headline,
                    "gap_percent": 100 * answer.gap_frac,
                    "n_simulated": answer.n_simulated,
                    "best": best[columns].to_dict(),
                    "first": first.to_dict("records"),
                    "n_deployments": len(answer.rows),
                    "constraints": ruled_out.to_dict(),
                }
            )
        )
        return 0
    low, high = answer.band("cost_usd_per_good_mtok")
    print(
        f"{len(answer.rows):,} deployments; best: {best['fleet_gpus']:.0f} × "
        f"{best['accelerator']} {best['precision']}, TP {best['tp']:.0f}, "
        f"${best['cost_usd_per_good_mtok']:.2f} (${low:.2f} to ${high:.2f}) per million good "
        f"output tokens\n{answer.headline}"
    )
    if answer.regime != "calibrated":
        print(_beyond(answer))
    print(
        first.drop(columns=["pp", "ep", "dp", "arrivals", "rests_on"]).to_string(
            index=False, float_format="{:.3g}".format
        )
    )
    for name in options.out:
        print(f"written: {name}")
    return 0


def _beyond(answer: Plan) -> str:
    """That the best lies outside what was measured, and the best that lies inside."""
    warning = f"Its latency is predicted outside what the model was fitted on ({answer.regime})"
    rows = answer.feasible
    known = rows[(rows["regime"] == "calibrated") & (rows["basis"] == answer.best["basis"])]
    if known.empty:
        return f"{warning}; no deployment inside meets the SLO."
    one = known.iloc[0]
    return (
        f"{warning}; the best inside: {one['fleet_gpus']:.0f} × {one['accelerator']} "
        f"{one['precision']}, ${one['cost_usd_per_good_mtok']:.2f}."
    )


def _write(answer: Plan, name: str) -> None:
    if name.lower().endswith(".html"):
        from econ.report import report_html

        export(report_html(answer), name)
    else:
        export(answer.frame(), name)


def _cost(options: argparse.Namespace) -> int:
    scenario = _cost_scenario(options)
    price = cost(scenario, concurrency=options.concurrency)
    users = price.concurrency
    prediction = predict(scenario, concurrency=users)
    usd, (low, high) = price.usd_per_mtok, price.band("usd_per_mtok")
    answer = {
        "cost_usd_per_mtok": usd,
        "cost_low_usd_per_mtok": low,
        "cost_high_usd_per_mtok": high,
        "usd_per_gpu_hour": price.paid_usd_per_gpu_hour,
        "concurrency": users,
        "output_tokens_per_s_per_gpu": price.output_tokens_per_s_per_gpu,
        "ttft_s": prediction.ttft_s,
        "tpot_s": prediction.tpot_s,
        "bound_by": prediction.bound_by,
        "regime": prediction.regime,
        "layers_usd_per_mtok": price.frame().set_index("layer")["usd_per_mtok"].to_dict(),
    }
    if options.json:
        print(plain_json(answer))
        return 0
    print(
        f"${usd:.2f} per million output tokens (90 % band ${low:.2f} to ${high:.2f}) at "
        f"${price.paid_usd_per_gpu_hour:.2f} per GPU-hour, {users:g} users in flight\n"
        f"{price.output_tokens_per_s_per_gpu:,.0f} output tokens/s per accelerator, "
        f"TTFT {prediction.ttft_s:.3g} s, TPOT {prediction.tpot_s:.3g} s, bound by "
        f"{prediction.bound_by}"
    )
    for name, limit_s in (("ttft", scenario.slo.ttft_s), ("tpot", scenario.slo.tpot_s)):
        if (value_s := getattr(prediction, f"{name}_s")) > limit_s:
            print(
                f"Warning: {name.upper()} {value_s:.3g} s is beyond the SLO of {limit_s:g} s: no "
                "user who waits is served at this price"
            )
    return 0


def _cost_scenario(options: argparse.Namespace) -> Scenario:
    """The scenario of a file, or of the options alone; options come before the file."""
    settings = {
        setting: value
        for option, setting in SETTINGS.items()
        if (value := getattr(options, option)) is not None
    }
    if options.model:
        settings["model"] = model_named(options.model).model
    if options.accelerator:
        settings["accelerator"] = options.accelerator
    if options.scenario is None:
        needed = ("model", "accelerator")
        if missing := [name for name in needed if name not in settings]:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
            raise ValueError(f"give a scenario's JSON, or {flags}")
        return Scenario.of(n_gpu=options.n_gpu, tp=options.tp, **settings)
    split = {n: v for n in ("tp", "n_gpu") if (v := getattr(options, n)) is not None}
    return read_scenario(options.scenario).with_(**settings, **split)
