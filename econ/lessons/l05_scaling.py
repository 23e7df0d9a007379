"""Lesson 05, scaling laws: fits, budgets and whole lives; attempts, thinking, families, the bill.

>>> frame = readings_frame((5.76e23,))
>>> frame.set_index("id")["tokens_per_param"].round(1)[["hoffmann2022", "besiroglu2024"]].tolist()
[58.9, 18.3]
>>> held_out_frame()[["beta_error", "independent_error"]].abs().mean().round(2).tolist()
[0.04, 0.25]
"""

from __future__ import annotations

import functools
import json
import math

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, not_negative, positive, unknown
from econ.catalog.rents import rent
from econ.catalog.tables import table
from econ.catalog.units import GIGA, KILO, MEGA, MTOK, TERA
from econ.charts import Panel, choice, figure, overlay, panel, slider, three
from econ.charts.theme import PALETTE
from econ.scaling.bill import PARTS, Bill, demand_frame, lifetime_bill
from econ.scaling.coverage import Difficulty, coverage_if_alike, difficulty
from econ.scaling.fit import Fit
from econ.scaling.laws import Law, effective_tokens
from econ.scaling.laws import law as as_law
from econ.scaling.optimal import (
    compute_optimal,
    lifetime_frame,
    lifetime_optimal,
    loss,
    optimal_flop,
)
from econ.scaling.price import (
    SizePrice,
    answer_prices,
    size_price,
    training_runs_frame,
    training_usd_per_flop,
)
from econ.scaling.test_time import best_of_n_accuracy, majority_vote_accuracy
from econ.scenario import Scenario

# dense models of one design, and the accelerators each is usually split over
LADDER = {
    "llama-3.2-1b": 1, "llama-3.2-3b": 1, "llama-3.1-8b": 1, "qwen3-14b": 1, "qwen3-32b": 2,
    "llama-3.1-70b": 4, "llama-3.1-405b": 8,
}  # fmt: skip
GOPHER_FLOP = 5.76e23  # the budget of Gopher and of Chinchilla (Hoffmann et al. 2022, table 3)
READ = ("kaplan2020", "hoffmann2022", "hoffmann2022-printed", "besiroglu2024", "chinchilla-245")
RECOMMENDED = "Kaplan, as recommended"


def allocation_params(flop: float, id: str = "kaplan2020") -> float:
    """The size a paper recommended for a budget where that is not its law's own minimum.

    Kaplan et al. read N = 1.3e9·(PF-days)^0.73 off points along long runs; Hoffmann et al. showed
    that such points understate what a run planned for that length reaches.

    >>> f"{allocation_params(5.76e23) / 1e9:.0f} B"
    '804 B'
    """
    rows = table("scaling_laws").dropna(subset=["optimum_exponent"])
    if id not in rows.index:
        raise unknown("recommended split", id, rows.index)
    row = rows.loc[id]
    return float(row.optimum_coefficient * positive("flop", flop) ** row.optimum_exponent)


def readings_frame(budgets_flop: tuple[float, ...], ids: tuple[str, ...] = READ) -> pd.DataFrame:
    """What each law makes of a budget: id, title, flop, params, tokens, tokens_per_param."""
    rows = []
    for flop in budgets_flop:
        splits = [(id, as_law(id).title, *compute_optimal(flop, id)) for id in ids]
        if "kaplan2020" in ids:
            params = allocation_params(flop)
            splits.insert(1, ("kaplan2020", RECOMMENDED, params, flop / (6 * params)))
        rows += [(id, title, flop, n, d, d / n) for id, title, n, d in splits]
    columns = ["id", "title", "flop", "params", "tokens", "tokens_per_param"]
    return pd.DataFrame(rows, columns=columns)


def iso_flop_frame(
    law: Law | str, budgets_flop: tuple[float, ...], n: int = 40, spread_factor: float = 12.0
) -> pd.DataFrame:
    """Loss over size at fixed budgets: budget, params_b, loss, tokens_per_param, is_optimum.

    Sizes from the optimum / spread to the optimum × spread; the optimum is one of them.
    """
    rows = []
    for flop in budgets_flop:
        best = compute_optimal(flop, law).params
        steps = np.linspace(-1, 1, n + 1 - n % 2)  # an odd number, so that the middle is there
        for step in steps:
            params = best * spread_factor**step
            tokens = flop / (6 * params)
            value = float(loss(params, tokens, law))
            rows.append((f"{flop:.0e} FLOP", params / GIGA, value, tokens / params, step == 0))
    columns = ["budget", "params_b", "loss", "tokens_per_param", "is_optimum"]
    return pd.DataFrame(rows, columns=columns)


def fitted_frame(points: pd.DataFrame, law: Law) -> pd.DataFrame:
    """Runs beside a law: params_b, tokens_per_param, loss, predicted."""
    predicted = law.loss(points["params"].to_numpy(), points["tokens"].to_numpy())
    return points.assign(
        params_b=[float(f"{p / GIGA:.3g}") for p in points["params"]],
        tokens_per_param=points["tokens"] / points["params"],
        predicted=predicted,
        error_frac=predicted / points["loss"] - 1,
    )


def recommended_frame(fit: Fit, flop: float) -> pd.DataFrame:
    """What each resample of a fit recommends for a budget: params, tokens, tokens_per_param."""
    splits = [compute_optimal(flop, one) for one in fit.laws()]
    frame = pd.DataFrame(splits, columns=["params", "tokens"])
    return frame.assign(tokens_per_param=frame["tokens"] / frame["params"])


def practice_frame(law: Law | str = "besiroglu2024") -> pd.DataFrame:
    """Published models beside the optimum for the same FLOP: tokens_per_param, excess_frac.

    ``optimal_tokens_per_param``: the law's for that budget; ``smaller_factor``: how much larger the
    compute-optimal model would have been; ``loss_gap_nats``: the loss given up for it.
    """
    rows = training_runs_frame()
    best = [compute_optimal(f, law) for f in rows["flop"]]
    given = loss(rows["params"].to_numpy(), rows["tokens"].to_numpy(), law)
    return pd.DataFrame(
        {
            "model": rows["id"].to_numpy(),
            "params_b": rows["params"].to_numpy() / GIGA,
            "tokens_per_param": rows["tokens_per_param"].to_numpy(),
            "optimal_tokens_per_param": [d / n for n, d in best],
            "smaller_factor": [n for n, _ in best] / rows["params"].to_numpy(),
            "loss_gap_nats": given - [float(loss(n, d, law)) for n, d in best],
        }
    )


def repeats_frame(
    params: float, unique_tokens: float, n_epochs: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64)
) -> pd.DataFrame:
    """Reading the same text again: epochs, effective_tokens, loss, loss_if_fresh."""
    rows = []
    for n in n_epochs:
        worth = effective_tokens(unique_tokens, n)
        both = [float(loss(params, d, "muennighoff2023")) for d in (worth, n * unique_tokens)]
        rows.append((n, worth, *both))
    return pd.DataFrame(rows, columns=["epochs", "effective_tokens", "loss", "loss_if_fresh"])


def served(model: str, accelerator: str = "h100-sxm", **settings: object) -> Scenario:
    """A model as the lesson serves it: at the on-demand rent of an H100, split as `LADDER` says, in
    fp8, within 10 s to the first token and 0.1 s a token."""
    usual = {"tp": LADDER.get(model, 1), "precision": "fp8", "ttft_s": 10.0, "tpot_s": 0.1}
    usual["cost_usd_per_gpu_hour"] = rent("h100-sxm")
    return Scenario.of(model, accelerator, **(usual | settings))


def lesson_price() -> SizePrice:
    """USD per token by size, for prompts of 1,000 and answers of 500 tokens."""
    return size_price([served(model, input_tokens=1000, output_tokens=500) for model in LADDER])


def life_frame(
    quality_params: float,
    inference_tokens: float,
    law: Law | str = "besiroglu2024",
    *,
    training_usd_per_flop: float | None = None,
    price: SizePrice | None = None,
    n: int = 50,
) -> pd.DataFrame:
    """All models as good as the compute-optimal one of a size, with their cost for life.

    Columns: params_b, part (training, inference, both), cost, unit, kind (curve, optimum, training
    optimum). Without both prices, cost is in FLOP.
    """
    flop = optimal_flop(quality_params, law)
    target = float(loss(quality_params, compute_optimal(flop, law).tokens, law))
    paid = {"training_usd_per_flop": training_usd_per_flop, "inference_usd_per_token": price}
    curve = lifetime_frame(target, inference_tokens, law, n=n, **paid)
    best = lifetime_optimal(target, inference_tokens, law, **paid)
    long = curve.rename(columns={"total": "both"}).melt(
        id_vars=["params", "unit", "tokens_per_param"],
        value_vars=["training", "inference", "both"], var_name="part", value_name="cost",
    ).assign(kind="curve")  # fmt: skip
    marks = [
        (best.params, best.tokens / best.params, best.total, "cheapest for life"),
        (quality_params, flop / (6 * quality_params**2), best.baseline, "cheapest to train"),
    ]
    dots = pd.DataFrame(marks, columns=["params", "tokens_per_param", "cost", "kind"])
    dots = dots.assign(part="both", unit=best.unit)
    frame = pd.concat([long, dots], ignore_index=True)
    return frame.assign(params_b=frame["params"] / GIGA, saving_frac=best.saving_frac)


# -- in service: attempts, votes, thinking, families ----------------------------------------------
KS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
N_HARD = 192  # difficulties that stand for all: a vote jumps where the rival is as likely
MEASURED_KS = (1, 10, 100, 1000, 10_000)


def measured_frame(ids: tuple[str, ...]) -> pd.DataFrame:
    """Measured coverage at powers of ten: id, k, coverage."""
    rows = table("coverage_fits")
    for id in ids:
        if id not in rows.index:
            raise unknown("fitted coverage", id, rows.index)
    points = [(id, k, float(rows.loc[id, f"coverage_{k}_frac"])) for id in ids for k in MEASURED_KS]
    return pd.DataFrame(points, columns=["id", "k", "coverage"])


def coverage_frame(id: str) -> pd.DataFrame:
    """Measured, by a law of difficulty, and as if problems were alike: k, way, percent."""
    points = measured_frame((id,))
    law, first = difficulty(id), float(points["coverage"].iloc[0])
    rows = [(k, "measured", 100 * c) for k, c in zip(points["k"], points["coverage"], strict=True)]
    rows += [(k, "problems of differing difficulty", 100 * float(law.coverage(k))) for k in KS]
    rows += [(k, "all problems alike", 100 * coverage_if_alike(first, k)) for k in KS]
    return pd.DataFrame(rows, columns=["k", "way", "percent"])


def swe_frame() -> pd.DataFrame:
    """SWE-bench Lite as published: 15.9 % at one attempt, 56 % at 250: k, percent, name.

    The figures are those of the ledger's row ``monkeys-alike``.
    """
    row = table("published_figures").loc["monkeys-alike"]
    given = json.loads(row.inputs)
    points = [(1, 100 * given["first_frac"]), (given["k"], 100 * row.published)]
    return pd.DataFrame(points, columns=["k", "percent"]).assign(name="SWE-bench Lite")


def held_out_frame() -> pd.DataFrame:
    """Ten thousand attempts foretold from one and from a hundred: measured, beta, independent.

    The Beta law is put through coverage at 1 and at 100 alone; the last decades are unseen.
    """
    rows = []
    for r in table("coverage_fits").itertuples():
        guess = Difficulty.through(r.coverage_1_frac, 100, r.coverage_100_frac).coverage(10_000)
        alike, truth = coverage_if_alike(r.coverage_1_frac, 10_000), r.coverage_10000_frac
        rows.append((r.id, truth, float(guess), alike, float(guess) - truth, alike - truth))
    columns = ["id", "measured", "beta", "independent", "beta_error", "independent_error"]
    return pd.DataFrame(rows, columns=columns)


@functools.cache
def rival_frac(id: str) -> float:
    """The share of wrong answers that agree on one rival: fitted to where voting ends.

    A vote of many is right where p > r·(1 − p); r puts that share of problems at the plateau.
    """
    from scipy.special import betaincinv

    row = table("coverage_fits").loc[id] if id in table("coverage_fits").index else None
    if row is None or pd.isna(row.vote_frac):
        known = table("coverage_fits").dropna(subset=["vote_frac"])
        raise unknown("coverage with a measured vote", id, known.index)
    p = float(betaincinv(row.a, row.b, 1 - row.vote_frac))
    return min(p / (1 - p), 1.0)


def attempts_frame(
    id: str, true_positive_frac: float = 1.0, false_positive_frac: float = 0.0
) -> pd.DataFrame:
    """Accuracy over attempts by how one is picked: k, way, percent.

    ``perfect verifier`` is coverage; ``this verifier`` errs with the given shares; ``majority
    vote`` needs none. One attempt stands at k = 1 of each.
    """
    law, rows = difficulty(id), []
    p, weight = law.quantiles(N_HARD)
    for k, vote in zip(KS, vote_curve(id), strict=True):
        picked = best_of_n_accuracy(
            p, k, true_positive_frac=true_positive_frac, false_positive_frac=false_positive_frac
        )
        rows += [
            (k, "perfect verifier", 100 * float(law.coverage(k))),
            (k, "this verifier", 100 * float(weight @ picked)),
            (k, "majority vote", 100 * vote),
        ]
    return pd.DataFrame(rows, columns=["k", "way", "percent"])


@functools.cache
def vote_curve(id: str) -> tuple[float, ...]:
    """Accuracy of a majority vote of each number of attempts in `KS`, over problems."""
    p, weight = difficulty(id).quantiles(N_HARD)
    rival = rival_frac(id)
    return tuple(float(weight @ majority_vote_accuracy(p, k, rival)) for k in KS)


def thinking_accuracy(tokens: float | np.ndarray, id: str) -> float | np.ndarray:
    """Accuracy after so many thinking tokens: a line in log₂, within the range that was measured.

    Outside that range there is no answer: the data do not show where the line bends.

    >>> round(float(thinking_accuracy(9130, "claude-3.7-sonnet-aime")), 3)
    0.466
    """
    rows = table("thinking_curves")
    if id not in rows.index:
        raise unknown("thinking curve", id, rows.index)
    row = rows.loc[id]
    each(positive, "tokens", tokens)
    x = np.asarray(tokens, dtype="float64")
    for bad in x[(x < row.low_tokens) | (x > row.high_tokens)].flat[:1]:
        raise ValueError(
            f"tokens = {bad:g} is outside its range: {row.low_tokens:g} to {row.high_tokens:g}, "
            f"what was measured for {id}"
        )
    found = row.reference_frac + row.gain_frac_per_doubling * np.log2(x / row.reference_tokens)
    return float(found) if found.ndim == 0 else found


def thinking_frame(id: str, s: Scenario, limits_s: tuple[float, ...]) -> pd.DataFrame:
    """Cost of a right answer over thinking length, under limits on the whole answer.

    Columns: tokens, limit, accuracy, usd_per_answer, usd_per_correct, concurrency. What cannot be
    served within its limit is left out.
    """
    row = table("thinking_curves").loc[id] if id in table("thinking_curves").index else None
    if row is None:
        raise unknown("thinking curve", id, table("thinking_curves").index)
    lengths = np.geomspace(row.low_tokens, row.high_tokens, 12)
    cases = [(limit, n, s.with_(output_tokens=n)) for limit in limits_s for n in lengths]
    limits, tokens, scenarios = (list(column) for column in zip(*cases, strict=True))
    prices = answer_prices(scenarios, answer_limit_s=limits)
    right = thinking_accuracy(np.clip(tokens, row.low_tokens, row.high_tokens), id)
    frame = pd.DataFrame(
        {
            "tokens": tokens,
            "limit": ["no limit" if math.isinf(t) else f"within {t:g} s" for t in limits],
            "accuracy": right,
            "usd_per_answer": prices["cost_usd_per_answer"],
            "usd_per_correct": prices["cost_usd_per_answer"] / right,
            "concurrency": prices["concurrency"],
        }
    )
    return frame.dropna(subset=["usd_per_answer"]).reset_index(drop=True)


def family_frame(
    n_requests: float,
    training_usd_per_flop: float,
    price: SizePrice,
    *,
    attempt_tokens: float = 400,
    family: str = "pythia",
) -> pd.DataFrame:
    """A family of models, trained alike, for one demand: what a solved problem costs.

    Columns: id, params, k, coverage, training_usd, usd_per_problem, usd_per_solved. Every problem
    is tried k times and a checker finds the right one; training is shared by all problems.
    """
    positive("n_requests", n_requests, 1e20)
    positive("training_usd_per_flop", training_usd_per_flop, 1.0)
    not_negative("attempt_tokens", attempt_tokens, 1e9)
    rows = table("coverage_fits")
    rows = rows[rows["id"].str.startswith(family)]
    if rows.empty:
        raise unknown("family", family, {i.split("-")[0] for i in table("coverage_fits").index})
    made = []
    for r in rows.itertuples():
        law = difficulty(r.id)
        trained = 6 * r.params * r.training_tokens * training_usd_per_flop
        for k in KS:
            usd = trained / n_requests + k * attempt_tokens * price(r.params)
            right = float(law.coverage(k))
            made.append((r.id, r.params, k, right, trained, usd, usd / right))
    columns = ["id", "params", "k", "coverage", "training_usd", "usd_per_problem", "usd_per_solved"]
    return pd.DataFrame(made, columns=columns)


def size_frame(
    n_requests: tuple[float, ...],
    coverage_frac: float,
    training_usd_per_flop: float,
    price: SizePrice,
    **more: float,
) -> pd.DataFrame:
    """Every size with the fewest attempts that reach a coverage, at each demand.

    Columns: those of `family_frame`, with requests, and size as text. A size that never
    reaches the coverage is left out.
    """
    fraction("coverage_frac", coverage_frac)
    rows = []
    for demand in n_requests:
        whole = family_frame(demand, training_usd_per_flop, price, **more)
        first = whole[whole["coverage"] >= coverage_frac].groupby("id", sort=False).head(1)
        rows.append(first.assign(requests=demand))
    frame = pd.concat(rows, ignore_index=True)
    if frame.empty:
        raise ValueError(f"coverage_frac = {coverage_frac:g}: no size reaches it in {KS[-1]:,}")
    return frame.assign(size=frame["id"].str.split("-").str[1].str.upper())


# -- charts that are more than one call ------------------------------------------------------------
USD, FLOP = "USD", "FLOP"
SCALES = ((TERA, "trillion"), (GIGA, "billion"), (MEGA, "million"), (KILO, "thousand"))
LIFE_COLOURS = {
    "training": PALETTE["blue"],
    "inference": PALETTE["orange"],
    "both": PALETTE["grey"],
}
PART_COLOURS = dict(
    zip(PARTS, (PALETTE[c] for c in ("blue", "green", "sky", "orange")), strict=True)
)
N_REQUESTS = tuple(10.0**e for e in np.arange(6, 13.01, 0.5))


def amount(value: float) -> str:
    """A large number in words.

    >>> amount(2e10), amount(31_623), amount(12)
    ('20 billion', '31.6 thousand', '12')
    """
    for size, name in SCALES:
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


def bins_frame(values: pd.Series, n: int = 24) -> pd.DataFrame:
    """A histogram on a logarithmic axis: low, high, resamples."""
    edges = np.geomspace(values.min(), values.max(), n + 1)
    counts, _ = np.histogram(values, edges)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "resamples": counts})


def off_by_two_nats(frame: pd.DataFrame) -> float:
    """The loss given up at half or twice the best size, the largest over the budgets."""
    return max(_off_by_two(curve) for _, curve in frame.groupby("budget"))


def _off_by_two(curve: pd.DataFrame) -> float:
    """The loss given up at half or twice the best size, the larger of both."""
    best = curve[curve["is_optimum"]].iloc[0]
    at = np.log([best.params_b / 2, best.params_b * 2])
    return float(np.interp(at, np.log(curve["params_b"]), curve["loss"]).max() - best.loss)


def life_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`life_frame`: cost of all models of one quality; the cheapest to train and for life."""
    unit = frame["unit"].iloc[0]
    best = frame[frame["kind"] == "cheapest for life"].iloc[0]
    usual = frame[frame["kind"] == "cheapest to train"].iloc[0]
    form = (lambda v: f"${v:,.0f}") if unit == USD else (lambda v: f"{v:.2g} FLOP")
    return figure(
        frame.assign(
            name=frame["kind"].where(frame["kind"] == "cheapest for life", ""),
            marked=frame["kind"] != "curve",
        ),
        "params_b",
        "cost",
        by="part",
        colors=LIFE_COLOURS,
        legend=True,
        mark="marked",
        label="name",
        log="xy",
        height=320,
        y_title=f"Cost for life ({unit})",
        finding="Equally good models: which is the cheapest to own?",
        subtitle="The other point: the cheapest to train",
        says=f"Models of equal loss. Cheapest to train: {three(usual.params_b)} B on "
        f"{three(usual.tokens_per_param)} tokens per parameter, {form(usual.cost)} for life. "
        f"Cheapest for life: {three(best.params_b)} B on {three(best.tokens_per_param)}, "
        f"{form(best.cost)}: {best.saving_frac:.0%} less.",
    )


def life_panel() -> Panel:
    """Lifetime cost by demand, quality, law and currency."""
    paid = {
        "training_usd_per_flop": training_usd_per_flop(rent("h100-sxm", "reserved")),
        "price": lesson_price(),
    }

    def life(demand: float, quality: float, law: str, unit: str) -> pd.DataFrame:
        return life_frame(quality, demand * GIGA, law, **(paid if unit == USD else {}))

    laws = [(as_law(id).title, id) for id in ("besiroglu2024", "hoffmann2022", "kaplan2020")]
    sizes = [(f"{b} B", b * GIGA) for b in (1, 7, 13, 70, 400)]
    return panel(
        life,
        life_chart,
        demand=slider(1, 500_000, value=2000, log=True, label="Served (B tokens)"),
        quality=choice(sizes, value=13 * GIGA, label="As good as optimal"),
        law=choice(laws, label="Law"),
        unit=choice([FLOP, USD], label="Count"),
        presets={
            "100 billion tokens": {"demand": 100},
            "2 trillion tokens": {"demand": 2000},
            "the same in USD": {"demand": 2000, "unit": USD},
        },
    )


def routes_chart(frame: pd.DataFrame, n_most: float) -> alt.TopLevelMixin:
    """`routes_frame`: total cost of each way over the requests."""
    known = frame.dropna(subset=["usd_per_request"])
    demand = np.geomspace(1e3, n_most, 40)
    costs = [
        pd.DataFrame(
            {
                "n_requests": demand,
                "route": r.route,
                "usd": r.fixed_usd + r.usd_per_request * demand,
            }
        )
        for r in known.itertuples()
    ]
    last = [(rows["usd"].iloc[-1], rows["route"].iloc[0]) for rows in costs]
    words = "; ".join(f"{route} ${usd:,.0f}" for usd, route in sorted(last))
    return figure(
        pd.concat(costs),
        "n_requests",
        "usd",
        by="route",
        log="xy",
        x_title="Requests over the life",
        y_title="Fixed and running cost (USD)",
        finding=f"{min(last)[1].capitalize()} is cheapest at {amount(n_most)} requests",
        says=f"Cost of {len(known)} ways over the number of requests; at {amount(n_most)}: "
        f"{words}.",
    )


def coverage_chart(
    frame: pd.DataFrame, other: pd.DataFrame, guess: float | None = None
) -> alt.TopLevelMixin:
    """`coverage_frame`: measured points, a law of difficulty, and problems all alike.

    ``other`` holds two points of another benchmark (k, percent, name), with the learner's guess.
    """
    points, laws = frame[frame["way"] == "measured"], frame[frame["way"] != "measured"]
    last = laws.set_index(["k", "way"])["percent"].loc[points["k"].max()]
    first, final = other.iloc[0], other.iloc[-1]
    titles = {"x_title": "Attempts a problem", "y_title": "Solved by at least one (%)", "log": "x"}
    curves = figure(laws, "k", "percent", by="way", finding="Curves", legend=True, guess=guess,
                    **titles)  # fmt: skip
    marks = pd.concat([points.assign(name="measured, Pythia-12B on MATH"), other])
    measured = figure(marks, "k", "percent", by="name", kind="point", finding="Points",
                      colors={"SWE-bench Lite": PALETTE["green"]}, **titles)  # fmt: skip
    said = "; ".join(f"{r.percent:.0f} % at {r.k:,}" for r in points.itertuples())
    return overlay(
        curves,
        measured,
        finding="Problems are not alike: attempts help, far less than they would",
        says=f"Measured: {said}. "
        f"At {points['k'].max():,} the law of difficulty gives "
        f"{last['problems of differing difficulty']:.0f} %, problems all alike "
        f"{last['all problems alike']:.0f} %. {final['name']}: {first.percent:.1f} % at "
        f"{first.k:,}, {final.percent:.0f} % at {final.k:,}.",
    ).resolve_scale(color="independent")


def attempts_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`attempts_frame`: what attempts buy by how one of them is picked."""
    ends = frame[frame["k"] == frame["k"].max()].set_index("way")["percent"]
    start = frame["percent"].iloc[0]
    shown = frame[frame["way"] == "this verifier"].set_index("k")["percent"]
    enough = int(shown.index[shown >= start + 0.95 * (shown.max() - start)][0])
    words = "; ".join(f"{way} {p:.0f} %" for way, p in ends.items())
    return figure(
        frame,
        "k",
        "percent",
        by="way",
        legend=True,
        log="x",
        x_title="Attempts a problem",
        y_title="Right answers handed over (%)",
        finding="How far do attempts carry, and who picks?",
        says=f"From {start:.0f} % with one attempt. At {frame['k'].max():,}: {words}. "
        f"This verifier gives 95 % of its gain by {enough:,} attempts.",
    )


def attempts_panel() -> Panel:
    """Attempts by model and by the errors of the verifier."""

    def attempts(passed: float, found: int, id: str) -> pd.DataFrame:
        return attempts_frame(id, found / 100, passed / 100)

    models = [(f"Llama-3-{n}B", f"llama-3-{n}b-instruct-math") for n in (8, 70)]
    return panel(
        attempts,
        attempts_chart,
        passed=slider(0, 30, value=2, step=0.5, label="Wrong passed (%)"),
        found=slider(50, 100, value=95, label="Right passed (%)"),
        id=choice(models, label="Model on MATH"),
        presets={
            "a perfect checker": {"found": 100, "passed": 0.0},
            "2 % wrong passed": {"passed": 2.0},
            "20 % wrong passed": {"passed": 20.0},
        },
    )


def bill_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`demand_frame`: shares of the bill over the number of requests."""
    first, last = frame["n_requests"].min(), frame["n_requests"].max()
    ends = frame.loc[frame.groupby("n_requests")["usd"].idxmax()]
    total = frame.groupby("n_requests")["usd"].sum()
    trained = frame[frame["part"].isin(PARTS[:2])].groupby("n_requests")["share"].sum()
    passed = trained.index[trained < 0.5]
    when = f"from {amount(passed[0])} requests on" if len(passed) else "at no demand shown"
    return figure(
        frame,
        "n_requests",
        "share",
        by="part",
        kind="area",
        colors=PART_COLOURS,
        log="x",
        x_title="Requests over the life",
        y_title="Share of the bill",
        finding="What is the bill made of?",
        says=f"Shares of the bill over {amount(first)} to {amount(last)} requests, "
        f"${amount(total.iloc[0])} to ${amount(total.iloc[-1])}. Largest at first: "
        f"{ends['part'].iloc[0]} ({ends['share'].iloc[0]:.0%}); at last: {ends['part'].iloc[-1]} "
        f"({ends['share'].iloc[-1]:.0%}). Answers cost more than training {when}.",
    )


@functools.lru_cache(maxsize=256)
def _bill(model: str, thinking: float, attempts: int, post: float) -> Bill:
    tokens = float(training_runs_frame().loc[model, "tokens"])
    per_flop = training_usd_per_flop(rent("h100-sxm", "reserved"))
    return lifetime_bill(
        served(model, input_tokens=500, output_tokens=500), training_tokens=tokens,
        n_requests=MTOK, thinking_tokens=thinking, n_attempts=attempts,
        post_training_frac=post / 100, training_usd_per_flop=per_flop,
    )  # fmt: skip


def bill_panel() -> Panel:
    """The bill over demand by model, thinking, attempts and post-training."""

    def shares(thinking: int, attempts: int, post: float, model: str) -> pd.DataFrame:
        return demand_frame(_bill(model, thinking, attempts, post), N_REQUESTS)

    plain = {"thinking": 0, "attempts": 1}
    return panel(
        shares,
        bill_chart,
        thinking=slider(0, 20_000, value=2000, step=500, label="Thinking (tokens)"),
        attempts=slider(1, 100, value=4, log=True, label="Attempts"),
        post=slider(0, 100, value=2, step=0.5, label="Post-training (%)"),
        model=choice([f"llama-3.1-{n}b" for n in (8, 70, 405)], value="llama-3.1-70b"),
        presets={
            "8B, plain answers": {**plain, "model": "llama-3.1-8b"},
            "70B, plain answers": plain,
            "70B, 10,000 tokens of thought": {**plain, "thinking": 10_000},
        },
    )
