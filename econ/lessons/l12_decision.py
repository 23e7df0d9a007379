"""Lesson 12, buy, rent, mix or call: the buyer's question and its answers.

>>> question().chosen.is_api
True
"""

from __future__ import annotations

import datetime
import functools
from typing import Any

import pandas as pd
from IPython.display import Markdown

from econ.catalog.units import DAY_S, MTOK
from econ.charts import Drawing, Panel, choice, figure, panel, slider
from econ.decision import Decision, decide
from econ.decision.pages import FAMILIES
from econ.decision.words import drawn_words, money, present_words, share_words, year_words
from econ.scenario import Scenario

DAY = datetime.date(2026, 11, 29)  # whose prices the lesson shows
MODEL, TOKENS_PER_DAY, BUSY_TOKENS_PER_DAY = "Qwen/Qwen3-32B", 40 * MTOK, 10_000 * MTOK
VOLUMES_MTOK = (10, 40, 160, 640, 1_280, 2_560, 5_120, 10_240)
SOLD = ("qwen3-32b", "gpt-oss-120b", "llama-3.3-70b", "deepseek-v3.2")  # of the panel
SETTINGS: dict[str, Any] = {"accelerators": ["h100-sxm"], "precisions": ["fp8"], "n_refined": 1}


def service(tokens_per_day: float = TOKENS_PER_DAY, model: str = MODEL) -> Scenario:
    """A chat on a model with so many tokens a day, in and out together."""
    s = Scenario.of(model, "h100-sxm", name=f"A chat on {model.rpartition('/')[2]}")
    w = s.workload
    rate = tokens_per_day / DAY_S / (w.mean_input_tokens + w.mean_output_tokens)
    return s.with_(rate_per_s=rate)


@functools.cache
def question(tokens_per_day: float = TOKENS_PER_DAY) -> Decision:
    """The decision at a volume, on H100 in fp8, at the prices of `DAY`."""
    answer: Decision = decide(service(tokens_per_day), sold_as=MODEL, on=DAY, **SETTINGS)
    return answer


@functools.cache
def busy() -> Decision:
    """A larger service whose busiest hour has 1.8 times the mean load."""
    s = service(BUSY_TOKENS_PER_DAY)
    answer: Decision = decide(s, sold_as=MODEL, on=DAY, peak_factor=1.8, **SETTINGS)
    return answer


def volume_frame() -> pd.DataFrame:
    """USD a day of the best API, rented and own machines over the volume."""
    rows = []
    for volume in VOLUMES_MTOK:
        answer = question(volume * MTOK)
        for family in ("api", "rent", "own"):
            if option := answer.best_of(family):
                rows.append((volume, family, option.usd_per_day, option.n_gpu))
    return pd.DataFrame(rows, columns=["mtok_per_day", "way", "usd_per_day", "n_gpu"])


def volume_chart(frame: pd.DataFrame) -> Drawing:
    """The three ways over the volume: a line and two staircases."""
    cost = {
        way: rows.set_index("mtok_per_day")["usd_per_day"] for way, rows in frame.groupby("way")
    }
    cheaper = cost["rent"] <= cost["api"]
    last, first = cheaper.index[~cheaper].max(), cheaper.index[cheaper].min()
    return figure(
        frame, "mtok_per_day", "usd_per_day", by="way", log="xy", points=True,
        x_title="Tokens a day (million)", y_title="USD a day",
        finding=f"Tokens by the list cost least up to {last:,} million a day; at {first:,} million "
        "rented machines do",
    )  # fmt: skip


@functools.lru_cache(maxsize=64)  # every stop of the panel: one that was looked at is there at once
def ways_frame(model: str, mtok_per_day: float) -> pd.DataFrame:
    """The best API, rented and own machines for a chat: way, usd_per_day, label, name, the SLO."""
    answer = decide(service(mtok_per_day * MTOK, model), n_refined=1, on=DAY)
    best = {words: answer.best_of(family) for family, words in FAMILIES.items()}
    rows = [
        (
            way,
            o.usd_per_day,
            money(o.usd_per_day),
            o.name,
            f"keeps the SLO: {_sure(o.p_keeps_slo)}",
        )
        for way, o in best.items()
        if o
    ]
    frame = pd.DataFrame(rows, columns=["way", "usd_per_day", "label", "name", "slo"])
    return frame.sort_values("usd_per_day", ignore_index=True)


def best_frame(answer: Decision) -> pd.DataFrame:
    """The best API, rented and own machines in words: each drawn number in the digits it allows."""
    best = [option for family in FAMILIES if (option := answer.best_of(family))]
    return pd.DataFrame(
        {
            "option": [o.name for o in best],
            "USD in the first year (nine cases in ten)": [year_words(o) for o in best],
            "over the horizon": [present_words(o) for o in best],
            "regret": [drawn_words(o, "regret_usd") for o in best],
        }
    )


def _sure(p_keeps_slo: float) -> str:
    return "unknown" if pd.isna(p_keeps_slo) else share_words(p_keeps_slo)


def ways_chart(frame: pd.DataFrame) -> Drawing:
    """`ways_frame` as bars."""
    first = frame.iloc[0]
    finding = f"{money(first['usd_per_day'])} a day: the {first['name']} costs least"
    each = "; ".join(f"{r.way}: {r.label}, {r.name}, {r.slo}" for r in frame.itertuples())
    return figure(
        frame, "usd_per_day", "way", kind="bar", label="label",
        sort=list(FAMILIES.values()), height=130, x_title="USD a day", finding=finding,
        says=f"{finding}. Bars of USD a day. {each}.",
    )  # fmt: skip


def ways_panel() -> Panel:
    """API, rent or own for a chat by model and volume, at the usual SLO and prices of `DAY`."""
    return panel(
        ways_frame,
        ways_chart,
        model=choice(SOLD, label="Model"),
        mtok_per_day=slider(1, 20_000, value=50, log=True, label="Million tokens a day"),
        presets={"a team": {}, "a product": {"mtok_per_day": 2_000}},
    )


def crossing_mtok_per_day() -> float:
    """The volume from which machines cost less than the best API for good, in Mtok a day."""
    return float(question().break_even["tokens_per_day"].min() / MTOK)


def kinds_frame(answer: Decision) -> pd.DataFrame:
    """The cheapest option of each kind: USD a day, accelerators, P(SLO), what it binds to."""
    rows = answer.frame().sort_values("usd_per_day").drop_duplicates("kind")
    columns = ["kind", "seller", "n_gpu", "usd_per_day", "p_keeps_slo", "commitment_months"]
    return rows[columns].reset_index(drop=True)


def menu_frame() -> pd.DataFrame:
    """The sellers of the model: how many, the cheapest, the mean that nobody pays, the dearest."""
    usd = pd.Series([o.usd_per_day for o in question().options if o.kind == "api"])
    row = {"sellers": len(usd), "cheapest": usd.min(), "mean": usd.mean(), "dearest": usd.max()}
    return pd.DataFrame([row])


def memo_page(answer: Decision) -> Markdown:
    """The memo as a page in a notebook, its headings below the lesson's own."""
    text = answer.memo().replace("$", "<span>&#36;</span>")
    lower = text.replace("\n## ", "\n##### ").replace("# ", "#### ", 1)
    return Markdown(lower)  # type: ignore[no-untyped-call]
