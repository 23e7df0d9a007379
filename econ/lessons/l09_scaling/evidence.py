"""Today's evidence for the three laws: models as dots, a dial of thought, who checks an attempt.

Every number that is assumed rather than measured stands in capitals here, and the lesson names it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.tables import table
from econ.catalog.units import KILO, MTOK
from econ.charts import Drawing, figure, overlay
from econ.lessons.l09_scaling.training import served
from econ.scaling.bill import Bill
from econ.scaling.laws import law as as_law
from econ.scaling.optimal import compute_optimal
from econ.scaling.price import answer_price
from econ.scaling.test_time import Verifier
from econ.trends import frontier

LAWS = ("besiroglu2024", "hoffmann2022")
ACCOUNTED_PARAMS = (1e5, 1.5e9)  # the sizes that Kaplan et al. trained, without embeddings
# all parameters = N + factor · N^(1/3), N without embeddings; the paper's factor is written from
# memory and not verified, so the lesson also shows half and twice of it
EMBEDDING_FACTOR = 47_491.0
DIALS = ("gpt-5.5", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5", "grok-4.3")
QUESTION_TOKENS = 250.0  # of a question of GPQA Diamond
JUDGED_TOKENS, THOUGHT_TOKENS = 1400, 500  # assumed: problem and attempt; a judge's reasoning
RENTED = ("h100-sxm", "gb200-nvl72")  # whose rents the lesson uses
TEST_USD, PERSON_USD = 1e-5, 2.0  # assumed: a second of a CPU; two minutes of a person


# -- the first law: real models on it -----------------------------------------------------------
def dots_frame() -> pd.DataFrame:
    """Models as their makers reported them: model, flop, tokens_per_param, year; and which other
    list confirms size and tokens (empty: none that was read)."""
    runs = table("training_runs").assign(release=lambda rows: rows["as_of"])
    rows = pd.concat([table("trained_models"), runs], ignore_index=True)
    return pd.DataFrame(
        {
            "model": rows["id"],
            "flop": 6 * rows["params"].astype(float) * rows["tokens"].astype(float),
            "tokens_per_param": rows["tokens"].astype(float) / rows["params"].astype(float),
            "year": rows["release"].str[:4].astype(int),
            "source": rows["source"],
            "confirming_source": rows["confirming_source"].fillna(""),
        }
    ).sort_values("year", kind="stable", ignore_index=True)


def excess_factor(dots: pd.DataFrame, id: str = "besiroglu2024") -> pd.Series:
    """How many times the law's tokens per parameter each model was given."""
    best = [tokens / params for params, tokens in
            (compute_optimal(flop, id) for flop in dots["flop"])]  # fmt: skip
    return pd.Series(dots["tokens_per_param"].to_numpy() / np.array(best), index=dots.index)


def dots_chart(dots: pd.DataFrame) -> Drawing:
    """`dots_frame` over two laws."""
    flop = np.geomspace(dots["flop"].min(), dots["flop"].max(), 20)
    splits = [(id, f, *compute_optimal(f, id)) for id in LAWS for f in flop]
    lines = pd.DataFrame(splits, columns=["id", "flop", "params", "tokens"])
    lines["law"] = [as_law(id).title for id in lines["id"]]
    lines["tokens_per_param"] = lines["tokens"] / lines["params"]
    titles: dict[str, Any] = {
        "log": "xy",
        "x_title": "Training budget (FLOP)",
        "y_title": "Tokens per parameter",
    }
    excess = excess_factor(dots)
    era = dots["year"].lt(2023).map({True: "until 2022", False: "since 2023"})
    early, late = (excess[era == name].median() for name in ("until 2022", "since 2023"))
    sure = dots["confirming_source"] != ""
    named = dots.assign(era=era, name=dots["model"] + " (" + dots["year"].astype(str) + ")"
                        + sure.map({True: "", False: ", not confirmed"}))  # fmt: skip
    words = "; ".join(f"{r.model} {r.tokens_per_param:,.0f}" for r in dots.itertuples())
    return overlay(
        figure(lines, "flop", "tokens_per_param", by="law", finding="Two laws", **titles),
        figure(named, "flop", "tokens_per_param", by="era", kind="point", label=None,
               finding="Models", **titles),
        finding=f"Since 2023 models get {late:.0f} times the law's tokens; until 2022 they "
        f"got {early:.1f} times",
        subtitle="Lines: compute-optimal by two fits; dots: what makers reported (median of each), "
        f"{sure.sum()} of {len(dots)} confirmed by a second list",
        says=f"Tokens per parameter of {len(dots)} models: {words}. The median is {early:.2g} "
        f"times the law's until 2022, {late:.0f} times since.",
    )  # fmt: skip


def counted_exponent(*, with_embeddings: bool, embedding_factor: float = EMBEDDING_FACTOR) -> float:
    """The exponent of the best size over compute that small models show: N ∝ C^exponent.

    Chinchilla's refitted law decides the loss by all parameters. If size and compute are counted
    without embeddings, as Kaplan et al. did, the same law shows them a larger exponent, because in
    small models the embeddings are most of the parameters (Pearce and Song 2024).

    >>> 0.45 < counted_exponent(with_embeddings=True) < 0.56
    True
    >>> 0.65 < counted_exponent(with_embeddings=False) < 0.85
    True
    """
    law = as_law(LAWS[0])
    core = np.geomspace(*ACCOUNTED_PARAMS, 400)
    n_params = core + embedding_factor * core ** (1 / 3)
    counted = n_params if with_embeddings else core
    best = []
    for flop in np.geomspace(6 * 20 * counted[40] ** 2, 6 * 20 * counted[-40] ** 2, 30):
        losses = law.loss(n_params, flop / (6 * counted))
        at = int(np.argmin(losses))
        if 0 < at < len(core) - 1:
            best.append((flop, counted[at]))
    budgets, sizes = np.log(np.array(best)).T
    return float(np.polyfit(budgets, sizes, 1)[0])


# -- the third law: a dial of thought -------------------------------------------------------------
def _cheapest(model: str) -> pd.Series:
    """A model's offer whose answers cost least today."""
    rows = frontier.on_sale_frame(0.0, frontier.window_end())
    return rows[rows["model"] == model].sort_values("usd_per_answer", kind="stable").iloc[0]


def dial_frame(models: tuple[str, ...] = DIALS) -> pd.DataFrame:
    """Efforts of models on GPQA Diamond, with what they score and what they cost.

    Returns
    -------
    DataFrame
        ``model``, ``tokens``, ``percent``, ``usd_per_1000`` (answers, at today's cheapest seller)
        and ``usd_per_further`` (a right answer that the next token of thought adds: price · tokens
        · ln 2 / gain per doubling).
    """
    parts = []
    for model in models:
        row, seller = table("thinking_curves").loc[f"{model}-gpqa"], _cheapest(model)
        tokens = np.geomspace(row.low_tokens, row.high_tokens, 8)
        right = row.reference_frac + row.gain_frac_per_doubling * np.log2(
            tokens / row.reference_tokens
        )
        token_usd = seller["output_usd_per_mtok"] / MTOK
        usd = QUESTION_TOKENS * seller["input_usd_per_mtok"] / MTOK + tokens * token_usd
        further = token_usd * tokens * np.log(2) / row.gain_frac_per_doubling
        parts.append(
            pd.DataFrame(
                {"model": model, "tokens": tokens, "percent": 100 * right,
                 "usd_per_1000": KILO * usd, "usd_per_further": further}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def percent_at(dial: pd.DataFrame, usd_per_1000: float) -> pd.Series:
    """What each model of `dial_frame` scores for a price; one that has no such effort is left out.

    >>> percent_at(dial_frame(), 20).round().astype(int).to_dict()
    {'gpt-5': 82, 'gpt-5.6-sol': 92, 'gpt-5.6-terra': 89, 'grok-4.3': 90}
    """
    scores = {}
    for model, rows in dial.groupby("model"):
        usd = rows["usd_per_1000"].to_numpy()
        if usd[0] <= usd_per_1000 <= usd[-1]:
            scores[model] = np.interp(np.log(usd_per_1000), np.log(usd), rows["percent"])
    return pd.Series(scores, dtype=float)


# -- who says which attempt is right --------------------------------------------------------------
def checkers() -> list[Verifier]:
    """Four that check: prices by the cost model or assumed, error rates assumed."""
    small = served("llama-3.1-8b", input_tokens=JUDGED_TOKENS, output_tokens=1)
    large = served("llama-3.1-70b", input_tokens=JUDGED_TOKENS, output_tokens=THOUGHT_TOKENS)
    small_usd, large_usd = (answer_price(s).cost_usd_per_answer for s in (small, large))
    return [
        Verifier(name="unit tests", usd_per_attempt=TEST_USD, false_positive_frac=0.01),
        Verifier(name="a reward model of 8B", usd_per_attempt=small_usd,
                 true_positive_frac=0.85, false_positive_frac=0.2),
        Verifier(name="a 70B judge that thinks", usd_per_attempt=large_usd,
                 true_positive_frac=0.92, false_positive_frac=0.08),
        Verifier(name="a person", usd_per_attempt=PERSON_USD,
                 true_positive_frac=0.98, false_positive_frac=0.02),
    ]  # fmt: skip


# -- tables of the lesson ----------------------------------------------------------------------
def ratios_frame(fifths: list[pd.DataFrame]) -> pd.DataFrame:
    """`scaling.fifths_frame` of several pairs: pair, fifth, small_over_large."""
    rows = pd.concat(fifths, ignore_index=True)
    return rows.assign(small_over_large=rows["small_frac"] / rows["large_frac"])


def bills_frame(vote: Bill, judge: Bill) -> pd.DataFrame:
    """Two bills side by side: part, vote_usd, judge_usd, over the life."""
    sides = [bill.frame().set_index("part")["usd"] for bill in (vote, judge)]
    rows = pd.concat(sides, axis=1, keys=["vote_usd", "judge_usd"])
    rows.loc["all of it"] = [vote.total_usd, judge.total_usd]
    return rows.reset_index()


def source_frames() -> list[pd.DataFrame]:
    """The rows that the charts of this lesson draw, each with source and date."""
    keep = ["source", "as_of", "note"]
    dials = table("thinking_curves").reset_index(drop=True)
    sellers = pd.DataFrame([_cheapest(model) for model in DIALS]).rename(columns={"since": "as_of"})
    prices = ["input_usd_per_mtok", "output_usd_per_mtok"]
    rents = table("rentals").query("accelerator in @RENTED")
    runs = table("loss_points").query("suite == 'gadre-c4'")
    return [
        runs[["params", "tokens", "loss_nats", *keep]],
        table("rl_laws")[["title", "ceiling_frac", "midpoint_gpu_hours", "steepness", *keep]],
        dials[["id", "gain_frac_per_doubling", "worst_error_frac", *keep]],
        sellers[["model", "seller", *prices, "source", "as_of"]],
        rents[["accelerator", "term", "usd_per_gpu_hour", *keep]],
        table("retrieval_prices")[["id", "usd_per_mtok", "usd_per_k_searches", *keep]],
        table("coverage_fits")[["id", "coverage_1_frac", "coverage_10000_frac", *keep]],
        table("scaling_laws")[["title", "alpha", "beta", *keep]],
    ]
