"""The questions of the course: one module a lesson, found by its file; importing registers them.

A module ``qNN.py`` calls `econ.lessons.question.question`; nothing else needs to know it.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
