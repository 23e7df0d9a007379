"""Questions of lesson 08: place and power."""

from __future__ import annotations

import functools

from econ.catalog.units import KILO, KWH_J, MEGA, MTOK
from econ.energy import carbon_g_per_mtok
from econ.lessons.l07_energy import served
from econ.lessons.l08_place import it_j_per_token, places_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario
from econ.tco import cost
from econ.value import capped_speed_frac, curtailment_usd_per_mw_hour, power_bill_usd_per_month


@functools.cache
def _electricity_frac() -> float:
    """Electricity's share of an owned hour."""
    parts = cost(Scenario.default().with_(tenure="owned")).frame().set_index("layer")
    hour = parts["usd_per_gpu_hour"]
    return float(hour["electricity"] / hour.sum())


question(
    "08-true",
    "Which of these four sentences is **true**?",
    options={
        "watt": "The accelerator with the most tokens per joule has the smallest bill.",
        "cap": "A power cap of 80 % costs a fifth of the speed.",
        "kwh": "Electricity is priced per kilowatt-hour alone.",
        "hour": "The hour of the accelerator costs many times its electricity.",
    },
    wrong=[
        Wrong("watt", lambda q: f"Electricity is {_electricity_frac():.0%} of the hour if this "
              "service owns its H100s. The price of the hour and its tokens decide the "
              "bill.", "efficiency-decides-bill"),
        Wrong("cap", lambda q: f"Decoding draws {served().decode_power_w:.0f} W of "
              f"{served().tdp_w:.0f} W here, so such a cap does not bind there. It slows prefill, "
              "which draws the limit.", "cap-costs-in-proportion"),
        Wrong("kwh", "A site also pays for the capacity that it reserves and for its highest "
              "quarter of an hour, used or not.", "kwh-is-price"),
    ],
    because="Energy limits how much can be built before it decides what a token costs.",
    truth=lambda q: "hour",
)  # fmt: skip


@functools.cache
def _carbon_ratio() -> float:
    grams = places_frame(it_j_per_token(served()), ["sweden", "poland"], "google")["carbon_g"]
    return float(grams.iloc[1] / grams.iloc[0])


question(
    "08-place",
    "The same machines write the same tokens in Poland and in Sweden. **How many times** as much "
    "carbon do they emit in Poland?",
    unit="times",
    slider=(0.5, 100),
    tolerance_frac=0.3,
    wrong=[
        Wrong((0, 1.5), "The energy is the same, but not what makes the electricity: coal in one "
              "place, water and uranium in the other."),
        Wrong((50, 100), "Even Sweden's grid is not free of carbon, since plants have to be built "
              "and biomass is burnt."),
    ],
    because="Both are annual means of the grid, by location.",
    truth=lambda q: _carbon_ratio(),
)  # fmt: skip


CAP_FRAC = 0.714


question(
    "08-cap",
    "A board of 350 W is capped at 250 W, 71 % of its limit. **Which share of its decode speed**, "
    "in percent, does it lose?",
    unit="percent",
    slider=(0, 60),
    limits=(0, 100),
    tolerance_frac=0.5,
    wrong=[
        Wrong((20, 60), lambda q: "That is the speed in proportion to the power. Decode waits for "
              "the memory, and the clocks that the cap takes away were hardly used: prefill loses "
              f"{1 - capped_speed_frac(CAP_FRAC, 'prefill'):.0%}.", "cap-costs-in-proportion"),
    ],
    because="Measured on one rig of six consumer cards.",
    truth=lambda q: 100 * (1 - capped_speed_frac(CAP_FRAC, "decode")),
)  # fmt: skip


COAL_PUE = 1.2


question(
    "08-1",
    "A token takes **{joules} J** of IT energy on a grid of **{grams} g** CO2e per kWh, in a "
    "building of PUE 1.2. How many **grams** does a million tokens emit?",
    unit="g",
    inputs={"joules": (2.7, 1.8, 0.9), "grams": (662, 350, 480)},
    tolerance_frac=0.02,
    wrong=[
        Wrong(lambda q: carbon_g_per_mtok(q.joules, q.grams), "The building is missing: each kWh "
              "of the servers takes 1.2 at the meter."),
        Wrong(lambda q: q.joules * q.grams * COAL_PUE, "You took joules for watt-hours. One "
              "watt-hour is 3,600 J.", "watt-for-watt-hour"),
        Wrong(lambda q: carbon_g_per_mtok(q.joules, q.grams) / COAL_PUE, "You divided by the PUE. "
              "The building makes it more, not less."),
    ],
    hints=("How many kWh does a million tokens take at the meter?",
           "J per token ÷ 3.6 × PUE × grams per kWh."),
    work=lambda q: f"{q.joules} / 3.6 = {q.joules * MTOK / KWH_J:.3f} kWh per million; × 1.2 × "
    f"{q.grams} = {carbon_g_per_mtok(q.joules, q.grams, COAL_PUE):.0f} g.",
    truth=lambda q: float(carbon_g_per_mtok(q.joules, q.grams, COAL_PUE)),
)  # fmt: skip


SITE_PUE, GPU_TOKENS_PER_S = 1.25, 600


def _site_rate(q: Inputs, pue: float = SITE_PUE, kw: float | None = None) -> float:
    servers = q.mw * KILO // ((q.server_kw if kw is None else kw) * pue)
    return float(servers * 8 * GPU_TOKENS_PER_S)


question(
    "08-2",
    "A site has **{mw} MW**. A server of eight accelerators is provisioned at **{server_kw} kW**, "
    "the PUE is 1.25, and each accelerator writes 600 tokens per second. How many **tokens per "
    "second** can the site write?",
    unit="tokens/s",
    inputs={"mw": (2, 3, 5), "server_kw": (11, 13.7, 15.2)},
    tolerance_frac=0.01,
    wrong=[
        Wrong(lambda q: _site_rate(q, pue=1), "Cooling takes from the same megawatts."),
        Wrong(lambda q: _site_rate(q, kw=5.6), "That counts eight boards of 700 W. The site also "
              "powers processors, network, fans and losses of the server."),
        Wrong(lambda q: _site_rate(q) / 8, "Each server holds eight accelerators."),
        Wrong(lambda q: q.mw * MEGA / 700 * GPU_TOKENS_PER_S, "The board's limit is not what the "
              "site provides for it."),
    ],
    hints=("How many servers does the site hold, cooling included?",
           "Site ÷ (server × PUE), rounded down to whole servers, × 8 × 600."),
    work=lambda q: f"{q.mw} MW ÷ ({q.server_kw} kW × 1.25) = "
    f"{q.mw * KILO // (q.server_kw * SITE_PUE):.0f} servers; × 8 × 600 = {_site_rate(q):,.0f}.",
    truth=_site_rate,
)  # fmt: skip


DEMAND_USD, LEAST_FRAC = 10.0, 0.85


def _month_usd(q: Inputs) -> float:
    return power_bill_usd_per_month(
        q.kwh, q.peak, usd_per_kwh=0.07, demand_usd_per_kw_month=DEMAND_USD,
        contracted_kw=q.contract, least_billed_frac=LEAST_FRAC,
    )  # fmt: skip


question(
    "08-3",
    "A site has a contract for **{contract} kW** and draws at most **{peak} kW** in a month, "
    "**{kwh:,} kWh** in all. A kWh costs 7 cents and a kW of demand 10 USD a month; at least 85 % "
    "of the contract is billed. What is the bill, in **USD**?",
    unit="USD",
    inputs={"contract": (1000, 2000, 1500), "peak": (600, 700, 500),
            "kwh": (300_000, 250_000, 350_000)},
    tolerance_frac=0.01,
    wrong=[
        Wrong(lambda q: 0.07 * q.kwh, "That is the energy. The kW are billed as well.",
              "kwh-is-price"),
        Wrong(lambda q: 0.07 * q.kwh + DEMAND_USD * q.peak, "The peak is below what is billed at "
              "least: take or pay."),
        Wrong(lambda q: 0.07 * q.kwh + DEMAND_USD * q.contract, "Only 85 % of the contract is "
              "billed at least."),
        Wrong(lambda q: DEMAND_USD * 0.85 * q.contract, "That is the demand alone. The kWh are "
              "billed as well."),
        Wrong(lambda q: 0.07 * q.kwh + DEMAND_USD * 0.85 * q.peak, "The 85 % are of the contract, "
              "not of the peak."),
    ],
    hints=("How many kW are billed, the peak or the least share of the contract?",
           "kWh × 0.07 + max(peak, 0.85 × contract) × 10."),
    work=lambda q: f"{q.kwh:,} × 0.07 + max({q.peak}, 0.85 × {q.contract}) × 10 = "
    f"{_month_usd(q):,.0f} USD.",
    truth=_month_usd,
)  # fmt: skip


def _cut_usd(q: Inputs) -> float:
    return curtailment_usd_per_mw_hour(
        q.profit, cut_frac=0.25, batch_frac=q.batch / 100, batch_lost_frac=0.1
    )


question(
    "08-4",
    "A megawatt at work earns **{profit} USD** an hour. For one hour the grid asks for 25 % less. "
    "**{batch} %** of the power serves work that can wait; a tenth of it is lost when it waits. "
    "What does the hour cost, in **USD** per MW?",
    unit="USD",
    inputs={"profit": (900, 1500, 600), "batch": (15, 10, 20)},
    tolerance_frac=0.02,
    wrong=[
        Wrong(lambda q: 0.25 * q.profit, "That cuts work at once that could have waited."),
        Wrong(lambda q: (0.25 - q.batch / 100) * q.profit, "A tenth of the delayed work never "
              "comes back."),
        Wrong(lambda q: 0.25 * q.profit * 0.1, "Not all of the cut falls on work that can wait."),
    ],
    hints=("How much of the cut falls on work that can wait, and how much beyond it?",
           "earning × (cut beyond the batch work + a tenth of the cut within it)."),
    work=lambda q: f"{q.profit} × ({0.25 - q.batch / 100:.2f} + 0.1 × {q.batch / 100:.2f}) = "
    f"{_cut_usd(q):.1f} USD.",
    truth=_cut_usd,
)  # fmt: skip
