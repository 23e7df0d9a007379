"""Fit the latency model and the power law to measured runs; say how well they do on runs left out.

``python -m econ.calibrate`` reports on the samples in ``data/``; ``--runs FILE`` takes a full file
of measured runs, and with ``--write`` renews the calibrations, their bands and the sample;
``--energy`` leaves the latency model alone.
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from econ.catalog.reading import wrong_input
from econ.catalog.tables import forget, table, write_table
from econ.energy import fit as energy_fit
from econ.energy.fit import FITTED, power_runs, read_power_runs
from econ.energy.power import PowerLaw
from econ.latency.calibration import ENGINE_ENDS, REGIMES, Calibration, bands
from econ.latency.dated_fit import cells
from econ.latency.fit import (
    METRICS,
    accuracy_by_group,
    accuracy_frame,
    dated_logs,
    fit,
    fit_dated,
    groups,
    groups_of,
    held_out,
    is_mean,
    ladder_frame,
    limits_of,
    measured,
    with_intervals,
)
from econ.latency.identify import identified_rows
from econ.latency.repeats import repeats_frame, repeats_rows
from econ.latency.runs import (
    configuration,
    crowded,
    measured_runs,
    read_medians,
    read_runs,
    sample_rows,
)

__all__ = ["accuracy_by_group", "accuracy_frame", "fit", "held_out", "ladder_frame", "main"]

REASONS = {
    "decode_compute_frac": "MLPerf offline results of Llama-2-70B and Llama-3.1 on seven "
    "accelerators: least error at 0.6; within a point of it from 0.5 to 0.8",
    "attention_compute_frac": "Round; beside the softmax 0.35, 0.5 and 0.7 fit alike",
    "n_tile_tokens": "A matrix unit's smallest tile; 8, 32, 64 and 23 (fitted) were tried",
    "n_prefill_tile_tokens": "The tile of grouped products over many tokens; 32, 64 and 128 were "
    "tried on the same runs and on MLPerf runs of Mixtral",
    "prefill_chunk_tokens": "A common default of chunked prefill; 2048 and 8192 were tried",
    "collective_s": "A kernel and an exchange over the link, alike for two slices and for eight: "
    "engines send in one shot; 2, 3.5 and 5 µs fit alike",
    "large_message_bytes": "Where engines leave their one-shot all-reduce; 0.5, 1, 2, 4 and 8 MB "
    "were tried, MLPerf offline runs showing larger messages to be faster",
    "recv_wait_frac": "A request comes at any time between two looks (fitted, it was 0.6)",
    "slow_link_bytes_per_s": "The rate of small messages on the slowest link of the fit",
    "network_bytes_per_s": "A network card of 400 Gbit/s for each accelerator",
    "pipeline_bubble_frac": "No run has a pipeline; half of what exponentially distributed parts "
    "would lose",
    "usable_memory_frac": "Between the engines' defaults of 0.90 and 0.95",
    "reserved_bytes": "Runtime and graphs; a round figure",
}
ENERGY_SPLITS = ("configuration", "model", "accelerator", "source")


def calibration_rows(k: Calibration, runs: pd.DataFrame, today: str) -> pd.DataFrame:
    """The calibration as rows of ``data/latency/calibration.csv``."""
    rows = []
    for name in k.names():
        fitted = name in k.intervals
        low, high = (f"{x:.4g}" for x in k.intervals[name]) if fitted else ("", "")
        source, kind = ("inferencex-runs", "derived") if fitted else ("own-text", "assumed")
        least, most = limits_of(name) if fitted else (0.0, 0.0)
        at_limit = fitted and not least * 1.001 < getattr(k, name) < most * 0.999
        note = "Fitted to measured runs" + "; at the limit set beforehand" * at_limit
        rows.append(
            {
                "name": name,
                "value": f"{getattr(k, name):.4g}",
                "low": low,
                "high": high,
                "n_runs": len(runs) if fitted else 0,
                "source": source,
                "as_of": today,
                "kind": kind,
                "note": REASONS.get(name, note if fitted else "By design"),
            }
        )
    return pd.DataFrame(rows)


def engine_rows(k: Calibration, n_runs: int, today: str) -> pd.DataFrame:
    """The engines' fitted values as rows of ``data/latency/engines.csv``."""
    numbers = [name for value, ends in ENGINE_ENDS.items() for name in (value, *ends)]
    rows = table("engines").astype(dict.fromkeys(numbers, float))
    for engine in k.engines:
        for value, ends in ENGINE_ENDS.items():
            if (key := f"{engine.name}.{value}") in k.intervals:
                fitted = (k.value(key), *k.intervals[key])
                rows.loc[engine.name, [value, *ends]] = [float(f"{x:.4g}") for x in fitted]
                rows.loc[engine.name, ["n_runs", "as_of"]] = n_runs, today
    return rows


# which held-out errors make the band of which regime; every group of these must be covered
BANDS = {
    "calibrated": ("configuration", "half-year", "engine", "source"),
    "new accelerator": ("accelerator",),
    "new model": ("model",),
}
COVERED, FEWEST_ROWS = 0.87, 30  # of each group left out, and the rows below which it is no group


def left_out_errors(runs: pd.DataFrame, k: Calibration) -> dict[str, pd.DataFrame]:
    """For each split, the absolute logarithmic errors of every run by a fit without its group."""
    return {
        split: np.log(held_out(runs, split, start=k) / measured(runs)).abs()
        for splits in BANDS.values()
        for split in splits
    }


def band_rows(runs: pd.DataFrame, off: dict[str, pd.DataFrame], today: str) -> pd.DataFrame:
    """Bands from held-out errors: of 90 % of configurations, and of each source, engine and
    half-year left out (each accelerator, each model) alone. Where nothing was measured: the factors
    of a new accelerator and a new model multiplied, and no less than those of a crowd."""
    crowds = crowded(runs)
    factors: dict[str, pd.DataFrame] = {}
    counts = {regime: int((~crowds).sum()) for regime in BANDS} | {"crowded": int(crowds.sum())}
    for regime, splits in {**BANDS, "crowded": ("configuration",)}.items():
        rows = crowds if regime == "crowded" else ~crowds
        first = off[splits[0]][rows]
        frame = pd.DataFrame({"median_x": first.median(), "p90_x": first.quantile(0.9)})
        for split in splits if regime != "crowded" else ():
            by_group = off[split][rows].groupby(groups_of(runs, split)[rows])
            enough = by_group.count() >= FEWEST_ROWS
            worst = by_group.quantile(COVERED).where(enough).max()
            frame["p90_x"] = np.fmax(frame["p90_x"], worst)
        factors[regime] = np.exp(frame)
    factors["crowded"] = factors["crowded"].fillna(factors["calibrated"])
    factors["new both"] = factors["new accelerator"] * factors["new model"]
    factors["beyond"] = factors["new both"].clip(lower=factors["crowded"])
    for regime in factors:  # a band never narrows as one leaves what was measured
        factors[regime] = factors[regime].clip(lower=factors["calibrated"])
    frame = pd.concat(factors, names=["regime", "metric"]).reset_index()
    frame["n_rows"] = frame["regime"].map(counts).fillna(0).astype(int)
    frame["kind"] = frame["n_rows"].gt(0).map({True: "derived", False: "assumed"})
    frame["id"] = (frame["regime"] + " " + frame["metric"]).str.replace(" ", "-")
    return frame.assign(source="inferencex-runs", as_of=today)


def coverage_rows(
    runs: pd.DataFrame, off: dict[str, pd.DataFrame], rows: pd.DataFrame, today: str
) -> pd.DataFrame:
    """How many runs of each group left out lie inside the reported 90 % band.

    Columns: left_out, what (the group), metric, n_runs, covered_frac, p90_x. Crowds, which have a
    band of their own, are left aside.
    """
    factor, few = rows.set_index(["regime", "metric"])["p90_x"], ~crowded(runs)
    table_rows = []
    for regime, splits in BANDS.items():
        for split in splits:
            for group, part in off[split][few].groupby(groups_of(runs, split)[few]):
                for metric in METRICS:
                    errors = part[metric].dropna()
                    if len(errors) >= FEWEST_ROWS:
                        most = factor[regime, metric]
                        inside = float((errors <= np.log(most)).mean())
                        table_rows.append((split, str(group), metric, len(errors), inside, most))
    columns = ["left_out", "what", "metric", "n_runs", "covered_frac", "p90_x"]
    frame = pd.DataFrame(table_rows, columns=columns)
    names = frame[["left_out", "what", "metric"]].agg("-".join, axis=1)
    return frame.assign(
        id=names.str.replace(r"[ ,]+", "-", regex=True),
        source="inferencex-runs",
        as_of=today,
        kind="derived",
    )


def maturity_rows(k: Calibration, runs: pd.DataFrame, today: str) -> pd.DataFrame:
    """The maturity of software by date as rows of ``data/latency/software_maturity.csv``."""
    dated = runs[~is_mean(runs)]
    logs = dated_logs(dated, k)
    rows = cells(dated, logs)
    what = configuration(dated) + dated["concurrency"].astype(str)
    rng, drawn = np.random.default_rng(1), []
    for _ in range(40):  # deployments and loads drawn anew
        names = pd.Series(rng.choice(what.unique(), what.nunique()))
        inside = what.isin(names.unique()).to_numpy()
        again = cells(dated[inside], logs[inside])
        drawn.append(again.set_index(["engine", "generation", "quarter"])["log"])
    ends = pd.concat(drawn, axis=1).quantile([0.05, 0.95], axis=1).T
    keys = rows.set_index(["engine", "generation", "quarter"]).index
    month = (rows["year"] % 1 * 12).astype(int) + 1
    date = rows["year"].astype(int).astype(str) + "-" + month.astype(str).str.zfill(2)
    return rows.assign(
        id=rows["engine"] + "-" + rows["generation"] + "-" + date,
        maturity=np.exp(rows["log"]).round(3),
        low=np.exp(np.fmin(ends[0.05].reindex(keys).to_numpy(), rows["log"])).round(3),
        high=np.exp(np.fmax(ends[0.95].reindex(keys).to_numpy(), rows["log"])).round(3),
        as_of=date,
        source="inferencex-medians",
        kind="derived",
    )


def report(runs: pd.DataFrame, *, by_group: bool = True) -> str:
    """The accuracy report as text."""
    fitted = fit_dated(runs).frame().to_string(index=False)
    parts = [f"{len(runs)} runs, {configuration(runs).nunique()} configurations\n{fitted}"]
    for split in ("configuration", "accelerator", "model", "engine", "half-year", "source"):
        errors = accuracy_frame(split, runs).round(3).to_string()
        parts.append(f"Left out: {split}\n{errors}")
        if by_group and split != "configuration":
            parts.append(accuracy_by_group(split, runs).round(3).to_string())
    parts.append("Run after run alike\n" + repeats_frame(runs).round(3).to_string(index=False))
    inside = table("band_coverage").pivot_table("covered_frac", ["left_out", "what"], "metric")
    parts.append(f"Inside the reported 90 % band, left out\n{inside.round(2).to_string()}")
    without = "Held-out errors without a parameter, runs that depend on it\n"
    parts.append(without + table("calibration_without").iloc[:, :-3].to_string())
    parts.append("The ladder of physics\n" + ladder_frame(runs).round(3).to_string(index=False))
    return "\n\n".join(parts)


def energy_runs(path: Path | None = None) -> pd.DataFrame:
    """The runs with measured power: those of the sample, and those of a full file before them."""
    files = [read_power_runs(path)] if path else []
    return pd.concat([*files, power_runs()], ignore_index=True)


def power_rows(law: PowerLaw, n_runs: int, today: str) -> pd.DataFrame:
    """The power law as rows of ``data/energy/power_calibration.csv``, without the idle share."""
    idle = table("power_calibration").loc[["idle_frac"]]
    rows = pd.DataFrame(
        [(name, getattr(law, name), *law.intervals[name]) for name in FITTED],
        columns=["name", "value", "low", "high"],
    )
    note = "Fitted to measured runs of 2024 and 2026 at their throughput"
    more = {"n_runs": n_runs, "source": "mlenergy-v3", "as_of": today, "kind": "derived"}
    return pd.concat([idle, rows.round(4).assign(**more, note=note)])


def energy_accuracy(runs: pd.DataFrame) -> pd.DataFrame:
    """Held-out errors of J/token, as rows of ``data/energy/energy_accuracy.csv``."""
    splits = [s for s in ENERGY_SPLITS if len(set(groups(runs, s))) > 1]
    errors = pd.concat([energy_fit.accuracy_frame(runs, s) for s in splits])
    keys = ["left_out", "measured_by", "accelerator", "route"]
    errors["id"] = errors[keys].agg("-".join, axis=1).str.replace(r"[ ,]+", "-", regex=True)
    return errors


def energy_band_rows(errors: pd.DataFrame, today: str) -> pd.DataFrame:
    """Bands of J/token from the end-to-end errors; those that nothing measured are widened in the
    ratio of the latency model's own."""
    end_to_end = errors[errors["route"] == "end to end"]

    def row(split: str, source: str, chip: str) -> pd.Series:
        key = (end_to_end["left_out"] == split) & (end_to_end["measured_by"] == source)
        return end_to_end[key & (end_to_end["accelerator"] == chip)].iloc[0]

    seen = row("configuration", "mlenergy-v3", "h100-sxm")
    measured = {
        "calibrated": seen,
        "new accelerator": row("accelerator", "mlenergy-v2", "a100-sxm-40gb"),
        "new model": row("model", "mlenergy-v3", "h100-sxm"),
    }
    rate = {r: bands()[r, "output_tokens_per_s_per_gpu"] for r in REGIMES}
    rows = {}
    for column, factor in (("median_x", "median_factor"), ("p90_x", "p90_factor")):
        known = {r: max(held_out[column], seen[column]) for r, held_out in measured.items()}
        known["new both"] = known["new accelerator"] * known["new model"] / known["calibrated"]
        for regime, base in (("crowded", "calibrated"), ("beyond", "new both")):
            wider = getattr(rate[regime], factor) / getattr(rate[base], factor)
            known[regime] = known[base] * max(wider, 1.0)
        rows[column] = known
    frame = pd.DataFrame(rows).loc[list(REGIMES)].rename_axis("regime").reset_index()
    counts = {regime: int(held_out["n_runs"]) for regime, held_out in measured.items()}
    frame["n_rows"] = frame["regime"].map(counts).fillna(0).astype(int)
    frame["kind"] = frame["n_rows"].gt(0).map({True: "derived", False: "assumed"})
    frame["id"] = frame["regime"].str.replace(" ", "-")
    return frame.assign(source="mlenergy-v3", as_of=today)


def energy_report(runs: pd.DataFrame) -> str:
    """Fit, held-out errors and the check at the wall, as text."""
    law = energy_fit.fit(runs)
    shares = ", ".join(f"{n} {getattr(law, n):.3f}" for n in law.names())
    errors = energy_accuracy(runs).drop(columns="id")
    wall = energy_fit.wall_frame()[
        ["id", "wall_power_w", "ours_power_w", "host_frac", "energy_j_per_token",
         "ours_j_per_token"]
    ]  # fmt: skip
    parts = [
        f"Energy: {len(runs)} runs with measured power\n{shares} (shares of TDP)",
        f"J/token, held out\n{errors.round(3).to_string(index=False)}",
        "At the wall: accelerators by the law, the rest is the host; J/token end to end\n"
        + wall.round(3).to_string(index=False),
    ]
    return "\n\n".join(parts)


def write_energy(runs: pd.DataFrame, today: str) -> None:
    """Renew the tables of the power law."""
    law = energy_fit.with_intervals(runs)
    print("wrote", write_table("power_calibration", power_rows(law, len(runs), today)).name)
    errors = energy_accuracy(runs)
    rows = errors.round(3).assign(source=errors["measured_by"], as_of=today, kind="derived")
    print("wrote", write_table("energy_accuracy", rows).name)
    print("wrote", write_table("energy_bands", energy_band_rows(errors, today)).name)


def main(arguments: list[str] | None = None) -> None:
    """Report, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m econ.calibrate", description=__doc__)
    parser.add_argument("--runs", type=Path, help="a full file of measured runs (CSV)")
    parser.add_argument("--medians", type=Path, help="a full file of dated medians (CSV)")
    parser.add_argument("--write", action="store_true", help="renew the tables in data/")
    parser.add_argument("--energy", action="store_true", help="the power law alone")
    chosen = parser.parse_args(arguments)
    if chosen.write and not (chosen.runs and chosen.medians):
        parser.error("--write needs --runs and --medians: the samples are too small")
    today = datetime.date.today().isoformat()
    with wrong_input(parser):
        powered = energy_runs(chosen.runs)
        means = read_runs(chosen.runs) if chosen.runs else None
        medians = read_medians(chosen.medians) if chosen.medians else None
    if chosen.energy:
        if chosen.write:
            write_energy(powered, today)
        print(energy_report(powered))
        return
    runs = measured_runs(means, medians)
    if chosen.write:
        k = with_intervals(runs, fit_dated(runs))
        off = left_out_errors(runs, k)
        widths = band_rows(runs, off, today)
        for name, rows in (
            ("calibration", calibration_rows(k, runs, today)),
            ("engines", engine_rows(k, len(runs), today)),
            ("software_maturity", maturity_rows(k, runs, today)),
            ("calibration_bands", widths),
            ("band_coverage", coverage_rows(runs, off, widths, today)),
            ("repeated_runs", repeats_rows(runs, today)),
            ("measured_serving", sample_rows(means)),
            ("measured_medians", sample_rows(medians, "median")),
        ):
            print("wrote", write_table(name, rows).name)
        forget()  # what follows builds on what was just written
        print("wrote", write_table("calibration_without", identified_rows(runs, today)).name)
        write_energy(powered, today)
    print(report(runs))
    print("\n" + energy_report(powered))


if __name__ == "__main__":
    main()
