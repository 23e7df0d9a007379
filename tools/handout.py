"""One sheet of formulas and orders of magnitude: ``python tools/handout.py`` writes a PDF.

Four questions, in the order of the course: what an answer takes, how many are served, what an hour
of a machine costs, and what to do.

Every number on it is computed when it is printed, by the functions that the notebooks use.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from jinja2 import StrictUndefined, Template
from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from printing import to_pdf  # noqa: E402

from econ.catalog import accelerator, model, price, table  # noqa: E402
from econ.catalog.units import GIGA, KILO, MILLI, MONTHS_PER_YEAR, TERA  # noqa: E402
from econ.charts import three  # noqa: E402
from econ.energy.consumption import energy  # noqa: E402
from econ.energy.footprint import energy_kwh_per_mtok  # noqa: E402
from econ.latency import bound as env  # noqa: E402
from econ.latency import prediction as roofline  # noqa: E402
from econ.lessons import service_bill  # noqa: E402
from econ.lessons.l11_stack import hour_ladder_frame  # noqa: E402
from econ.scenario import Scenario  # noqa: E402
from econ.serving import queueing  # noqa: E402
from econ.tco import Utilisation, break_even_utilisation_frac, owner  # noqa: E402
from econ.tco.finance import capital_usd_per_month  # noqa: E402
from econ.tokens import token_bill  # noqa: E402
from econ.tokens.count import compression_frame  # noqa: E402
from econ.trends.rates import annual_factor, spend_ratio, years_to  # noqa: E402

OUT = ROOT / "build" / "handout.html"
CHIPS = ["a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200-sxm", "mi300x"]
MODELS = ["llama-3.1-8b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3"]
CASE = {"model": "llama-3.1-70b", "accelerator": "h100-sxm", "tp": 4, "precision": "fp8",
        "input_tokens": 1000, "output_tokens": 500}  # fmt: skip
FALL = (280, 23)  # times and months: GPT-3.5 in November 2022 to October 2024
USERS = (1, 16, 64)
LOADS = (0.5, 0.8, 0.9, 0.95)
USES = (1.0, 0.6, 0.3, 0.1)
MARKUPS = (0.5, 1.0, 3.0, 5.456)  # the last: a published day of DeepSeek
SELLERS = [("claude-opus-5", "Anthropic"), ("gpt-5", "OpenAI"), ("gemini-2.5-flash", "Google"),
           ("deepseek-v4-pro", "DeepSeek"), ("llama-3.1-70b", "Fireworks")]  # fmt: skip
STEPS = {"00": "bound × slowdown", "03": "latency model", "05": "idle hours", "11": "owned hour",
         "12": "decided"}  # fmt: skip
USED = Utilisation(available_frac=0.98, allocated_frac=0.85, busy_frac=0.6)  # as in notebook 11
TEMPLATE = ROOT / "tools" / "print" / "handout.html"


def grid(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    top = "".join(f'<th scope="col">{h}</th>' if h else "<td></td>" for h in head)
    body = "".join(f"<tr>{''.join(f'<td>{v}</td>' for v in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def chips() -> str:
    """Accelerators: memory, bandwidth, peak, ridge, power, newest rent on demand."""
    lists = table("rentals").query("term == 'on-demand'").sort_values("as_of")
    rents = lists.groupby("accelerator")["usd_per_gpu_hour"].last()
    rows = []
    for id in CHIPS:
        chip = accelerator(id)
        peak, bandwidth = chip.peak_flop_per_s("bf16"), chip.memory_bandwidth_bytes_per_s
        size = [f"{chip.memory_bytes / GIGA:.0f}", f"{bandwidth / TERA:.2f}"]
        speed = [f"{peak / TERA:,.0f}", f"{peak / bandwidth:.0f}", f"{chip.tdp_w:,.0f}"]
        rows.append([id, *size, *speed, f"{rents[id]:.2f}" if id in rents else ""])
    head = ["", "GB", "TB/s", "bf16 TFLOP/s", "FLOP/B", "W", "USD/h"]
    return grid(head, rows)


def models() -> str:
    """Models: parameters, bytes of weights, KV cache, the smallest step on one H100's bandwidth."""
    bandwidth = accelerator("h100-sxm").memory_bandwidth_bytes_per_s
    rows = []
    for id in MODELS:
        net, weights = model(id), roofline.weight_bytes(id, "fp8")
        kv = roofline.kv_bytes_per_token(id)
        rows.append([id, three(net.n_params / GIGA), three(net.active_params / GIGA),
                     three(weights / GIGA), f"{kv:,.0f}", f"{kv * 1e4 / GIGA:.2f}",
                     three(net.active_params / bandwidth / MILLI)])  # fmt: skip
    head = ["", "10⁹ params", "active", "GB, fp8", "KV B/token", "KV GB, 10k", "ms at batch 1*"]
    return grid(head, rows)


def bill() -> str:
    """The course's bill: what a thousand answers cost after each lesson that changes it."""
    rows = []
    for number, words in STEPS.items():
        frame = service_bill(number).frame.set_index("line")
        lines = frame["value" if "value" in frame else "after"]
        rows.append([f"{number} {words}", f"{lines['whole answer']:.1f}",
                     f"{lines['energy of an answer']:,.0f}",
                     f"{KILO * lines['cost of an answer']:.2f}"])  # fmt: skip
    return grid(["", "s an answer", "J an answer", "USD per 1,000"], rows)


def uses() -> str:
    """What a useful owned hour and its rivals cost."""
    ladder = hour_ladder_frame(Scenario.default()).set_index("layer")["price_usd"]
    own = ladder["owner"]
    rows = [[f"owned, {use:.0%} useful", f"{own / use:.2f}", ""] for use in USES]
    for name in ("reserved", "on_demand", "hyperscaler"):
        even = break_even_utilisation_frac(own, ladder[name])
        rows.append([name.replace("_", " "), f"{ladder[name]:.2f}", f"{min(even, 1):.0%}"])
    return grid(["one H100", "USD per useful hour", "owning pays from"], rows)


def margins() -> str:
    """The same profit over cost and over revenue."""
    rows = [[f"{markup:.0%}", f"{markup / (1 + markup):.1%}"] for markup in MARKUPS]
    return grid(["markup: of cost", "margin: of revenue"], rows)


def prices() -> str:
    """List prices, and what an answer of the course's service costs at each."""
    load = Scenario.default().workload
    sizes = {"input_tokens": load.mean_input_tokens, "output_tokens": load.mean_output_tokens}
    rows = []
    for id, seller in SELLERS:
        listed = price(id, seller)
        cached = listed.cached_input_usd_per_mtok
        rows.append([id, f"{listed.input_usd_per_mtok:.2f}",
                     "" if cached is None else f"{cached:.2f}", f"{listed.output_usd_per_mtok:.2f}",
                     f"{KILO * token_bill(listed, **sizes).total_usd:.2f}",
                     f"<nobr>{listed.in_force_since}</nobr>"])  # fmt: skip
    return grid(["USD per Mtok", "in", "cached", "out", "1,000 answers*", "in force"], rows)


def queues() -> str:
    """Waiting time in services, by load."""
    rows = []
    for rho in LOADS:
        waits = [queueing.mm1_wait_s(rho, 1.0), queueing.md1_wait_s(rho, 1.0)]
        tail = queueing.mm1_e2e_quantile_s(rho, 1.0, 0.99)
        rows.append([f"{rho:.0%}", *(f"{w:.1f}" for w in waits), f"{tail:.0f}"])
    return grid(["load ρ", "mean wait, M/M/1", "M/D/1", "P99 of wait + service"], rows)


def joules() -> str:
    """Energy of an output token of the case, its prompts included, by users."""
    rows = []
    for n in USERS:
        j = energy(Scenario.of(**CASE), concurrency=n).j_per_output_token
        rows.append([f"{n}", f"{j:.2f}", f"{energy_kwh_per_mtok(j):.3f}"])
    return grid(["users", "J per output token", "kWh per million"], rows)


def page() -> str:
    """The whole sheet."""
    slow = env.reality_frame()["slowdown"]
    case = Scenario.of(**CASE)
    tpots = [roofline.predict(case, concurrency=n).tpot_s / MILLI for n in (1, USERS[-1])]
    three_years, six = (capital_usd_per_month(1.0, 0.1025, years) for years in (3, 6))
    newest = date.fromisoformat(table("rentals")["as_of"].astype(str).max()[:7] + "-01")
    earned = service_bill("14").frame.set_index("line")["after"]
    return Template(TEMPLATE.read_text(encoding="utf-8"), undefined=StrictUndefined).render(
        tex=convert,
        chips=chips(),
        models=models(),
        bill=bill(),
        queues=queues(),
        joules=joules(),
        uses=uses(),
        margins=margins(),
        prices=prices(),
        sellers=", ".join(seller for _, seller in SELLERS),
        spread=compression_frame()["relative"].max(),
        slow=(slow.min(), slow.max()),
        case="Llama-3.1-70B, fp8, four H100, 1,000 in and 500 out",
        tpot_ms=tpots,
        users=USERS[-1],
        fall=FALL,
        per_year=annual_factor(FALL[0], FALL[1] / MONTHS_PER_YEAR),
        halves_years=years_to(0.5, 0.7),
        spend=spend_ratio(0.1, -1.5),
        groups=owner(Scenario.default()).groups().to_dict(),
        used=USED,
        worth_usd=KILO * earned["worth of an answer"],
        profit_usd=KILO * earned["profit of an answer"],
        shorter=three_years / six,
        newest=f"{newest:%B %Y}",
    )


def write(out: Path = OUT, pdf: bool = True) -> list[Path]:
    """The page as HTML, and as PDF where a Chromium is found."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(), encoding="utf-8")
    return [out, *(to_pdf([out]) if pdf else [])]


if __name__ == "__main__":
    print("\n".join(map(str, write())))
