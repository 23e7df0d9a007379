"""Page A1, the scoreboard: this kit and its peers on the same measured runs.

>>> sorted(set(board_frame()["part"]))
['all']
"""

from __future__ import annotations

import pandas as pd

from econ.catalog import table
from econ.charts import Drawing, figure

REFERENCE = "econ"
METRICS = {
    "tpot_s": "time per token",
    "ttft_s": "first token, median",
    "benchmark_mean_ttft_s": "first token, mean of a benchmark",
    "output_tokens_per_s_per_gpu": "throughput",
}


def board_frame(part: str = "all") -> pd.DataFrame:
    """The stored board for one kind of group, with metrics in words and errors in percent."""
    rows = table("scoreboard").query("part == @part").reset_index(drop=True)
    return rows.assign(
        measured=rows["metric"].map(METRICS),
        error_percent=100 * rows["median_error_frac"],
        answered_frac=rows["n_answered"] / rows["n_rows"],
    )


def tools_frame() -> pd.DataFrame:
    """Who was asked: tool, version, settings, answered of how many, why not, date."""
    rows = table("scoreboard_tools").reset_index(drop=True)
    return rows[["tool", "version", "licence", "n_answered", "n_rows", "settings", "reasons",
                 "as_of"]]  # fmt: skip


def best_peer(metric: str = "tpot_s") -> pd.Series:
    """The peer whose median error is least on the metric, over the runs that it answers."""
    rows = board_frame().query("metric == @metric and n_answered > 0")
    peers = rows[~rows["tool"].str.startswith(REFERENCE)]
    return peers.loc[peers["median_error_frac"].idxmin()]


def scoreboard_chart(frame: pd.DataFrame) -> Drawing:
    """`board_frame`: the median error of each tool on each metric."""
    rows = frame[frame["n_answered"] > 0]
    order = rows[rows["metric"] == "tpot_s"].sort_values("median_error_frac")["tool"]
    peer = best_peer()
    words = "; ".join(
        f"{row.tool}, {row.measured}: {row.error_percent:.0f} % of {row.n_answered} runs"
        for row in rows.itertuples()
    )
    return figure(
        rows,
        "error_percent",
        "tool",
        kind="point",
        by="measured",
        legend=True,
        log="x",
        sort=list(order),
        x_title="Median error on the runs that a tool answers (%)",
        finding=f"The best peer, {peer['tool']}, is {_percent(peer['median_error_frac'])} off on "
        f"time per token; this kit {_percent(peer['paired_reference_error_frac'])} on those runs",
        subtitle="This kit by fits that have not seen a run's configuration, accelerator or model",
        says=f"Points by tool and metric. {words}.",
    )


def peer_by_group_frame(tool: str, metric: str = "tpot_s") -> pd.DataFrame:
    """One peer against this kit, group by group: difference in percent with its interval."""
    rows = table("scoreboard").reset_index(drop=True)
    rows = rows[(rows["tool"] == tool) & (rows["metric"] == metric) & rows["n_answered"].gt(0)]
    rows = rows.dropna(subset=["difference_low_frac"])
    label = rows["part"].where(rows["part"] == "all", rows["part"] + " " + rows["group"])
    names = ("difference", "difference_low", "difference_high")
    points = {f"{name}_points": 100 * rows[f"{name}_frac"] for name in names}
    return rows.assign(name=label, **points).reset_index(drop=True)


def peer_chart(frame: pd.DataFrame) -> Drawing:
    """`peer_by_group_frame`: left of the line the peer errs less."""
    tool, measured = frame["tool"].iloc[0], METRICS[frame["metric"].iloc[0]]
    better, worse = ((frame["verdict"] == word).sum() for word in ("better", "worse"))
    return figure(
        frame,
        "difference_points",
        "name",
        kind="range",
        low="difference_low_points",
        high="difference_high_points",
        by="verdict",
        rule_x=0.0,
        sort=list(frame["name"]),
        x_title="Median error less this kit's on the same runs (points); interval of 95 %",
        form="{:+.0f}",
        finding=f"On {measured}, {tool} errs less in {better} of {len(frame)} groups, more in "
        f"{worse}, and {len(frame) - better - worse} do not tell",
        subtitle="Left of the line the peer is better; configurations were resampled",
    )


def better_frame() -> pd.DataFrame:
    """Every comparison in which a peer's median error is lower; ``better`` is beyond chance."""
    rows = table("scoreboard").query("difference_frac < 0").reset_index(drop=True)
    rows = rows[~rows["tool"].str.startswith(REFERENCE)]
    return rows[["tool", "metric", "part", "group", "n_answered", "median_error_frac",
                 "paired_reference_error_frac", "difference_frac", "difference_low_frac",
                 "difference_high_frac", "verdict", "as_of"]]  # fmt: skip


def n_comparisons() -> int:
    """Comparisons of a peer with this kit that the board holds, answered ones alone."""
    rows = table("scoreboard")
    return int((~rows["tool"].str.startswith(REFERENCE) & rows["n_answered"].gt(0)).sum())


def forms(frame: pd.DataFrame) -> dict[str, str]:
    """How a table shows its shares: differences with their sign."""
    shares = (name for name in frame if str(name).endswith("_frac"))
    return {n: "{:+.1%}" if n.startswith("difference") else "{:.1%}" for n in shares}


def sentences() -> str:
    """What the board says of each metric: the best peer beside this kit, and who is better."""
    lines = []
    for metric, words in METRICS.items():
        peer = best_peer(metric)
        sides = {"better": f"{peer['tool']} is better", "worse": "this kit is better",
                 "not told apart": "the runs do not tell them apart"}  # fmt: skip
        lines.append(
            f"* {words}: {peer['tool']} {_percent(peer['median_error_frac'])} on the "
            f"{peer['n_answered']} of {peer['n_rows']} runs that it answers, this kit "
            f"{_percent(peer['paired_reference_error_frac'])} on the same; {sides[peer['verdict']]}"
        )
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
