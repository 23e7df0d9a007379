"""Scenarios, one change for every field, and the stations that the flow tests walk."""

import dataclasses
import datetime
from collections.abc import Callable

import econ

CHAT = econ.Scenario.default().with_(rate_per_s=4.0)
RAG = CHAT.with_(
    name="RAG", workload=dataclasses.replace(econ.tokens.workload("rag"), rate_per_s=2)
)
BUSY = CHAT.with_(name="busy", rate_per_s=8.0)  # so that not every request is good
OWNED = CHAT.with_(name="owned", finance=econ.Finance(tenure="owned", utilisation_frac=0.6))
MIXTURE = econ.Scenario.of(
    "gpt-oss-120b", "h100-sxm", n_gpu=8, tp=4, dp=2, ep=8, precision="fp4",
    rate_per_s=4.0, name="mixture",
)  # fmt: skip

_longer = tuple(1.5 * v for v in CHAT.workload.input_quantile_tokens)
_wordier = tuple(1.5 * v for v in CHAT.workload.output_quantile_tokens)

# field -> (the base it is changed on, the change)
CHANGES: dict[str, tuple[econ.Scenario, dict]] = {
    "name": (CHAT, {"name": "another name"}),
    "model": (CHAT, {"model": "llama-3.1-8b"}),
    "site": (OWNED, {"site": "france"}),
    "operator": (OWNED, {"operator": "google"}),
    "site_mw": (CHAT, {"site_mw": 0.01}),
    "rack_kw": (CHAT, {"rack_kw": 8.0}),
    "workload.arrival": (CHAT, {"arrival": "all_at_once"}),
    "workload.rate_per_s": (CHAT, {"rate_per_s": 8.0}),
    "workload.arrival_cv": (BUSY, {"arrival_cv": 4.0}),
    "workload.input_quantile_tokens": (CHAT, {"input_quantile_tokens": _longer}),
    "workload.output_quantile_tokens": (CHAT, {"output_quantile_tokens": _wordier}),
    "workload.rank_correlation": (BUSY, {"rank_correlation": 0.9}),
    "workload.cached_frac": (CHAT, {"cached_frac": 0.6}),
    "workload.reasoning_frac": (CHAT, {"reasoning_frac": 0.5}),
    "workload.task": (CHAT, {"task": econ.tokens.Task(n_turns=10, solved_frac=0.5)}),
    "deployment.accelerator": (CHAT, {"accelerator": "h200-sxm"}),
    "deployment.n_gpu": (CHAT, {"n_gpu": 8}),
    "deployment.tp": (CHAT, {"tp": 2}),
    "deployment.pp": (CHAT, {"tp": 2, "pp": 2}),
    "deployment.ep": (MIXTURE, {"ep": 1}),
    "deployment.dp": (MIXTURE, {"dp": 1, "ep": 4}),
    "deployment.precision": (CHAT, {"precision": "bf16"}),
    "deployment.kv_precision": (CHAT, {"kv_precision": "fp8"}),
    "deployment.engine": (CHAT, {"engine": "sglang"}),
    "deployment.software_maturity": (CHAT, {"software_maturity": 0.5}),
    "deployment.as_of": (
        econ.Scenario.of(
            "deepseek-v3",
            "h200-sxm",
            n_gpu=8,
            tp=8,
            precision="fp8",
            engine="sglang",
            policy="chunked_prefill",
            rate_per_s=1.0,
        ),
        {"as_of": "2025-12"},
    ),
    "deployment.max_batch": (CHAT, {"max_batch": 4}),
    "deployment.token_budget": (BUSY, {"token_budget": 256}),
    "deployment.prefill_budget_tokens": (BUSY, {"prefill_budget_tokens": 256}),
    "deployment.stream_interval": (CHAT, {"stream_interval": 10}),
    "deployment.recv_interval": (CHAT, {"recv_interval": 30}),
    "deployment.dp_wait_steps": (MIXTURE, {"dp_wait_steps": 60}),
    "deployment.batch_wait_steps": (CHAT, {"batch_wait_steps": 20}),
    "deployment.scheduling": (CHAT, {"scheduling": "sync"}),
    "deployment.policy": (BUSY, {"policy": "prefill_first"}),
    "slo.ttft_s": (CHAT, {"ttft_s": 0.15}),
    "slo.tpot_s": (CHAT, {"tpot_s": 0.018}),
    "slo.attainment_frac": (CHAT.with_(rate_per_s=6.25), {"attainment_frac": 0.999}),
    "finance.tenure": (CHAT, {"tenure": "owned"}),
    "finance.term": (CHAT, {"term": "reserved"}),
    "finance.cost_usd_per_gpu_hour": (CHAT, {"cost_usd_per_gpu_hour": 2.5}),
    "finance.utilisation_frac": (CHAT, {"utilisation_frac": 0.25}),
    "finance.cost_of_capital_frac": (OWNED, {"cost_of_capital_frac": 0.2}),
    "finance.life_years": (OWNED, {"life_years": 3.0}),
    "finance.server_usd": (OWNED, {"server_usd": 200_000.0}),
}
# what describes and does not count: shown to a reader, felt by no number
DESCRIPTIVE = {"workload.id", "workload.title", "workload.source", "finance.source"}


def _plan(s: econ.Scenario):
    return econ.plan.plan(
        s, accelerators=[s.deployment.accelerator], precisions=[s.deployment.precision],
        n_refined=1, concurrencies=[8, 32], n=400,
    )  # fmt: skip


QUOTE = econ.catalog.Price(
    model="", provider="Acme", input_usd_per_mtok=0.5, output_usd_per_mtok=1.5
)  # so that there is an answer for models that nobody lists


def _decide(s: econ.Scenario):
    return econ.decide(
        s, [s.deployment.accelerator], [s.deployment.precision], api_prices=[QUOTE], n_refined=2,
        n_draws=60, on=datetime.date(2026, 11, 29),
    )  # fmt: skip


STATIONS: dict[str, Callable[[econ.Scenario], object]] = {
    "latency": lambda s: econ.latency.predict(s, concurrency=32),
    "serving": lambda s: econ.serving.simulate(s, n=400),
    "energy": lambda s: econ.energy.energy(s, concurrency=32),
    "tco": lambda s: econ.tco.cost(s),
    "plan": _plan,
    "bill": lambda s: econ.bill(s, n=400),
    "sessions": lambda s: econ.plan.agent_cost(s, "support", rate_per_s=6.0, n=40),
    "decide": _decide,
}


def fields_of(thing: object = CHAT, path: str = "") -> list[str]:
    """Every field of a scenario by path; a model, site or accelerator counts as one."""
    paths: list[str] = []
    for item in dataclasses.fields(thing):
        value = getattr(thing, item.name)
        if dataclasses.is_dataclass(value) and item.name in (
            "workload",
            "deployment",
            "slo",
            "finance",
        ):
            paths += fields_of(value, f"{item.name}.")
        else:
            paths.append(path + item.name)
    return paths
