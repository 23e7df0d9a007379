"""The controls of the decision's form, by name."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from econ.catalog.tables import table
from econ.decision.menu import COMMITMENT_MONTHS, USUAL
from econ.tokens.clock import UNITS
from econ.tokens.workloads import workloads_frame

WIDE = {"layout": {"width": "340px"}, "style": {"description_width": "150px"}}
OWN_LOAD = "the log's or workload's own"
LOADS = {"tokens a day": "--tokens-per-day", "requests a second": "--requests-per-s", OWN_LOAD: ""}


def controls() -> dict[str, Any]:
    """The controls by name, in the order of the page."""

    def text(title: str, value: str = "", hint: str = "") -> widgets.Text:
        return widgets.Text(value=value, placeholder=hint, description=title, **WIDE)

    def several(title: str, options: list[str], value: tuple[str, ...] = ()) -> Any:
        return widgets.SelectMultiple(
            options=options, value=value, rows=6, description=title, **WIDE
        )

    workloads = list(workloads_frame().index)
    clocks = [("as the file shows", ""), *zip(UNITS, UNITS, strict=True)]
    chips = sorted(set(table("rentals")["accelerator"]))
    return {
        "model": widgets.Combobox(value="llama-3.1-70b", options=list(table("models").index),
                                  description="Model", **WIDE),
        "of": widgets.Dropdown(options=list(LOADS), description="Load in", **WIDE),
        "amount": text("Load", "40M", "40M, or 0.5"),
        "workload": widgets.Dropdown(options=workloads, value="chat", description="Workload",
                                     **WIDE),
        "unit": widgets.Dropdown(options=clocks, description="Log's clock in", **WIDE),
        "columns": text("Log's columns", hint="when=arrival_s,isl=input_tokens"),
        "input": text("Prompt tokens", hint="the workload's"),
        "output": text("Answer tokens", hint="the workload's"),
        "cached": text("Cached share", hint="0 to 1; the workload's"),
        "peak": text("Peak over mean", "1"),
        "growth": text("Growth a year", "1", "1.5, or low,typical,high"),
        "ttft": text("TTFT limit (s)", "1"),
        "itl": text("Per token (s)", "0.05"),
        "attainment": text("Share within both", "0.95"),
        "deadline": text("May wait (h)", "0"),
        "accelerators": several("Accelerators", chips),
        "terms": several("Terms", list(COMMITMENT_MONTHS), USUAL),
        "no_api": widgets.Checkbox(description="Nobody sells this model", **WIDE),
        "on_premises": widgets.Checkbox(description="Data must stay", **WIDE),
        "region": text("Region", hint="a site, or us-east-1"),
        "api_price": text("Quotes of sellers", hint="Acme=0.10/0.40/0.02 …"),
        "price": text("Quotes of hours", hint="H100=2.50 H100:reserved=1.90 …"),
        "measured": text("Tests of sellers", hint="Acme=80/0.4 …"),
        "worth": text("An answer's value", hint="USD, if right and in time"),
        "right": text("Right answers", hint="Qwen/Qwen3-32B=0.7 …"),
        "floor": text("Least right share", hint="0 to 1"),
        "horizon": text("Horizon (years)", "3"),
        "spare": text("Spare replicas", "0"),
    }  # fmt: skip
