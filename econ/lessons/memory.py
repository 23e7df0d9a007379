"""What a learner has done, stored on their own machine: predictions, attempts, hints, solutions.

One JSON file in the user's state directory (``ECON_STATE`` names another). It is written to a
temporary file that is then moved, so that it is never half written. A file that cannot be read as
progress is set aside under another name, and the learner is told; nothing is erased. Nothing is
stored while outputs are made for committing.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from econ.charts.render import is_static

KINDS = ("exercises", "predictions", "verdicts", "learner")
Stored = dict[str, dict[str, Any]]


def path() -> Path:
    """Where the file lies."""
    named = os.environ.get("ECON_STATE")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(named) if named else Path(home) / "inference-economics" / "learner.json"


def read(file: Path) -> Stored:
    """One learner's file, e.g. of a class; `ValueError` where it holds no progress."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(stored, dict):
        raise ValueError("no progress in it")
    for kind in KINDS:
        entries = stored.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise ValueError(f"{kind} are damaged")
    return stored


def recall() -> Stored:
    """All that is stored, by kind and identifier; a damaged file is set aside, and that is said."""
    return _stored() or {}


def entry(kind: str, id: str) -> dict[str, Any]:
    """What is stored of one thing; empty where nothing is."""
    found: dict[str, Any] = recall().get(kind, {}).get(id, {})
    return dict(found)


def count(entry: dict[str, Any], name: str) -> int:
    """A count in an entry; what is no count is 0."""
    value = entry.get(name, 0)
    return value if isinstance(value, int) and value > 0 else 0


def remember(kind: str, id: str, value: dict[str, Any]) -> None:
    """Store one entry; a folder that cannot be written is no reason to stop a lesson.

    Parameters
    ----------
    kind : str
        One of `KINDS`, e.g. ``"exercises"``.
    id : str
        What it is of, e.g. ``"02-3"``.
    value : dict
        What JSON can hold, e.g. ``{"attempts": 1}``.
    """
    stored = None if is_static() else _stored()
    if stored is None:
        return
    stored.setdefault(kind, {})[id] = value
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, suffix=".tmp", delete=False, encoding="utf-8"
        ) as new:
            json.dump(stored, new, indent=1)
    except OSError:
        return
    try:
        os.replace(new.name, file)
    except OSError:
        Path(new.name).unlink(missing_ok=True)


def seed() -> int:
    """The learner's own number, from which exercises draw their inputs; 0 in committed outputs."""
    if is_static():
        return 0
    known = entry("learner", "seed").get("value")
    if isinstance(known, int):
        return known
    remember("learner", "seed", {"value": secrets.randbelow(10**6) + 1})
    drawn = entry("learner", "seed").get("value", 0)  # 0 where nothing can be stored
    return int(drawn)


def _stored() -> Stored | None:
    """The file's contents; None where there is a file that cannot be read and must not be lost."""
    if is_static():
        return {}
    file = path()
    try:
        return read(file)
    except FileNotFoundError:
        return {}
    except OSError:
        return {} if not file.exists() else None
    except ValueError:
        return _set_aside(file)


def _set_aside(file: Path) -> Stored | None:
    numbers = (n for n in range(1, 1000) if not _aside(file, n).exists())
    aside = _aside(file, next(numbers, 1000))
    try:
        os.replace(file, aside)
    except OSError:
        print(f"Your progress file is damaged and cannot be moved: {file}. Nothing is stored.")
        return None
    print(f"Your progress file was damaged. It now lies at {aside}; a new one begins.")
    return {}


def _aside(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")
