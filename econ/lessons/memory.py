"""What a learner has done, stored on their own machine: predictions, attempts, hints, solutions.

One JSON file in the user's state directory (``ECON_STATE`` names another). It is written to a
temporary file that is then moved, so that it is never half written, and notebooks that run at the
same time take turns. A file that cannot be read as progress is set aside under another name, and
the learner is told; nothing is erased. Where nothing can be stored, that is said once. Nothing is
stored while outputs are made for committing.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
from pathlib import Path
from typing import Any

from econ.catalog.documents import alone, replace, strict_json, text_of
from econ.charts.render import is_static

KINDS = ("exercises", "predictions", "verdicts", "learner")
Stored = dict[str, dict[str, Any]]
MOST_BYTES = 4_000_000  # a whole course takes some 50,000


def path() -> Path:
    """Where the file lies."""
    named = os.environ.get("ECON_STATE")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(named) if named else Path(home) / "inference-economics" / "learner.json"


def read(file: Path) -> Stored:
    """One learner's file, e.g. of a class; `ValueError` where it holds no progress."""
    stored = strict_json(text_of(file, MOST_BYTES, "a learner's progress"), file.name)
    if not isinstance(stored, dict):
        raise ValueError("no progress in it")
    for kind in KINDS:
        entries = stored.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise ValueError(f"{kind} are damaged")
    return stored


def recall() -> Stored:
    """All that is stored, by kind and identifier; a damaged file is set aside, and that is said."""
    file = path()
    try:
        return {} if is_static() else read(file)
    except OSError:
        return {}
    except ValueError:
        with alone(file.parent):  # another notebook may have set it aside since
            return _stored(file) or {}


def entry(kind: str, id: str) -> dict[str, Any]:
    """What is stored of one thing; empty where nothing is."""
    record: dict[str, Any] = recall().get(kind, {}).get(id, {})
    return dict(record)


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
    if is_static():
        return
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with alone(file.parent):
            stored = _stored(file)
            if stored is not None:
                stored.setdefault(kind, {})[id] = value
                replace(file, json.dumps(stored, indent=1).encode(), is_private=True)
    except OSError as error:
        _say_once(str(error.strerror or error))


@functools.cache
def _say_once(why: str) -> None:
    print(f"Your progress cannot be stored ({why}: {path()}); the lesson goes on without.")


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


def _stored(file: Path) -> Stored | None:
    """The file's contents; None where there is a file that cannot be read and must not be lost."""
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
