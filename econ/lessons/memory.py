"""What a learner has done, kept on their own machine: guesses and solved exercises.

One JSON file in the user's state directory (``ECON_STATE`` names another); written to a temporary
file and moved, so it is never half there. Nothing is kept while outputs are made for committing.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from econ.charts.render import is_static


def path() -> Path:
    """The file."""
    named = os.environ.get("ECON_STATE")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(named) if named else Path(home) / "inference-economics" / "learner.json"


def recall() -> dict[str, dict[str, Any]]:
    """All that is kept; empty where the file is missing or damaged."""
    try:
        kept = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict) or is_static():
        return {}
    return {kind: things for kind, things in kept.items() if isinstance(things, dict)}


def remember(kind: str, id: str, value: dict[str, Any]) -> None:
    """Keep one thing; a folder that cannot be written is no reason to stop a lesson."""
    if is_static():
        return
    kept = recall()
    kept.setdefault(kind, {})[id] = value
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, suffix=".tmp", delete=False, encoding="utf-8"
        ) as new:
            json.dump(kept, new, indent=1)
    except OSError:
        return
    try:
        os.replace(new.name, file)
    except OSError:
        Path(new.name).unlink(missing_ok=True)
