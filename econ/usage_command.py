"""``econ usage FILE``: what a bill says, what the list says, and the scenario it asks for.

The scenario goes on into ``econ plan`` and ``econ decide``: you pay this; what else could you do?
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from econ.catalog.catalog import model as model_of
from econ.catalog.guard import UnknownName
from econ.catalog.records import plain_json
from econ.catalog.tables import table
from econ.scenario import Scenario
from econ.tokens.trace_columns import renamed
from econ.tokens.usage import read_usage
from econ.tokens.usage_bill import UsageBill


def add_to(commands: Any) -> None:
    """Add ``usage`` to the commands of a parser."""
    usage = commands.add_parser("usage", help="read a bill, and price its tokens at list prices")
    usage.add_argument("files", nargs="+", help="usage and cost exports of the same days")
    own = "names of the file's columns and ours: when=day,llm=model,in=input,out=output"
    usage.add_argument("--columns", action="append", default=[], metavar="THEIRS=OURS", help=own)
    usage.add_argument("--usd-per", nargs="+", default=[], metavar="CURRENCY=USD",
                       help="what another currency is worth: EUR=1.08")  # fmt: skip
    usage.add_argument("--model", help="an open model to serve the tokens with, for --out")
    usage.add_argument("--like", choices=list(table("workloads").index),
                       help="spread of lengths where the export gives sums")  # fmt: skip
    usage.add_argument("--requests-per-day", type=float, help="where the export counts none")
    usage.add_argument("--out", help="a new .json file with the scenario")
    usage.add_argument("--json", action="store_true", help="print one JSON object")
    usage.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the exports, print the bill, write the scenario."""
    if options.out and Path(options.out).exists():
        raise FileExistsError(f"{options.out} is there already and is left as it is: name another")
    bill = read_usage(
        *options.files,
        columns=renamed(",".join(options.columns)),
        usd_per=_rates(options.usd_per),
    )
    scenario = None
    if options.out or options.model:
        scenario = scenario_of(
            bill, options.model, like=options.like, requests_per_day=options.requests_per_day
        )
    if options.out and scenario is not None:
        Path(options.out).write_text(scenario.to_json(), encoding="utf-8")
    if options.json:
        answer = bill.row() | {
            "read": bill.read,
            "models": bill.by("model").reset_index().to_dict("records"),
            "kinds": bill.kinds().to_dict("records"),
            "services": bill.services().to_dict("records"),
        }
        print(plain_json(answer))
        return 0
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
        print(f"written: {options.out}; go on with econ plan {options.out}")
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


def scenario_of(
    bill: UsageBill,
    model: str | None = None,
    *,
    like: str | None = None,
    requests_per_day: float | None = None,
) -> Scenario:
    """The scenario that a bill asks for: its load on an open model.

    Parameters
    ----------
    bill : UsageBill
        What `econ.tokens.read_usage` returns.
    model : str, optional
        An open model, e.g. ``"qwen3-32b"``; left out, the bill's own where the catalogue has it.
    like, requests_per_day
        As in `UsageBill.workload`.

    Raises
    ------
    ValueError
        For a bill of closed models, where no open one is named.
    """
    for name in (model,) if model else bill.models:
        try:
            served = model_of(name)
        except UnknownName:
            if model:
                raise
            continue
        load = bill.workload(like=like, requests_per_day=requests_per_day)
        known = served.id if served.id in table("models").index else served
        return Scenario.default().with_(model=known, workload=load)
    raise ValueError(
        f"{bill.read['file']}: none of {', '.join(bill.models) or 'its models'} is an open model "
        "of the catalogue: name the one that could take its place with --model"
    )
