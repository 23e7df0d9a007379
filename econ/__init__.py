"""The economics of AI inference: one scenario, one chain, from tokens to the decision.

A `Scenario` goes into each station and a result comes out::

    tokens → scenario → latency → serving | energy | tco → scaling | trends → plan → decision

Everything below is loaded when it is first used, so that ``import econ`` itself takes milliseconds.

>>> import econ
>>> s = econ.Scenario.default()
>>> s.with_(accelerator="b200-sxm").deployment.accelerator
'b200-sxm'
"""

from __future__ import annotations

import importlib
from typing import Any

from econ.guards import guard_package

guard_package()
__version__ = "2.6.0"

_OBJECTS = {
    "Scenario": "econ.scenario",
    "Slo": "econ.terms",
    "Finance": "econ.terms",
    "Deployment": "econ.deployment",
    "Workload": "econ.tokens.workloads",
    "Model": "econ.catalog.architecture",
    "Accelerator": "econ.catalog.catalog",
    "Site": "econ.catalog.catalog",
    "Range": "econ.catalog.ranges",
    "sweep": "econ.sweeps",
    "uncertain": "econ.uncertainty",
    "bill": "econ.service_bill",
    "decide": "econ.decision",
}
_STATIONS = (
    "catalog", "tokens", "latency", "serving", "energy", "tco", "scaling", "trends", "plan",
    "decision", "value", "machine", "ledger", "charts", "lessons",
)  # fmt: skip

__all__ = ["__version__", *_OBJECTS, *_STATIONS]


def __getattr__(name: str) -> Any:
    if name in _OBJECTS:
        value = getattr(importlib.import_module(_OBJECTS[name]), name)
    elif name in _STATIONS:
        value = importlib.import_module(f"econ.{name}")
    else:
        raise AttributeError(f"module 'econ' has no attribute {name!r}; it offers {__all__}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
