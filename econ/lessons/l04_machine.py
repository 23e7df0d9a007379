"""Lesson 04, does it hold on the computer you sit at?: what is measured, and what stands in for it.

At the keyboard each function measures; in committed outputs, and where a computer cannot carry the
lesson, the recorded machine stands in, and the first sentence says so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ import machine as lab
from econ.catalog import price, table
from econ.catalog.units import GIGA, KILO
from econ.charts import Drawing, Panel, figure, overlay, panel, slider
from econ.charts.render import is_static
from econ.machine import Machine, Recording
from econ.serving import simulate

MODEL_PARAMS = 64e6
REAL_MODEL, REAL_PRECISION = "llama-3.1-8b", "int4"
SELLER = "DeepInfra"
LOADS = np.arange(0.5, 2.55, 0.25)  # of the lowest rate that was served


def your_machine(power_w: float | None = None, *, anyway: bool = False) -> Machine:
    """Your computer, measured; or the recorded one, with the reason in a sentence.

    Parameters
    ----------
    power_w : float, optional
        What a watt-meter at the plug shows while it works, e.g. 45.
    anyway : bool
        Go on with your own computer whatever speaks against it.
    """
    if is_static():
        print("These outputs show the recorded machine. Run the cell to measure your own computer.")
        return lab.recorded().machine
    own = lab.measure(power_w=power_w)
    for sentence in (*own.reasons, *own.notes):
        print(sentence)
    if own.is_usable or anyway:
        return own
    print("The lesson goes on with the recorded machine; anyway=True keeps your own.")
    return lab.recorded().machine


def your_batches(machine: Machine) -> pd.DataFrame:
    """Batches of 1 to 32 on your computer (a quarter of a minute), or the recorded ones."""
    if machine.is_recorded:
        return lab.recorded().runs
    return lab.runs_frame(model=lab.tiny_model(MODEL_PARAMS, engine=machine.engine))


def your_threads(machine: Machine) -> pd.DataFrame:
    """Threads from one to four times the cores on your computer, or the recorded ones."""
    if machine.is_recorded:
        return table("recorded_threads").reset_index(drop=True)
    return lab.threads_frame([1, machine.n_cores, 2 * machine.n_cores, 4 * machine.n_cores])


def your_service(machine: Machine, runs: pd.DataFrame) -> Recording:
    """Half a minute of requests on your computer, beside its batches; or the recorded ones."""
    if machine.is_recorded:
        return lab.recorded()
    return lab.record(machine, n_params=MODEL_PARAMS, runs=runs)


# -- charts --------------------------------------------------------------------------------------
def bound_chart(rows: pd.DataFrame, guess: float | None = None) -> Drawing:
    """Measured gaps beside the bound, by batch: ``rows`` as `econ.machine.prediction_frame`."""
    first, second = rows["measured_s"].iloc[:2]
    long = rows.rename(columns={"measured_s": "measured", "bound_s": "bound"})
    long = long.melt("batch", ["measured", "bound"], "kind", "step_s")
    return figure(
        long.assign(step_ms=KILO * long["step_s"]), "batch", "step_ms", by="kind", log="x",
        points=True, guess=None if guess is None else guess * KILO * float(first), guess_axis="y",
        y_title="Time of a decode step (ms)",
        finding=f"The second user makes a step {second / first:.1f} times as long",
        subtitle="The bound: weights and caches at the measured bandwidth, products at the peak",
    )  # fmt: skip


def knee_frame(service: Recording) -> pd.DataFrame:
    """The 95th percentile of TTFT over the load: the same requests simulated and measured.

    Columns: rate_per_s, p95_ttft_s, source (simulated or measured).
    """
    replica = service.replica()
    is_open = service.requests["concurrency"] == 0
    measured = service.requests[is_open].groupby("load", sort=False)["rate_per_s"].first()
    first = service.times(str(measured.index[0]))
    rows = []
    for rate in LOADS * float(measured.iloc[0]):
        arrival_s = first.arrival_s * float(measured.iloc[0]) / rate
        times = simulate(arrival_s, first.input_tokens, first.output_tokens, replica)
        rows.append((rate, float(np.percentile(times.ttft_s, 95)), "simulated"))
    for load, rate in measured.items():
        ttft_s = service.times(str(load)).ttft_s
        rows.append((float(rate), float(np.percentile(ttft_s, 95)), "measured"))
    return pd.DataFrame(rows, columns=["rate_per_s", "p95_ttft_s", "source"])


def knee_chart(frame: pd.DataFrame) -> Drawing:
    """Where waiting begins: `knee_frame` as a curve and points."""
    curve = frame[frame["source"] == "simulated"]
    points = frame[frame["source"] == "measured"]
    early, knee, late = (curve.iloc[i] for i in (0, len(curve) // 2, -1))
    line = figure(
        curve, "rate_per_s", "p95_ttft_s", log="y",
        x_title="Arrivals (requests/s)", y_title="TTFT, 95th percentile (s)",
        finding=f"The wait grows {knee.p95_ttft_s / early.p95_ttft_s:.1f}-fold up to "
        f"{knee.rate_per_s:.0f} requests per second, then {late.p95_ttft_s / knee.p95_ttft_s:.1f}-"
        f"fold up to {late.rate_per_s:.0f}",
        subtitle="Line: simulated from single steps; points: the server here, in real time",
    )  # fmt: skip
    dots = figure(points, "rate_per_s", "p95_ttft_s", kind="point", log="y",
                  x_title="Arrivals (requests/s)", y_title="TTFT, 95th percentile (s)",
                  finding="Measured")  # fmt: skip
    return overlay(line, dots)


def service_frame(service: Recording) -> pd.DataFrame:
    """Every load that was served beside the simulator: percentiles of TTFT and TPOT."""
    replica, parts = service.replica(), []
    for load in service.loads:
        times = service.times(load)
        rows = service.requests[service.requests["load"] == load]
        users = int(rows["concurrency"].iloc[0]) or None
        computed = lab.simulated(times, replica, users)
        parts.append(lab.compare_frame(times, computed).assign(load=load))
    frame = pd.concat(parts, ignore_index=True)
    return frame[["load", *(c for c in frame if c != "load")]]


def goodput_frame(service: Recording, *, ttft_factor: float, tpot_factor: float) -> pd.DataFrame:
    """Good requests of every open load, measured and simulated, under limits of your own.

    The limits are so many times the medians of the lightest load. Columns: load, rate_per_s,
    good_frac, simulated_good_frac, goodput_per_s.
    """
    replica, lightest = service.replica(), service.times(service.loads[0])
    limits_s = (
        ttft_factor * float(np.nanmedian(lightest.ttft_s)),
        tpot_factor * float(np.nanmedian(lightest.tpot_s)),
    )
    rows = []
    for load, requests in service.requests.groupby("load", sort=False):
        if requests["concurrency"].iloc[0]:
            continue
        times = service.times(str(load))
        good = times.goodput(*limits_s)
        computed = lab.simulated(times, replica).goodput(*limits_s)
        rate = float(requests["rate_per_s"].iloc[0])
        rows.append((load, rate, good.good_frac, computed.good_frac, float(good)))
    names = ["load", "rate_per_s", "good_frac", "simulated_good_frac", "goodput_per_s"]
    return pd.DataFrame(rows, columns=names)


def threads_chart(frame: pd.DataFrame, n_cores: int) -> Drawing:
    """Bandwidth by the number of threads."""
    rows = frame.assign(bandwidth_gb_per_s=frame["bandwidth_bytes_per_s"] / GIGA)
    best = rows.set_index("n_threads")["bandwidth_bytes_per_s"]
    gain = best.iloc[-1] / best[n_cores] if n_cores in best.index else float("nan")
    return figure(
        rows, "n_threads", "bandwidth_gb_per_s", points=True, zero=True, rule_x=float(n_cores),
        x_title="Threads", y_title="Reading (GB/s)",
        finding=f"{rows['n_threads'].iloc[-1]} threads on {n_cores} cores read {gain:.2f} times "
        "as fast as one for each core",
        subtitle="A vector through a matrix of 134 MB; dashed: the number of cores",
    )  # fmt: skip


def api_usd_per_mtok() -> float:
    """What a million output tokens of the same open model cost from a seller."""
    return float(price(REAL_MODEL, SELLER).output_usd_per_mtok)


def cost_panel(tokens_per_s: float) -> Panel:
    """What a million tokens cost on this computer and from a seller, by price, hours and power."""

    def bars(price_usd: float, hours_per_day: float, power_w: float) -> pd.DataFrame:
        own = lab.own_cost(
            tokens_per_s, price_usd=price_usd, power_w=power_w, hours_per_day=hours_per_day,
            electricity_usd_per_kwh=0.25,
        )  # fmt: skip
        share = own.capital_usd_per_hour / own.usd_per_hour
        return pd.DataFrame(
            {
                "part": ["this computer's price", "its electricity", f"{SELLER}'s API"],
                "usd_per_mtok": [
                    own.usd_per_mtok * share, own.usd_per_mtok * (1 - share), api_usd_per_mtok(),
                ],
            }
        )  # fmt: skip

    def chart(rows: pd.DataFrame) -> Drawing:
        own = rows["usd_per_mtok"].iloc[:2].sum()
        return figure(
            rows, "usd_per_mtok", "part", kind="bar", form="${:.2f}", sort=None,
            x_title="USD per million output tokens",
            finding=f"Here a million tokens cost {own / api_usd_per_mtok():,.0f} times the API's",
        )  # fmt: skip

    return panel(
        bars,
        chart,
        price_usd=slider(0, 5000, value=1500, step=50, label="Price of the computer (USD)"),
        hours_per_day=slider(0.5, 24, value=2, step=0.5, label="Hours a day that it writes"),
        power_w=slider(5, 500, value=60, step=5, label="Power at the plug (W)"),
        presets={
            "two hours a day": {},
            "day and night": {"hours_per_day": 24},
            "it is there anyway": {"price_usd": 0},
        },
        heading="A token of your own: the price of the computer, or its electricity",
    )


def desk_chart(frame: pd.DataFrame) -> Drawing:
    """Machines for a desk by what one user gets, with the band."""
    rows = frame[frame["reason"] == ""].sort_values("tokens_per_s_per_user", ascending=False)
    fast, slow = rows.iloc[0], rows.iloc[-1]
    return figure(
        rows, "tokens_per_s_per_user", "name", low="low_tokens_per_s", high="high_tokens_per_s",
        kind="range", x_title="Tokens per second for one user",
        finding=f"One user gets {slow.tokens_per_s_per_user:.0f} to "
        f"{fast.tokens_per_s_per_user:.0f} tokens per second from a machine on a desk",
        subtitle="Llama-3.1-8B in 4 bits; ends: the least and the most that runs on such machines "
        "reached of the bound",
    )  # fmt: skip


def pool_chart(frame: pd.DataFrame) -> Drawing:
    """A class's computers: the tokens of one user over the bandwidth, and the bound above them."""
    rows = frame[frame["reason"] == ""]
    rows = rows.assign(
        gb_per_s=rows["memory_bandwidth_bytes_per_s"] / GIGA,
        tokens_per_s=1 / rows["measured_tpot_s"],
    )
    low, high = rows["slowdown"].min(), rows["slowdown"].max()
    span = f"{low:.1f}" if len(rows) == 1 else f"{low:.1f} to {high:.1f}"
    best = rows.loc[rows["gb_per_s"].idxmax()]
    bound = pd.DataFrame({"gb_per_s": [0.0, best.gb_per_s]})
    bound["tokens_per_s"] = bound["gb_per_s"] / best.gb_per_s / best.bound_tpot_s
    x_title, y_title = "Measured bandwidth (GB/s)", "Tokens per second of one user"
    line = figure(
        bound, "gb_per_s", "tokens_per_s", x_title=x_title, y_title=y_title,
        finding=f"A token took {span} times the bound on {len(rows)} "
        f"computer{'s' if len(rows) > 1 else ''}",
        subtitle="Line: the bound; the same small model everywhere; each point a file",
    )  # fmt: skip
    dots = figure(
        rows, "gb_per_s", "tokens_per_s", kind="point", label="file", finding="Measured",
        x_title=x_title, y_title=y_title,
    )  # fmt: skip
    return overlay(line, dots)
