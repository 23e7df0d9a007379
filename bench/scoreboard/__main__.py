"""Ask all, score, print, and write if asked (``python -m bench.scoreboard --help``)."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

import pandas as pd

from bench.scoreboard import rows as runs_of
from bench.scoreboard.board import best_setting, board
from bench.scoreboard.peers import NOT_ASKED, PEERS, answers_frame, ask, python_of, version
from econ import __version__
from econ.catalog.tables import write_table
from econ.latency.fit import measured

OURS_WORDS = "roofline with efficiencies fitted to serving runs; scored by a fit without the run's "


def main(arguments: list[str] | None = None) -> None:
    """Run the scoreboard."""
    parser = argparse.ArgumentParser(prog="python -m bench.scoreboard")
    parser.add_argument("--environments", type=Path, required=True, help="folder of the peers' own")
    parser.add_argument("--runs", type=Path, help="a full file of measured runs (CSV)")
    parser.add_argument("--medians", type=Path, help="a full file of dated medians (CSV)")
    parser.add_argument("--peers", nargs="*", default=[p.name for p in PEERS], help="only these")
    parser.add_argument("--answers", type=Path, help="folder that keeps peers' answers for a rerun")
    parser.add_argument("--write", action="store_true", help="renew the tables in data/")
    chosen = parser.parse_args(arguments)

    runs = runs_of.load(chosen.runs, chosen.medians)
    truth = measured(runs)
    tools, about = _peers(runs, truth, chosen)
    for line, predicted in runs_of.ours(runs).items():
        tools[line] = predicted
        about.append(_about(line, __version__, "Apache-2.0", len(runs), len(runs), "",
                            OURS_WORDS + runs_of.UNSEEN[line]))  # fmt: skip
    scored = board(truth, tools, runs_of.parts(runs), runs_of.clusters(runs), runs_of.REFERENCE)
    known = pd.DataFrame(about)
    print(report(scored, known))
    if chosen.write:
        today = datetime.date.today().isoformat()
        for name, frame in (("scoreboard", scored), ("scoreboard_tools", known)):
            print("wrote", write_table(name, _to_store(frame, today)).name)


def _peers(
    runs: pd.DataFrame, truth: pd.DataFrame, chosen: argparse.Namespace
) -> tuple[dict[str, pd.DataFrame], list[dict[str, object]]]:
    """Each peer's answers under its best setting, and what is to be known about it."""
    tools, about = {}, []
    for peer in (p for p in PEERS if p.name in chosen.peers):
        found = _kept_or_asked(peer, runs, chosen)
        answers = {n: answers_frame(a, truth) for n, a in found["answers"].items()}
        best = best_setting(answers, truth)
        tools[peer.name] = answers[best]
        why = (
            answers[best]["error"]
            .dropna()
            .str.replace(r"[\d.]+", "N", regex=True)
            .str[:60]
            .str.strip()
        )
        reasons = "; ".join(f"{n} × {text}" for text, n in why.value_counts().head(4).items())
        n_answered = int(answers[best]["tpot_s"].notna().sum())
        about.append(_about(peer.name, version(peer), peer.licence, len(runs), n_answered,
                            reasons, f"{peer.kind}; {found['settings'][best]}; best of "
                            f"{len(answers)} settings tried"))  # fmt: skip
    return tools, about


def _kept_or_asked(peer, runs: pd.DataFrame, chosen: argparse.Namespace) -> dict:
    """A peer's answers to these very questions, from the folder where they were kept."""
    import json

    asked = runs_of.questions(runs)
    kept = chosen.answers and chosen.answers / f"{peer.name}-{version(peer)}.json"
    if kept and kept.exists():
        stored = json.loads(kept.read_text())
        if stored["rows"] == json.loads(json.dumps(asked["rows"])):
            return stored["found"]
    found = ask(peer, python_of(peer, chosen.environments), asked)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"rows": asked["rows"], "found": found}))
    return found


def _about(
    tool: str, version: str, licence: str, n_rows: int, n_answered: int, reasons: str, settings: str
) -> dict[str, object]:
    return {"tool": tool, "version": version, "licence": licence, "n_rows": n_rows,
            "n_answered": n_answered, "reasons": reasons, "settings": settings}  # fmt: skip


def _to_store(frame: pd.DataFrame, today: str) -> pd.DataFrame:
    """Rounded, with an identifier, a source and a date."""
    keys = [c for c in ("tool", "metric", "part", "group") if c in frame]
    label = frame[keys].agg(" ".join, axis=1).str.replace(r"[ ,]+", "-", regex=True)
    stored = {"source": "own-scoreboard", "as_of": today, "kind": "derived"}
    return frame.round(4).assign(id=label, **stored)


def report(scored: pd.DataFrame, known: pd.DataFrame) -> str:
    """The whole board as text; where a peer errs less stands first."""
    peers = scored[~scored["tool"].str.startswith(runs_of.REFERENCE)]
    better = peers[peers["verdict"] == "better"]
    parts = [
        known.drop(columns="reasons").to_string(index=False),
        "Not answered, by reason\n" + known[["tool", "reasons"]].to_string(index=False),
        "Not asked\n" + "\n".join(f"{name}: {why}" for name, why in NOT_ASKED.items()),
        f"Where a peer errs less ({len(better)} of {len(peers)} comparisons)\n"
        + better.round(3).to_string(index=False),
        "All\n" + scored.round(3).to_string(index=False),
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
