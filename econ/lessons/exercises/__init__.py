"""The answers that exercises are held against: computed by the functions the notebooks teach.

One module a notebook; importing this package registers them all.
"""

import importlib
import pkgutil

for _notebook in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_notebook.name}")
