"""``econ usage FILE``: what a bill says, what the list says, and the scenario it asks for.

With ``--decide``: you pay this; here is what else you could do. With ``--out``: the scenario, for
``econ plan`` and ``econ decide``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import pandas as pd

from econ.catalog.records import plain_json
from econ.catalog.tables import table
from econ.catalog.units import HOUR_S
from econ.decision import decide
from econ.decision.named import OnlySold, model_named
from econ.plan import check_new, export
from econ.scenario import Scenario
from econ.tokens.trace_columns import renamed
from econ.tokens.usage import read_usage


def add_to(commands: Any) -> None:
    """Add ``usage`` to the commands of a parser."""
    usage = commands.add_parser("usage", help="read a bill, and price its tokens at list prices")
    usage.add_argument("files", nargs="+", help="usage and cost exports of the same days")
    own = "names of the file's columns and ours: when=day,llm=model,in=input,out=output"
    usage.add_argument("--columns", action="append", default=[], metavar="THEIRS=OURS", help=own)
    usage.add_argument("--usd-per", nargs="+", default=[], metavar="CURRENCY=USD",
                       help="what another currency is worth: EUR=1.08")  # fmt: skip
    usage.add_argument(
        "--model", help="an open model to serve the tokens with; with --decide also a closed one"
    )
    usage.add_argument("--like", choices=list(table("workloads").index),
                       help="spread of lengths where the export gives sums")  # fmt: skip
    usage.add_argument("--requests-per-day", type=float, help="where the export counts none")
    usage.add_argument("--out", help="a new .json file with the scenario")
    usage.add_argument("--decide", action="store_true",
                       help="what else you could do, as econ decide says")  # fmt: skip
    usage.add_argument("--json", action="store_true", help="print one JSON object")
    usage.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the exports, print the bill, write the scenario."""
    check_new([options.out] if options.out else [], (".json",))
    bill = read_usage(
        *options.files,
        columns=renamed(",".join(options.columns)),
        usd_per=_rates(options.usd_per),
    )
    warning = ""
    if bill.period_s < HOUR_S:
        warning = f"{bill.read['file']} spans {bill.period_s:.3g} s: too short to say what a day is"
        if options.decide:
            raise ValueError(f"{warning}; give an hour or more for --decide")
    scenario = decision = None
    settings: dict[str, Any] = {}
    lengths = {"like": options.like, "requests_per_day": options.requests_per_day}
    if options.out or options.model or options.decide:
        model = None
        try:
            if options.model:
                model = model_named(options.model).model
            scenario = Scenario.from_bill(bill, model, **lengths)
        except OnlySold as error:  # its sellers can still be weighed
            if not options.decide or options.out:
                raise ValueError(
                    f"{error}. Name an open model that could take its place (--model "
                    "gpt-oss-120b), or ask for --decide alone, which weighs its sellers"
                ) from None
            scenario = Scenario.default().with_(workload=bill.workload(**lengths))
            settings = {"terms": ["api"], "sold_as": options.model}
        if options.out:
            export(scenario, options.out)
        if options.decide:
            decision = decide(scenario, **settings)
    if options.json:
        answer = bill.row() | {
            "read": bill.read,
            "warning": warning,
            "models": bill.by("model").reset_index().to_dict("records"),
            "kinds": bill.kinds().to_dict("records"),
            "services": bill.services().to_dict("records"),
        }
        if decision is not None:
            answer["decision"] = decision.to_dict()
        print(plain_json(answer))
        return 0
    if warning:
        print(f"Warning: {warning}; the figures a day are not to be relied on")
    print(bill.describe())
    print(f"${bill.usd_per_day:,.2f} and {bill.tokens_per_day:,.0f} tokens a day")
    columns = [
        "n_requests",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "billed_usd",
        "list_usd",
    ]
    models = bill.by("model")
    models["input_tokens"] = models.filter(regex="fresh|cache").sum(axis=1)
    models["cached_tokens"] = models["cache_read_tokens"]
    _print(models[columns].reset_index())
    if len(services := bill.services()):
        print("The same tokens at each service of the list:")
        _print(services)
    if options.out:
        print(f"written: {options.out}; go on with econ decide {options.out}")
    if decision is not None:
        saved = 1 - decision.chosen.usd_per_day / bill.usd_per_day
        print(
            f"You pay ${bill.usd_per_day:,.2f} a day. On "
            f"{settings.get('sold_as', decision.scenario.model_id)}:\n{decision}"
        )
        print(f"That is {abs(saved):.0%} {'less' if saved > 0 else 'more'} than you pay.")
    return 0


def _rates(pairs: Sequence[str]) -> dict[str, float]:
    rates = {}
    for pair in pairs:
        currency, _, usd = pair.partition("=")
        try:
            rates[currency] = float(usd)
        except ValueError:
            raise ValueError(f"--usd-per {pair!r}: give CURRENCY=USD, e.g. EUR=1.08") from None
    return rates


def _print(frame: pd.DataFrame) -> None:
    print(frame.to_string(index=False, float_format="{:,.6g}".format))
