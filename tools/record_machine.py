"""Record this computer as the machine of ``data/machine/``: ``python tools/record_machine.py``.

Run it while nothing else does. With a file of `Recording.save` as its argument it writes
that one.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import pandas as pd

from econ.machine import Machine, Recording, record, threads_frame
from econ.machine.recording import COLUMNS

FOLDER = Path(__file__).resolve().parents[1] / "data" / "machine"
DIGITS = 7  # significant: tenths of a millisecond in a minute
NAME = "recorded machine"


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Measured numbers with as many digits as they are worth."""
    short = frame.copy()
    for name in frame.select_dtypes("float"):
        short[name] = [float(f"{value:.{DIGITS}g}") for value in frame[name]]
    for name in frame.select_dtypes("bool"):
        short[name] = frame[name].map({True: "true", False: "false"})
    return short


def main(arguments: list[str]) -> None:
    """Write the tables."""
    recording = Recording.from_json(Path(arguments[0]).read_text()) if arguments else record()
    words = ("probes", "reasons", "notes", "is_recorded", "power_w", "name")
    row = {
        f.name: getattr(recording.machine, f.name) for f in fields(Machine) if f.name not in words
    }
    about = {"source": "own-lab", "as_of": row.pop("as_of"), "kind": "measured"}
    tables = {
        "machines": pd.DataFrame([{"name": NAME, **row, "n_params": recording.n_params}]),
        "probes": recording.machine.probes,
        **{name: getattr(recording, name)[list(columns)] for name, columns in COLUMNS.items()},
    }
    if not arguments:
        tables["threads"] = threads_frame()
    for name, frame in tables.items():
        rounded(frame).assign(**about).to_csv(FOLDER / f"recorded_{name}.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
