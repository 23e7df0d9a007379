"""The peers: which packages, in which environments, and how they are asked."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.scoreboard.adapters.asking import MARK
from bench.scoreboard.board import METRICS

HERE = Path(__file__).parent
LONGEST_S = 6 * 3600


@dataclass(frozen=True)
class Peer:
    """A package of the index that says how fast a model is served."""

    name: str
    licence: str
    home: str
    kind: str  # what its answers rest on


PEERS = (
    Peer("aiconfigurator", "Apache-2.0", "https://github.com/ai-dynamo/aiconfigurator",
         "tables of measured kernels"),
    Peer("genz-llm", "MIT", "https://github.com/abhibambhaniya/GenZ-LLM-Analyzer",
         "roofline of each operator"),
    Peer("llm-analysis", "Apache-2.0", "https://github.com/cli99/llm-analysis",
         "roofline of each layer"),
    Peer("mlsysim", "Apache-2.0", "https://mlsysbook.ai/mlsysim", "roofline of a model"),
    Peer("chimeraforge", "MIT", "https://github.com/Sahil170595/Chimeraforge",
         "roofline with a share fitted on consumer cards"),
)  # fmt: skip
NOT_ASKED = {
    "aisimulate": "0.13.0 builds from source and asks for CUDA on the machine that installs it",
    "vidur": "0.0.26 needs profiles of the accelerator and the model, which it does not ship",
}


def version(peer: Peer) -> str:
    """The pinned version."""
    for line in (HERE / "requirements" / f"{peer.name}.txt").read_text().splitlines():
        name, _, pin = line.partition("==")
        if name.replace("_", "-").lower() == peer.name:
            return pin
    raise ValueError(f"requirements/{peer.name}.txt does not pin {peer.name}")


def python_of(peer: Peer, environments: Path) -> Path:
    """The peer's own Python; an environment of the pinned versions is made where none is."""
    folder = environments / peer.name
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pins = HERE / "requirements" / f"{peer.name}.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", pins], check=True)
    return python


def ask(peer: Peer, python: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The peer's settings in words, and its answer to every row under each."""
    adapter = HERE / "adapters" / f"ask_{peer.name.replace('-', '_')}.py"
    done = subprocess.run(
        [python, adapter], input=json.dumps(asked), capture_output=True, text=True,
        timeout=LONGEST_S, cwd=adapter.parent,
    )  # fmt: skip
    if done.returncode or MARK not in done.stdout:
        raise RuntimeError(f"{peer.name} gave no answers: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.rpartition(MARK)[2])
    return found


def answers_frame(answers: list[dict[str, Any]], truth: pd.DataFrame) -> pd.DataFrame:
    """A peer's answers under the runs' labels; its one TTFT answers for median and mean."""
    if len(answers) != len(truth):
        raise ValueError(f"{len(answers)} answers to {len(truth)} questions")
    frame = pd.DataFrame(answers, index=truth.index)
    frame = frame.reindex(columns=[*METRICS, "error"]).astype(dict.fromkeys(METRICS, float))
    for metric in ("ttft_s", "benchmark_mean_ttft_s"):
        frame[metric] = frame["ttft_s"]
    return frame
