"""Lesson 14, value: which model, fleet and tier earn the most.

>>> winners_frame()["model"].nunique() >= 3  # another model earns most at another worth
True
"""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from econ.catalog import quality
from econ.catalog.menus import answering
from econ.catalog.units import HOUR_S, KILO
from econ.charts import Drawing, Panel, figure, panel, slider
from econ.latency.prediction import predict_scenarios
from econ.plan import seller_side
from econ.scenario import Scenario
from econ.terms import Slo
from econ.value import LEVERS_OF_ANSWERS_2026, Levers, Value, levers, value

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "qwen3-32b", "gpt-oss-20b", "gpt-oss-120b")
MODEL = "llama-3.1-70b"  # of the operating point
ACCELERATORS = ("h100-sxm", "h200-sxm", "b200-sxm")
ANSWERS_PER_S = 50.0
WORTHS_USD = (0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01)
SERVICES = {
    "batch": "within a day",
    "flex": "when there is room",
    "standard": "at once",
    "priority": "before the others",
}
USERS = (4, 8, 16, 32, 64, 96, 128, 192, 256, 384)
QUICK, EASY = Slo(ttft_s=0.5, tpot_s=0.02), Slo(ttft_s=2.0, tpot_s=0.05)


@functools.cache
def best(value_usd: float, models: tuple[str, ...] = MODELS) -> Value:
    """The option of the lesson's menu that earns the most."""
    return value(
        Scenario.default(), value_usd_per_answer=value_usd, models=models,
        accelerators=ACCELERATORS, demand_per_s=ANSWERS_PER_S,
    )  # fmt: skip


def menu_frame() -> pd.DataFrame:
    """Each model: right share, tokens an answer, and its least USD per answer and per right one.

    Right answers are those to GPQA Diamond, which stands in for a task of one's own.
    """
    options = best(WORTHS_USD[-1]).options
    options = options.assign(
        usd_per_answer=options["cost_usd_per_hour"] / HOUR_S / options["answers_per_s"]
    )
    rows = []
    for model in MODELS:
        score, own = quality(model), options[options["model"] == model]
        rows.append((model, score.score_frac, own["output_tokens"].iloc[0],
                     KILO * own["usd_per_answer"].min(),
                     KILO * own["break_even_usd_per_answer"].min()))  # fmt: skip
    columns = ["model", "right_frac", "output_tokens", "usd_per_1000_answers", "usd_per_1000_right"]
    return pd.DataFrame(rows, columns=columns)


def menu_chart(frame: pd.DataFrame) -> Drawing:
    """Cost of an answer beside that of a right answer in time."""
    long = frame.rename(
        columns={"usd_per_1000_answers": "an answer", "usd_per_1000_right": "a right one in time"}
    ).melt("model", ["an answer", "a right one in time"], "of", "usd")
    cheap = frame.set_index("model")
    small, large = cheap.loc["llama-3.1-8b"], cheap.loc["gpt-oss-120b"]
    return figure(
        long, "usd", "model", by="of", kind="point", log="x", form="${:.2f}", sort=None,
        x_title="USD per 1,000",
        finding="Per answer the large model costs "
        f"{large.usd_per_1000_answers / small.usd_per_1000_answers:.0f} times the small one's, "
        f"per right answer {large.usd_per_1000_right / small.usd_per_1000_right:.0f} times",
    )  # fmt: skip


@functools.cache
def winners_frame() -> pd.DataFrame:
    """The best option for each worth of an answer: model, accelerators, profit."""
    rows = []
    for worth in WORTHS_USD:
        one = best(worth)
        rows.append((KILO * worth, one.model or "nothing", one.accelerator, one.n_gpu,
                     one.profit_usd_per_hour, one.accepted_per_s))  # fmt: skip
    columns = ["usd_per_1000", "model", "accelerator", "n_gpu", "profit_usd_per_hour",
               "accepted_per_s"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def profit_frame() -> pd.DataFrame:
    """The highest profit of each model over the worth of an answer: a line for each option."""
    options, rows = best(WORTHS_USD[-1]).options, []
    for worth in np.geomspace(WORTHS_USD[0], WORTHS_USD[-1], 25):
        profit = HOUR_S * options["accepted_per_s"] * worth - options["cost_usd_per_hour"]
        most = profit.groupby(options["model"]).max()
        rows += [(KILO * worth, model, most[model]) for model in MODELS]
    return pd.DataFrame(rows, columns=["usd_per_1000", "model", "profit_usd_per_hour"])


def profit_chart(frame: pd.DataFrame) -> Drawing:
    """Who earns most at which worth; drawn per answer worth a dollar, so that lines can cross."""
    rows = frame.assign(kept_frac=frame["profit_usd_per_hour"]
                        / (HOUR_S * ANSWERS_PER_S * frame["usd_per_1000"] / KILO))  # fmt: skip
    winners = rows.loc[rows.groupby("usd_per_1000")["kept_frac"].idxmax(), "model"]
    names = list(dict.fromkeys(winners))
    return figure(
        rows[rows["kept_frac"] > -0.5], "usd_per_1000", "kept_frac", by="model", log="x",
        x_title="Worth of 1,000 right answers (USD)",
        y_title="Profit over what all answers could be worth",
        rule_y=0.0, form="{:.0%}",
        finding=f"As an answer gains worth, the best model changes {len(names) - 1} times: "
        + ", ".join(names),
    )  # fmt: skip


def cascade_finding(frame: pd.DataFrame) -> str:
    """What the chart of cascades finds: until which check two models earn more than one."""
    wide = frame.set_index(["keeps_percent", "option"])["profit_usd_per_hour"].unstack()  # noqa: PD010
    pair = next(name for name in wide if " then " in name)
    ahead_usd = wide[pair] - wide.drop(columns=pair).max(axis=1)
    if (ahead_usd <= 0).all():
        return "No check makes this pair earn more than the better model alone"
    if (ahead_usd > 0).all():
        return "The pair earns most with every check here"
    most_percent = np.interp(0.0, -ahead_usd, wide.index)  # falls as more wrong answers pass
    return (
        f"The pair earns most while the check lets fewer than {most_percent:.0f} % of wrong "
        "answers pass"
    )


@functools.cache
def operating_points(model: str) -> tuple[Scenario, pd.DataFrame]:
    """The default scenario with a model, and its times by number of users: no price moves them."""
    s = Scenario.default().with_(model=model)
    return s, predict_scenarios([s] * len(USERS), concurrency=list(map(float, USERS)))


def operating_frame(model: str = MODEL, quick_factor: float = 3.0) -> pd.DataFrame:
    """One replica from few users to many: speed, throughput, and profit in two tiers.

    A tier pays for answers within its limits, and nothing for later ones. The quick tier pays
    ``quick_factor`` times as much as the easy one.
    """
    s, out = operating_points(model)
    answers = out["output_tokens_per_s_per_gpu"] * HOUR_S / s.workload.mean_output_tokens
    right = answering([model])[0].right_in(s.deployment.precision)
    rent = s.cost_usd_per_gpu_hour
    parts = []
    for name, slo, usd in (("quick", QUICK, quick_factor), ("easy", EASY, 1.0)):
        in_time = (out["ttft_s"] <= slo.ttft_s) & (out["tpot_s"] <= slo.tpot_s)
        earned = answers * right * slo.attainment_frac * in_time * usd / KILO
        parts.append(pd.DataFrame({
            "users": USERS, "tier": name, "tokens_per_s_per_user": 1 / out["tpot_s"],
            "tokens_per_s_per_gpu": out["output_tokens_per_s_per_gpu"],
            "profit_usd_per_gpu_hour": earned - rent,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def operating_chart(frame: pd.DataFrame) -> Drawing:
    """Profit of an accelerator over the speed that each user gets."""
    top = frame.loc[frame["profit_usd_per_gpu_hour"].idxmax()]
    full = frame.loc[frame["tokens_per_s_per_gpu"].idxmax()]
    return figure(
        frame, "tokens_per_s_per_user", "profit_usd_per_gpu_hour", by="tier", points=True,
        log="x", rule_y=0.0, x_title="Tokens per second for each user",
        y_title="Profit (USD per GPU-hour)",
        finding=f"Most is earned with {top.users:.0f} users in the {top.tier} tier, "
        f"not at full throughput with {full.users:.0f}",
        subtitle="One replica from 384 users (left) to 4 (right)",
    )  # fmt: skip


def operating_panel() -> Panel:
    """The operating point as prices move."""

    def rows(quick_factor: float, worth: float) -> pd.DataFrame:
        frame = operating_frame(quick_factor=quick_factor)
        rent = operating_points(MODEL)[0].cost_usd_per_gpu_hour
        earned = (frame["profit_usd_per_gpu_hour"] + rent) * worth
        return frame.assign(profit_usd_per_gpu_hour=earned - rent)

    return panel(
        rows,
        operating_chart,
        presets={"quick pays 3 times": {}, "quick pays the same": {"quick_factor": 1.0}},
        heading="Where a replica earns most depends on what speed is paid",
        quick_factor=slider(1, 10, value=3, step=0.5, label="Quick tier pays (times)"),
        worth=slider(0.5, 10, value=1, step=0.5, label="1,000 right answers (USD)"),
    )


@functools.cache
def lesson_levers() -> Levers:
    """The ten levers on a service of eight users at 40 % use, by the accepted answer."""
    return levers(Scenario.default().with_(utilisation_frac=0.4), LEVERS_OF_ANSWERS_2026)


def services_frame(model: str = "gpt-5") -> pd.DataFrame:
    """The services of a seller: when it answers, and USD per 1,000 answers of the chat service."""
    rows = [
        (
            service,
            when,
            KILO * seller_side(Scenario.default(), model, service=service).usd_per_answer,
        )
        for service, when in SERVICES.items()
    ]
    return pd.DataFrame(rows, columns=["service", "when", "usd_per_1000_answers"])


def levers_chart(fall: Levers) -> Drawing:
    """Each lever's Shapley share, and its range over all orders."""
    rows = fall.shares.sort_values("share_frac", ascending=False)
    wide = rows.loc[(rows["high_share_frac"] - rows["low_share_frac"]).idxmax()]
    return figure(
        rows, "share_frac", "change", kind="range", low="low_share_frac", high="high_share_frac",
        sort=None, form="{:.0%}", x_title="Share of the fall (log scale of cost)",
        finding=f"{wide.change.capitalize()}: {wide.low_share_frac:.0%} to "
        f"{wide.high_share_frac:.0%} of the fall, by the order; {wide.share_frac:.0%} in the mean",
        subtitle="Bar: over all orders; mark: Shapley share",
    )  # fmt: skip


def site_frame(site_mw: float = 0.1, value_usd: float = 0.005) -> pd.DataFrame:
    """One small site, one accelerator at a time: what its megawatts hold and earn."""
    rows = []
    for chip in ACCELERATORS:
        one = value(
            Scenario.default().with_(site_mw=site_mw), value_usd_per_answer=value_usd,
            models=MODELS, accelerators=[chip], demand_per_s=1e5,
        )  # fmt: skip
        rows.append((chip, one.n_gpu, one.accepted_per_s, one.profit_usd_per_mw_hour, one.model))
    columns = ["accelerator", "n_gpu", "accepted_per_s", "profit_usd_per_mw_hour", "model"]
    return pd.DataFrame(rows, columns=columns)


def site_chart(frame: pd.DataFrame) -> Drawing:
    """Profit of a megawatt by accelerator."""
    top, low = (frame.loc[frame["profit_usd_per_mw_hour"].pipe(f)] for f in
                (pd.Series.idxmax, pd.Series.idxmin))  # fmt: skip
    return figure(
        frame, "profit_usd_per_mw_hour", "accelerator", kind="bar", form="${:,.0f}",
        x_title="Profit per megawatt of the site and hour (USD)",
        finding=f"A megawatt of {top.accelerator} earns "
        f"{top.profit_usd_per_mw_hour / low.profit_usd_per_mw_hour:.1f} times that of "
        f"{low.accelerator}",
        subtitle="Demand without end; accelerators rented; site power with server and cooling",
    )  # fmt: skip
