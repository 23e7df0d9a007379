"""What a learner has done, stored on their own machine: guesses and solved exercises.

One JSON file in the user's state directory (``ECON_STATE`` names another). It is written to a
temporary file that is then moved, so that it is never half written. Nothing is stored while outputs
are made for committing.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from econ.charts.render import is_static


def path() -> Path:
    """Where the file lies."""
    named = os.environ.get("ECON_STATE")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(named) if named else Path(home) / "inference-economics" / "learner.json"


def recall() -> dict[str, dict[str, Any]]:
    """All that is stored, by kind and identifier; empty where the file is missing or damaged."""
    try:
        stored = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(stored, dict) or is_static():
        return {}
    return {kind: entries for kind, entries in stored.items() if isinstance(entries, dict)}


def remember(kind: str, id: str, value: dict[str, Any]) -> None:
    """Store one entry; a folder that cannot be written is no reason to stop a lesson.

    Parameters
    ----------
    kind : str
        ``"exercises"``, ``"guesses"`` or ``"verdicts"``.
    id : str
        What it is of, e.g. ``"02-3"``.
    value : dict
        What JSON can hold, e.g. ``{"right": True}``.
    """
    if is_static():
        return
    stored = recall()
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
