"""``econ decide`` and ``econ init``: the question as people type it, and the answer in one line.

A question is flags, or a file with the same names (``econ init`` writes one with comments), or a
scenario's JSON; flags come last. ``--json`` prints one JSON object and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from econ.catalog import catalog
from econ.catalog.documents import text_of
from econ.catalog.guard import positive, unknown
from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.units import DAY_S
from econ.decision import Decision, decide
from econ.decision.menu import COMMITMENT_MONTHS
from econ.decision.named import OnlySold, model_named
from econ.decision.pages import assumed_line, worth_line
from econ.decision.typed import (
    accelerators_named,
    amount,
    check_used,
    commented_scenario,
    growth,
    listed,
    placed,
    quoted_price,
    read_quotes,
    rents_typed,
    sessions_typed,
    speed_measured,
    worth_typed,
)
from econ.decision.typed_units import factor, hours, seconds, share, years
from econ.plan import check_new, export
from econ.scenario import Scenario
from econ.tokens.clock import UNITS
from econ.tokens.trace_columns import renamed
from econ.tokens.traces import describe_trace, read_trace
from econ.tokens.workloads import Workload, workload, workloads_frame

ENDINGS = (".html", ".md", ".xlsx")
MOST_PER_S = 1e9  # requests
MOST_BYTES = 4_000_000  # of a scenario, or a file of `econ init`


def at_load(scenario: Scenario, options: argparse.Namespace) -> Scenario:
    """The scenario with the load that was typed: tokens or requests, lengths, cache, limits."""
    if options.workload:
        scenario = scenario.with_(workload=workload(options.workload))
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("input_tokens", options.input_tokens),
            ("output_tokens", options.output_tokens),
            ("cached_frac", options.cached_frac),
            ("ttft_s", options.ttft),
            ("tpot_s", options.itl),
            ("attainment_frac", options.attainment),
            ("rate_per_s", options.requests_per_s),
        )
        if value is not None
    }
    scenario = scenario.with_(**changes) if changes else scenario
    if options.tokens_per_day is not None:
        if options.requests_per_s is not None:
            raise ValueError("give --tokens-per-day or --requests-per-s, not both")
        load = scenario.workload
        tokens = load.mean_input_tokens + load.mean_output_tokens
        a_day = tokens * DAY_S * float(scenario.finance.utilisation_frac)  # at one request a second
        positive("--tokens-per-day", options.tokens_per_day, MOST_PER_S * a_day)
        scenario = scenario.with_(rate_per_s=options.tokens_per_day / a_day)
    return scenario


def add_decide(commands: Any) -> None:
    """The parser of ``econ decide``."""
    one = commands.add_parser("decide", help="API, rent, own or a mix: what to run, at what price")
    flag = one.add_argument
    flag("scenario", nargs="?", help="a file of `econ init`, or a scenario's JSON")
    flag("--name", help="of the service, for the memo")
    flag(
        "--model",
        type=listed,
        help="a catalogue name, an id of a hub or cloud, a config.json; with commas a menu",
    )
    load = one.add_argument_group("load")
    flag = load.add_argument
    flag("--tokens-per-day", type=amount, help="input and output together, e.g. 40M")
    flag("--requests-per-s", type=amount, help="mean over the hours at work")
    flag("--workload", help=f"lengths and burstiness: {', '.join(workloads_frame().index)}")
    flag("--trace", help="a log of requests: lengths, arrivals and its rate")
    flag("--unit", choices=UNITS, help="of the log's clock, if asked")
    flag("--columns", action="append", default=[], metavar="THEIRS=OURS", help="of the log")
    flag("--input-tokens", type=amount, help="of every prompt")
    flag("--output-tokens", type=amount, help="of every answer")
    flag("--cached-frac", type=share, help="share of the prompts that a prefix cache holds")
    flag("--sessions", help="agents or chats in the place of requests: coding-agent, …, or a log")
    flag("--sessions-per-s", type=amount, help="that begin, on average (default: their own)")
    flag("--cache-ttl-s", type=seconds, default=CACHE_TTL_S,
         help="life of an entry in a seller's cache (default 300)")  # fmt: skip
    flag("--peak-factor", type=factor, default=1.0, help="busiest hour over the mean (default 1)")
    flag("--growth-per-year", type=growth, default=1.0, help="1.5, or low,typical,high: 1,1.5,3")
    flag("--utilisation-frac", type=share, help="share of the hours in which the load comes")
    slo = one.add_argument_group("SLO")
    flag = slo.add_argument
    flag("--ttft", type=seconds, help="seconds to the first token, or 500ms (default 1)")
    flag("--itl", "--tpot", dest="itl", type=seconds,
         help="seconds per token, or 30ms (default 0.05)")  # fmt: skip
    flag("--attainment", type=share, help="share of requests within both (default 0.95)")
    flag("--deadline-h", type=hours, default=0.0, help="hours that work may wait")
    worth = one.add_argument_group("what it is worth")
    flag = worth.add_argument
    flag("--value-per-answer", type=amount, help="USD of an answer that is right and in time")
    flag("--right", nargs="+", default=[], metavar="MODEL=SHARE",
         help="share of right answers to your task (default: its GPQA Diamond score)")  # fmt: skip
    flag("--quality-floor", type=share, default=0.0, help="least share of right answers")
    flag("--tier", nargs="+", default=[], metavar="NAME=TTFT/ITL[/USD]",
         help="limits to choose from, and what an answer within them is worth")  # fmt: skip
    menu = one.add_argument_group("what may be used")
    flag = menu.add_argument
    flag("--accelerator", type=listed, help="e.g. H100,MI300X (default: all with a price)")
    flag("--precision", type=listed, help="bf16, fp8, fp4, … (default: bf16 and fp8)")
    flag("--term", type=listed, help=f"of {', '.join(COMMITMENT_MONTHS)}")
    flag("--seller", type=listed, help="of tokens (default: all that list the model)")
    flag("--no-api", action="store_true", help="nobody sells this model: an own fine-tune")
    flag("--on-premises", action="store_true", help="data must stay: only own machines")
    flag("--region", help="a site of the catalogue, or a cloud's region such as us-east-1")
    flag("--price", nargs="+", default=[], metavar="ACCELERATOR[:TERM]=USD_PER_HOUR",
         help="your own rents")  # fmt: skip
    flag("--api-price", nargs="+", default=[], metavar="SELLER=IN/OUT[/CACHED]",
         help="your own quotes, USD per million tokens")  # fmt: skip
    flag("--prices", help="a CSV file of your own prices")
    flag("--measured", nargs="+", default=[], metavar="SELLER=TOKENS_PER_S/TTFT_S",
         help="your own tests of sellers")  # fmt: skip
    flag("--licence-usd-per-gpu-year", type=amount, default=0.0, help="default: 0, open engines")
    flag("--horizon-years", type=years, default=3, help="default 3")
    flag("--spare", type=int, default=0, help="spare replicas, 1 for N+1")
    one.add_argument("--json", action="store_true", help="print one JSON object")
    one.add_argument("--out", nargs="+", default=[], help="new .html, .md, .xlsx files")
    one.set_defaults(run=run_decide)


def add_init(commands: Any) -> None:
    """The parser of ``econ init``."""
    one = commands.add_parser("init", help="write a scenario with comments, for econ decide")
    one.add_argument("file", nargs="?", default="service.toml", help="default service.toml")
    one.set_defaults(run=run_init)


def run_init(options: argparse.Namespace) -> int:
    """Write the commented scenario; never over a file that is there."""
    print(f"written: {export(commented_scenario(), options.file).name}")
    return 0


def flags_of_file(path: str | Path) -> list[str]:
    """The flags that a file of `econ init` stands for."""
    text = text_of(path, MOST_BYTES, "a file of econ init")
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of too many digits or levels
        raise ValueError(f"{Path(path).name}: {error}") from None
    words: list[str] = []
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        if flag not in known_flags():
            names = [known[2:].replace("-", "_") for known in known_flags()]
            raise unknown(f"setting of {Path(path).name}", name, names)
        if value is True:
            words.append(flag)
        elif value is not False:
            items = value if isinstance(value, list) else [value]
            words += [flag, *map(str, items)]
    return words


def known_flags() -> list[str]:
    """The flags of ``econ decide``."""
    commands = argparse.ArgumentParser().add_subparsers()
    add_decide(commands)
    words = commands.choices["decide"]._option_string_actions
    return [word for word in words if word.startswith("--")]


def run_decide(options: argparse.Namespace) -> int:
    """Answer, print, write."""
    check_new(options.out, ENDINGS)
    scenario, settings = asked(options)
    answer = decide(scenario, **settings)
    for name in options.out:  # whoever reads may stop reading: `econ decide … | head`
        write_answer(answer, name)
    if options.json:
        print(json.dumps(answer.to_dict(), indent=2, allow_nan=False))
    else:
        print("\n\n".join(filter(None, [str(answer), worth_line(answer)])))
        print(f"\nassumed: {assumed_line(answer)}")
        for title, sentences in (("a finished task", answer.task_words()),
                            ("would change it", answer.what_would_change_it),
                            ("measure next", answer.measure_next),
                            ("rests on", answer.notes)):  # fmt: skip
            if sentences:
                print("\n".join([f"\n{title}:", *(f"  {text}" for text in sentences)]))
        print("".join(f"written: {name}\n" for name in options.out), end="")
    return 0


def write_answer(answer: Decision, name: str) -> None:
    """The memo as a page, as Markdown, or the finance side as a workbook."""
    ending = Path(name).suffix.lower()
    if ending == ".html":
        from econ.report import decision_html

        export(decision_html(answer), name)
    elif ending == ".md":
        export(answer.memo(), name)
    else:
        from econ.decision.workbook import workbook

        export(workbook(answer), name)


def asked(options: argparse.Namespace) -> tuple[Scenario, dict[str, Any]]:
    """The scenario and the settings of `decide` that the flags say."""
    sold_as, terms, precisions = "", options.term, options.precision
    model = options.model[0] if options.model else ""
    try:
        scenario = base_scenario(options)
        if model:
            named = model_named(model)
            scenario, sold_as = scenario.with_(model=named.model), named.sold_as
            precisions = precisions or ([named.precision] if named.precision else None)
    except OnlySold as error:  # its API can still be weighed
        if options.no_api or options.on_premises:
            raise
        print(f"{error}: only its sellers are weighed", file=sys.stderr)
        scenario = Scenario.default().with_(name=f"A service on {model}")
        sold_as, terms = model, ["api"]
    if options.name:
        scenario = scenario.with_(name=options.name)
    if options.utilisation_frac is not None:
        scenario = scenario.with_(utilisation_frac=options.utilisation_frac)
    scenario, trace = with_log(scenario, options)
    scenario = at_load(scenario, options)
    if options.region:
        scenario = placed(scenario, options.region)
    prices, rents = read_quotes(options.prices) if options.prices else ([], {})
    rents |= rents_typed(options.price)
    if options.accelerator:
        check_used(rents, options.accelerator)
    return scenario, {
        "accelerators": accelerators_named(options.accelerator),
        "precisions": precisions,
        **worth_typed(options),
        **sessions_typed(options),
        "horizon_years": options.horizon_years,
        "peak_factor": options.peak_factor,
        "growth_per_year": options.growth_per_year,
        "deadline_h": options.deadline_h,
        "cache_ttl_s": options.cache_ttl_s,
        "no_api": options.no_api,
        "on_premises": options.on_premises,
        "terms": terms,
        "sellers": options.seller,
        "region": options.region or "",
        "sold_as": sold_as,
        "api_prices": [*prices, *map(quoted_price, options.api_price)],
        "prices_usd_per_gpu_hour": rents,
        "measured": dict(map(speed_measured, options.measured)),
        "licence_usd_per_gpu_year": options.licence_usd_per_gpu_year,
        "n_spare": options.spare,
        "trace": trace,
    }


def with_log(
    scenario: Scenario, options: argparse.Namespace
) -> tuple[Scenario, pd.DataFrame | None]:
    """The scenario with the load of the log that was named, and the log."""
    if not options.trace:
        return scenario, None
    columns = renamed(",".join(options.columns))
    trace = read_trace(options.trace, unit=options.unit, columns=columns)
    print(describe_trace(trace), file=sys.stderr)
    own = Workload.from_trace(trace, title=Path(options.trace).stem)
    return scenario.with_(workload=own), trace


def base_scenario(options: argparse.Namespace) -> Scenario:
    """The scenario of a JSON file, or a chat on the model that was named."""
    if options.scenario is None:
        if not options.model:
            raise ValueError("give --model, or a file that `econ init` writes")
        model = model_named(options.model[0]).model
        return Scenario.of(model, "h100-sxm", name=f"A service on {catalog.model(model).name}")
    return read_scenario(options.scenario)


def read_scenario(path: str | Path | None) -> Scenario:
    """The scenario in a file, or the default.

    Parameters
    ----------
    path : str or Path, optional
        A JSON file of format 1 or 2.

    Raises
    ------
    ValueError
        For what is no scenario, with the file's name and the reason.
    OSError
        For a file that cannot be read.
    """
    if path is None:
        return Scenario.default()
    text = text_of(path, MOST_BYTES, "a scenario")
    try:
        return Scenario.from_json(text)
    except ValueError as error:
        raise ValueError(f"{Path(path).name}: {error}") from None
