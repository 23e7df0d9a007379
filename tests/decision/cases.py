"""The buyer's question, decided once for all tests."""

import dataclasses
import datetime
import functools

import econ

TOKENS_PER_DAY = 40e6
DAY = datetime.date(2026, 11, 29)
QUICK = {"accelerators": ["H100"], "precisions": ["fp8"], "n_refined": 1, "n_draws": 200, "on": DAY}


def scenario(tokens_per_day: float = TOKENS_PER_DAY, **changes) -> econ.Scenario:
    s = econ.Scenario.of("qwen3-32b", "h100-sxm")
    w = s.workload
    rate = tokens_per_day / 86_400 / (w.mean_input_tokens + w.mean_output_tokens)
    return s.with_(rate_per_s=rate, **changes)


@functools.cache
def answer() -> econ.decision.Decision:
    return econ.decide(scenario(), sold_as="Qwen/Qwen3-32B", **QUICK)


@functools.cache
def busy() -> econ.decision.Decision:
    """Thirty GPUs at noon, a third of that at night: room for base and burst."""
    s = scenario(10e9)
    return econ.decide(s, peak_factor=1.8, growth_per_year=1.2, **QUICK)


@functools.cache
def everything(tokens_per_day: float) -> econ.decision.Decision:
    """All that can be rented or bought."""
    return econ.decide(scenario(tokens_per_day), **(QUICK | {"accelerators": None}))


def option(decision, kind, seller=None):
    return next(
        o for o in decision.options if o.kind == kind and (seller is None or o.seller == seller)
    )


def priced(provider="Acme", **usd):
    from econ.catalog.prices import Price

    rates = {"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.4} | usd
    return Price(model="", provider=provider, **rates)


def slower(s, **slo):
    return dataclasses.replace(s, slo=dataclasses.replace(s.slo, **slo))
