"""What a class runs: exercises, predictions, progress, and each lesson's own tables and charts."""

from econ.lessons import exercises  # noqa: F401  (registers them)
from econ.lessons.answers import check, predict
from econ.lessons.progress_page import progress

__all__ = ["check", "predict", "progress"]
