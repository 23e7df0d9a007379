"""Topic ``tco``: owned hours, tokens, statements of profit and loss, whole units.

Where a source publishes several steps of one sum, ``what`` names the step.
"""

from __future__ import annotations

from econ.catalog import Price
from econ.catalog.guard import unknown
from econ.catalog.units import (
    DAYS_PER_YEAR,
    GIGA,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    KILO,
    MEGA,
    MONTHS_PER_YEAR,
    MTOK,
)
from econ.ledger.recompute import recompute
from econ.tco import token_time
from econ.tco.ownership import (
    Asset,
    Charge,
    Ownership,
    assets,
    break_even_utilisation_frac,
    colocation,
    electricity,
    per_year,
    share_of_capital,
)
from econ.tco.revenue import Statement, Tier, tiers_of
from econ.tco.token_cost import cost_usd_per_mtok


def step(what: str, steps: dict[str, float]) -> float:
    if what not in steps:
        raise unknown("step", what, steps)
    return steps[what]


# -- an owned hour -------------------------------------------------------------------------------
@recompute("Ownership", "assets", "electricity", "colocation")
def owned_server(
    what: str,
    capital_usd: dict[str, float],
    rate_per_year: float,
    years: float,
    n_gpu: int,
    provisioned_w: float,
    colocation_usd_per_kw_per_month: float,
    usd_per_kwh: float,
    power_load_frac: float = 1.0,
    pue: float = 1.0,
    monthly_usd: float = 0.0,
    method: str = "annuity",
) -> float:
    """A server's build-up: capital by part, colocation, electricity, flat charges."""
    power = electricity(provisioned_w, usd_per_kwh, pue=pue, power_load_frac=power_load_frac)
    space = colocation(provisioned_w, colocation_usd_per_kw_per_month)
    own = Ownership(
        n_gpu=n_gpu,
        assets=assets(capital_usd, rate_per_year, years, method=method),
        charges=(space, power, Charge("flat", monthly_usd)),
    )
    return step(
        what,
        {
            "capital": own.capital_usd,
            "capital per month": own.capital_usd_per_month,
            "capital per GPU-hour": own.capital_usd_per_gpu_hour,
            "electricity per kW-month": power.usd_per_month / provisioned_w * KILO,
            "power and space per month": power.usd_per_month + space.usd_per_month,
            "operation per month": own.operating_usd_per_month,
            "operation per GPU-hour": own.operating_usd_per_gpu_hour,
            "per month": own.usd_per_month,
            "per GPU-hour": own.cost_usd_per_gpu_hour,
        },
    )


@recompute("Ownership")
def campus_usd_per_year(
    it_usd: float,
    facility_usd: float,
    rate_per_year: float,
    it_years: float,
    facility_years: float,
    operating_usd_per_year: float,
    energy_share: bool = False,
    energy_usd_per_year: float = 0.0,
    method: str = "annual annuity",
) -> float:
    """A data centre's yearly cost in billions: two classes of capital, and operation."""
    own = Ownership(
        n_gpu=1,
        assets=(
            Asset("IT", it_usd, rate_per_year, it_years, method=method),
            Asset("facility", facility_usd, rate_per_year, facility_years, method=method),
        ),
        charges=(per_year("operation", operating_usd_per_year),),
    )
    year = own.usd_per_month * MONTHS_PER_YEAR / GIGA
    return energy_usd_per_year / GIGA / year if energy_share else year


@recompute("Ownership", "break_even_utilisation_frac")
def useful_hours(
    what: str,
    server_usd: float,
    server_w: float,
    years: float,
    rate_per_year: float,
    pue: float,
    usd_per_kwh: float,
    colocation_usd_per_kw_per_month: float,
    operation_frac_per_year: float,
    idle_frac: float,
    n_gpu: int,
    utilisation_frac: float,
    rent_usd_per_gpu_hour: float,
    gpus_per_server: int = 8,
) -> float:
    """Servers whose power follows their use: the month, the useful hour, the use that pays."""
    full = electricity(server_w, usd_per_kwh, pue=pue).usd_per_month
    load = idle_frac + (1 - idle_frac) * utilisation_frac
    own = Ownership(
        n_gpu=gpus_per_server,
        assets=(Asset("server", server_usd, rate_per_year, years, method="average balance"),),
        charges=(
            colocation(server_w, colocation_usd_per_kw_per_month),
            share_of_capital(server_usd, operation_frac_per_year),
            electricity(server_w, usd_per_kwh, pue=pue, power_load_frac=load),
        ),
    )
    hours = gpus_per_server * HOURS_PER_MONTH
    busy = full * (1 - idle_frac) / hours
    fixed = own.cost_usd_per_gpu_hour - busy * utilisation_frac
    return step(
        what,
        {
            "per month": own.usd_per_month * n_gpu / gpus_per_server,
            "per useful GPU-hour": own.cost_usd_per_gpu_hour / utilisation_frac,
            "break-even use": break_even_utilisation_frac(fixed, rent_usd_per_gpu_hour, busy),
        },
    )


# -- tokens --------------------------------------------------------------------------------------
@recompute("cost_usd_per_mtok")
def token_usd_per_mtok(
    cost_usd_per_gpu_hour: float,
    tokens_per_s: float,
    n_gpu: float = 1,
    prompt_tokens_per_s: float | None = None,
    prompt_factor: float = 0.0,
) -> float:
    """Per million tokens of ``n_gpu`` together; prompts of a pool of their own where given."""
    usd = cost_usd_per_mtok(cost_usd_per_gpu_hour, tokens_per_s / n_gpu)
    if prompt_tokens_per_s:
        prompt = cost_usd_per_mtok(cost_usd_per_gpu_hour, prompt_tokens_per_s / n_gpu)
        usd += prompt * prompt_factor
    return usd


@recompute("cost_usd_per_mtok")
def tokens_per_usd(cost_usd_per_gpu_hour: float, tokens_per_s: float) -> float:
    """Tokens that a dollar of machine time buys."""
    return MEGA / cost_usd_per_mtok(cost_usd_per_gpu_hour, tokens_per_s)


@recompute("cost_usd_per_mtok")
def cost_ratio(over: list[float], under: list[float]) -> float:
    """The cost per token of one machine over another's: each USD per GPU-hour and tokens/s."""
    return cost_usd_per_mtok(*over) / cost_usd_per_mtok(*under)


@recompute("cost_usd_per_mtok")
def listed_over_own(
    price_usd_per_mtok: float, cost_usd_per_gpu_hour: float, tokens_per_s: float
) -> float:
    """A list price over one's own cost."""
    return price_usd_per_mtok / cost_usd_per_mtok(cost_usd_per_gpu_hour, tokens_per_s)


@recompute("cost_usd_per_mtok")
def training_usd(
    cost_usd_per_gpu_hour: float,
    peak_flop_per_s: float,
    mfu_frac: float,
    params: float,
    tokens: float = MTOK,
) -> float:
    """Training at 6 FLOP per parameter and token: USD for so many tokens."""
    rate = mfu_frac * peak_flop_per_s / (6 * params)
    return cost_usd_per_mtok(cost_usd_per_gpu_hour, rate) * tokens / MTOK


@recompute()
def training_j_per_token(
    power_w: float, peak_flop_per_s: float, mfu_frac: float, params: float
) -> float:
    """Energy of a trained token from all-in power."""
    return power_w / (mfu_frac * peak_flop_per_s / (6 * params))


# -- a day's profit and loss ---------------------------------------------------------------------
def _day(nodes, cost_usd_per_gpu_hour, mtok, usd_per_mtok, gpus_per_node=8) -> Statement:
    cached, fresh, output = (m * MEGA for m in mtok)
    listed = Price(
        model="listed",
        cached_input_usd_per_mtok=usd_per_mtok[0],
        input_usd_per_mtok=usd_per_mtok[1],
        output_usd_per_mtok=usd_per_mtok[2],
    )
    hours = nodes * gpus_per_node * HOURS_PER_DAY
    return Statement(
        tiers=tiers_of(listed, fresh_tokens=fresh, cached_tokens=cached, output_tokens=output),
        cost_usd=hours * cost_usd_per_gpu_hour,
        gpu_hours=hours,
        days=1,
    )


@recompute("Statement", "tiers_of")
def service_day(what: str, **case: float | list[float]) -> float:
    """One day: nodes, rent, million tokens and prices of cached, fresh and output tokens."""
    day = _day(**case)
    return step(
        what,
        {
            "cost": day.cost_usd,
            "revenue": day.revenue_usd,
            "profit over cost": day.markup_frac,
            "profit over revenue": day.margin_frac,
        },
    )


@recompute("Statement")
def bundle_margin(revenue_usd: float, cost_usd: float) -> float:
    """Profit over revenue of a stated revenue and cost."""
    tier = Tier("all", 0.0, revenue_usd)
    return Statement(tiers=(tier,), cost_usd=cost_usd, gpu_hours=1, days=DAYS_PER_YEAR).margin_frac


@recompute("pool_gpu_hours")
def pool_nodes(
    tokens: list[float], node_tokens_per_s: list[float], gpus_per_server: int = 8
) -> float:
    """Nodes on average: tokens a day and the rate of a node, for each pool."""
    hours = sum(
        token_time.pool_gpu_hours(n, rate / gpus_per_server)
        for n, rate in zip(tokens, node_tokens_per_s, strict=True)
    )
    return hours / gpus_per_server / HOURS_PER_DAY


@recompute("pool_cost_frame")
def pool_usd_per_mtok(
    kind: str, cost_usd_per_gpu_hour: float, tokens: float, node_tokens_per_s: float
) -> float:
    """What a pool's tokens cost by its own hours."""
    hours = token_time.pool_gpu_hours(tokens, node_tokens_per_s / 8)
    prefill = kind == "input"
    frame = token_time.pool_cost_frame(
        cost_usd_per_gpu_hour,
        prefill_gpu_hours=hours if prefill else 0.0,
        decode_gpu_hours=0.0 if prefill else hours,
        fresh_tokens=tokens if prefill else 0.0,
        output_tokens=0.0 if prefill else tokens,
    )
    return float(frame.set_index("kind").loc[kind, "cost_usd_per_mtok"])
