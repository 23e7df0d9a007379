"""What a class runs: predictions, exercises, progress, and each lesson's own tables and charts.

A lesson calls these and nothing else of the engine: `predict` and `reveal`, `exercise`, `given`,
`check`, `hint` and `solution`, `service_bill` and `takeaway`, and at the end `progress` and
`calibration`.
"""

from econ.lessons import questions  # noqa: F401  (registers them)
from econ.lessons.answers import check, exercise, given, hint, solution
from econ.lessons.boxes import takeaway
from econ.lessons.pictures import picture
from econ.lessons.predictions import calibration, predict, reveal
from econ.lessons.progress_page import class_progress, progress
from econ.lessons.running_bill import service_bill

__all__ = [
    "calibration",
    "check",
    "class_progress",
    "exercise",
    "given",
    "hint",
    "picture",
    "predict",
    "progress",
    "reveal",
    "service_bill",
    "solution",
    "takeaway",
]
