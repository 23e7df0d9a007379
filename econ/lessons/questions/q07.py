"""Questions of lesson 07: how many joules does a token take?"""

from __future__ import annotations

import functools

from econ.catalog import table
from econ.catalog.units import KWH_J, MTOK
from econ.energy import energy, energy_cost_usd_per_mtok, idle_j_per_token
from econ.lessons.l07_energy import batch_frame, measured_batches_frame, served
from econ.lessons.question import Inputs, Wrong, question
from econ.scenario import Scenario


def _fewer_joules(q: Inputs) -> float:
    alone_j, shared_j = _measured_j()
    return alone_j / shared_j


question(
    "07-batch",
    "The same model on the same accelerator serves some 700 users at a time instead of 8. **How "
    "many times fewer joules** does a token take?",
    unit="times",
    slider=(0.5, 100),
    tolerance_frac=0.25,
    wrong=[
        Wrong((0, 1.5), "The accelerator reads the weights once for all users of a step, so a "
              "token's share of the energy falls with the batch.", "energy-ignores-batch"),
        Wrong((50, 100), "That would be the ratio of the users. But 700 users also read 700 "
              "caches, and a busy accelerator draws more power."),
    ],
    because="Both points were measured on one accelerator with an 8B model.",
    truth=_fewer_joules,
)  # fmt: skip


@functools.cache
def _measured_j() -> tuple[float, float]:
    """Measured joules per token of the 8B model at the smallest and the largest batch."""
    frame = measured_batches_frame()
    points = frame[frame["claim"].str.contains(" 8B ")]["published"]
    return float(points.iloc[0]), float(points.iloc[-1])


def _prompt_wh() -> tuple[float, float]:
    rows = table("prompt_boundaries")["energy_wh"]
    return float(rows.iloc[0]), float(rows.iloc[-1])


question(
    "07-true",
    "Which of these six sentences is **true**?",
    options={
        "watt": "Tokens per watt measure how much energy a token takes.",
        "chip": "What the accelerator draws is what an answer takes.",
        "tdp": "A busy accelerator draws its TDP.",
        "flops": "Two FLOPs per parameter, times the joules of a FLOP, give a token's energy.",
        "price": "Electricity decides what a token costs.",
        "boundary": "The same prompt can honestly be given two figures that differ twofold.",
    },
    wrong=[
        Wrong("watt", "A watt is joules *per second*. Tokens per second per watt are tokens per "
              "joule; say that.", "tokens-per-watt"),
        Wrong("chip", lambda q: "Hosts, idle machines and the building come on top: Google's "
              f"median prompt is {_prompt_wh()[0]:.2f} Wh at the busy accelerators and "
              f"{_prompt_wh()[1]:.2f} Wh in all.", "chip-is-footprint"),
        Wrong("tdp", lambda q: f"Decoding for 32 users draws {served().decode_power_w:.0f} W of "
              f"{served().tdp_w:.0f} W. TDP is a limit.", "tdp-is-draw"),
        Wrong("flops", "Decoding spends most of its time and energy on reading, not on arithmetic. "
              "The formula gives a small part.", "flops-give-energy"),
        Wrong("price", "At this service electricity is about two percent of a rented hour and "
              "less than a tenth of an owned one.", "electricity-sets-price"),
    ],
    because="Both are right within their own boundary. Ask which one.",
    truth=lambda q: "boundary",
)  # fmt: skip


POWER_W, TOKENS_PER_S = 1765.4, 469.7  # measured: Llama-3.1-70B on four H100, batch 8
J_PER_TOKEN = POWER_W / TOKENS_PER_S
PUE = 1.17


question(
    "07-1",
    "Four H100 together draw 1,765.4 W and write 469.7 tokens per second. What does the "
    "electricity for a million such tokens cost at **{usd_per_kwh} USD** per kWh and a PUE of "
    "1.17, in **USD**?",
    unit="USD per million tokens",
    inputs={"usd_per_kwh": (0.0899, 0.12, 0.06)},
    wrong=[
        Wrong(lambda q: energy_cost_usd_per_mtok(J_PER_TOKEN, q.usd_per_kwh), "The building is "
              "missing: each kWh of the servers takes 1.17 at the meter."),
        Wrong(lambda q: J_PER_TOKEN * q.usd_per_kwh * PUE, "You took joules for watt-hours. One "
              "watt-hour is 3,600 J.", "watt-for-watt-hour"),
        Wrong(lambda q: energy_cost_usd_per_mtok(J_PER_TOKEN, q.usd_per_kwh, PUE) / 4, "You "
              "divided by the four accelerators, but the tokens are those of all four as well."),
        Wrong(lambda q: energy_cost_usd_per_mtok(J_PER_TOKEN, q.usd_per_kwh) / PUE, "You "
              "divided by the PUE. The building makes it more, not less."),
        Wrong(J_PER_TOKEN, "Those are the joules of one token. Make them kWh per million, then "
              "price them."),
        Wrong(J_PER_TOKEN * PUE / 3.6, "Those are the kWh of a million tokens. What does a kWh "
              "cost?"),
    ],
    hints=("How many joules does one token take, and how many kWh a million of them?",
           "W ÷ tokens/s = J per token; ÷ 3.6 = kWh per million; × USD per kWh × PUE."),
    work=lambda q: f"1,765.4 / 469.7 = {J_PER_TOKEN:.2f} J per token, "
    f"{J_PER_TOKEN * MTOK / KWH_J:.2f} kWh per million; × {q.usd_per_kwh} × 1.17 = "
    f"{energy_cost_usd_per_mtok(J_PER_TOKEN, q.usd_per_kwh, PUE):.4f} USD.",
    truth=lambda q: float(energy_cost_usd_per_mtok(J_PER_TOKEN, q.usd_per_kwh, PUE)),
)  # fmt: skip


IDLE_W, BUSY_TOKENS_PER_S = 400, 460


question(
    "07-2",
    "A server writes 460 tokens per second and accelerator while it works, which is **{busy:.0%}** "
    "of the time. When idle, it draws 400 W per accelerator. How many **joules** does the idle "
    "time add to each token?",
    unit="J per token",
    inputs={"busy": (0.25, 0.4, 0.2)},
    wrong=[
        Wrong(lambda q: IDLE_W / BUSY_TOKENS_PER_S, "That is as if it idled one hour for each hour "
              "of work. Count the idle hours per hour of work."),
        Wrong(lambda q: IDLE_W * (1 - q.busy) / BUSY_TOKENS_PER_S, "That spreads the idle hours "
              "over all hours. Tokens come only in the busy ones, so divide by {busy} too."),
        Wrong(lambda q: IDLE_W / q.busy / BUSY_TOKENS_PER_S, "That counts the busy hours as idle "
              "as well."),
    ],
    hints=("How many idle seconds are there for each second of work?",
           "Idle W × (1 − u) / u ÷ tokens per second."),
    work=lambda q: f"At {q.busy:.0%}: 400 × {1 - q.busy:.2f} / {q.busy} ÷ 460 = "
    f"{idle_j_per_token(IDLE_W, BUSY_TOKENS_PER_S, q.busy):.2f} J per token.",
    truth=lambda q: float(idle_j_per_token(IDLE_W, BUSY_TOKENS_PER_S, q.busy)),
)  # fmt: skip


WRITTEN = 1000


def _ratio_of_two_figures(q: Inputs) -> float:
    one = energy(Scenario.default().with_(input_tokens=q.read, output_tokens=WRITTEN),
                 concurrency=32)  # fmt: skip
    return float(one.j_per_output_token / one.j_per_total_token)


question(
    "07-3",
    "A request has **{read:,}** tokens in and 1,000 out. By which **factor** is its energy per "
    "output token larger than its energy per token in and out?",
    unit="times",
    inputs={"read": (8000, 3000, 11_000)},
    wrong=[
        Wrong(1, "It is the same energy, but one figure divides it by 1,000 tokens and the other "
              "by all of them.", "per-output-is-per-total"),
        Wrong(lambda q: q.read / WRITTEN, "That is input over output. The other figure divides by "
              "both together."),
    ],
    hints=("The energy is the same. By how many tokens does each figure divide it?",
           "(In + out) ÷ out."),
    work=lambda q: f"({q.read:,} + 1,000) ÷ 1,000 = {(q.read + WRITTEN) / WRITTEN:.0f}.",
    truth=_ratio_of_two_figures,
)  # fmt: skip


@functools.cache
def _line_j(users: int) -> float:
    """The predicted line of the lesson's chart at a batch."""
    frame = batch_frame("llama-3.1-8b", "h100-sxm", tp=1, input_tokens=100, output_tokens=400)
    return float(frame.set_index("concurrency")["energy_j_per_token"].loc[users])


question(
    "07-4",
    "Read it off the chart of joules over the batch, under “Ten lines of your own”: how many "
    "**joules** does a token take on the predicted line at a batch of **{users}**? Both axes are "
    "logarithmic.",
    unit="J per token",
    inputs={"users": (16, 64, 4)},
    tolerance_frac=0.2,
    wrong=[
        Wrong(lambda q: _line_j(1), "That is the line's left end, at a batch of one."),
        Wrong(lambda q: _measured_j()[0], "That is the measured point at a batch of 8. The line is "
              "the prediction."),
    ],
    hints=("Find the batch on the lower axis, go up to the line, then left.",
           "On a logarithmic axis the middle between 0.1 and 1 is 0.32."),
    work=lambda q: f"At a batch of {q.users} the line stands at {_line_j(q.users):.2f} J.",
    truth=lambda q: _line_j(q.users),
)  # fmt: skip
