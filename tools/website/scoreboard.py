"""The page of the scoreboard: this kit and its peers on the same runs, with the date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pages
import pandas as pd

from econ.charts import Table
from econ.lessons import a1_scoreboard as board

INTRODUCTION = """# Scoreboard

This kit and {n_peers} packages that anyone can install were asked about the same {n_runs}
measured runs, on {date}. `python -m bench.scoreboard` asks them again; it makes an environment for
each, with the versions below. This kit is scored by fits that have not seen a run's configuration.
A peer counts under the best of the settings that were tried, chosen on these very runs. What a peer
could not answer is counted, and a difference compares the runs that both answered.

{sentences}

Read it with care. The form of this kit's model was chosen with such runs in view, and it is fitted
to other runs of the same benchmarks, opening burst included; the peers are not. Some runs were
published by the maker of aiconfigurator, whose tables hold kernels of the same accelerators. A peer
that gives one time to the first token is compared with medians and with means of a benchmark whose
users all start at once.
"""


def write(out: Path) -> None:
    """Write the page and its charts below the folder of Sphinx sources ``out``."""
    (out / "reference").mkdir(exist_ok=True)
    tools, whole = board.tools_frame(), board.board_frame()
    peers = tools[~tools["tool"].str.startswith(board.REFERENCE)]
    peer = board.best_peer()["tool"]
    charts = {
        "scoreboard": board.scoreboard_chart(whole),
        "scoreboard-groups": board.peer_chart(board.peer_by_group_frame(peer)),
    }
    words = INTRODUCTION.format(
        n_peers=len(peers), n_runs=tools["n_rows"].iloc[0], date=tools["as_of"].max(),
        sentences=board.sentences(),
    )  # fmt: skip
    blocks = [
        words,
        *(pages.raw(pages.chart_markup(chart, name, out)) for name, chart in charts.items()),
        "## Where a peer errs less\n",
        _table(board.better_frame()),
        "## Who was asked, under which settings, and what was not answered\n",
        "\n".join(map(_asked, tools.itertuples())),
    ]
    (out / "reference" / "scoreboard.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _asked(row: Any) -> str:
    """A tool, its settings and what it did not answer, in words: too long for cells of a table."""
    missing = f" Not answered: {row.reasons}." if row.reasons else ""
    return (
        f"* **{row.tool}** {row.version} ({row.licence}, {row.as_of}) answers {row.n_answered} of "
        f"{row.n_rows} runs. Settings: {row.settings}.{missing}"
    )


def _table(frame: pd.DataFrame) -> str:
    """A table that scrolls sideways."""
    inner = Table(frame, **board.forms(frame))._repr_html_()
    return pages.raw(
        f'<div class="econ-output" tabindex="0" role="group" aria-label="Table">{inner}</div>'
    )
