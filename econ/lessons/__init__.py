"""What a class runs: predictions, exercises, progress, and each lesson's own tables and charts.

A lesson calls these and nothing else of the engine: `predict` and `reveal`, `exercise`, `given`,
`check`, `hint` and `solution`, `service_bill` and `takeaway`, and at the end `progress` and
`calibration`.
"""

import importlib
from typing import Any

_MODULES = {
    "check": "answers",
    "exercise": "answers",
    "given": "answers",
    "hint": "answers",
    "solution": "answers",
    "takeaway": "views",
    "picture": "pictures",
    "calibration": "predictions",
    "predict": "predictions",
    "reveal": "predictions",
    "class_progress": "progress_page",
    "progress": "progress_page",
    "service_bill": "running_bill",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:  # a lesson that shows no picture imports none
    if name not in _MODULES:
        raise AttributeError(f"module 'econ.lessons' has no attribute {name!r}")
    return getattr(importlib.import_module(f"econ.lessons.{_MODULES[name]}"), name)
