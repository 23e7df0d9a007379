"""What all stations share: a scenario goes in first, certain numbers only, a `Result` comes out.

A station is a function decorated with `station`. It refuses what is no `Scenario` and what is
uncertain (`econ.uncertain` samples that), so that no station repeats these checks. A station whose
equations take arrays names its ``vector`` form, which `econ.sweep` and `econ.uncertain` call once
for many scenarios.

>>> from econ.scenario import Scenario
>>> @station(headline="rate_per_s")
... def double(scenario: Scenario, times: float = 2.0) -> float:
...     return times * scenario.workload.rate_per_s
>>> double(Scenario.default().with_(rate_per_s=3.0))
6.0
>>> double("llama-3.1-70b")
Traceback (most recent call last):
    ...
TypeError: double takes an econ.Scenario first, not 'llama-3.1-70b'
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, TypeVar

from econ.catalog.guard import one_of, shown
from econ.scenario import Scenario

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

T = TypeVar("T")
Row = dict[str, Any]
Call = Callable[[], Row]


class Result:
    """A station's answer: a frozen dataclass whose numbers carry their unit in the name.

    ``bands`` maps a metric to the factors within which half and 90 % of held-out errors lie;
    ``regime`` says how far the case lies from what was measured.
    """

    def frame(self) -> pd.DataFrame:
        """The answer as a table: quantity, value, and low and high where there is a band."""
        import pandas as pd

        rows = []
        for name, value in self.row().items():
            low, high = self.band(name) if name in getattr(self, "bands", {}) else (None, None)
            rows.append({"quantity": name, "value": value, "low": low, "high": high})
        return pd.DataFrame(rows, columns=["quantity", "value", "low", "high"])

    def row(self) -> dict[str, Any]:
        """The numbers and words of the answer, without its tables."""
        return {
            f.name: value
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
            if isinstance(value := getattr(self, f.name), Number | str)
        }

    def band(self, metric: str, coverage_frac: float = 0.9) -> tuple[float, float]:
        """Low and high of a metric: 90 % of held-out cases lie inside, or half with 0.5."""
        bands: Mapping[str, tuple[float, float]] = getattr(self, "bands", {})
        one_of("metric with a band", metric, bands)
        if coverage_frac not in (0.5, 0.9):
            raise ValueError(f"coverage_frac = {coverage_frac} is outside its range: 0.5 or 0.9")
        factor = bands[metric][coverage_frac == 0.9]
        value = getattr(self, metric)
        return value / factor, value * factor


def station(
    headline: str, vector: Callable[..., pd.DataFrame] | None = None, *, searches: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a station.

    Parameters
    ----------
    headline : str
        The number of its result that a reader asks for first, e.g. ``tpot_s``.
    vector : callable, optional
        ``vector(scenarios, **options)``: a table with one row a scenario, the result's numbers and
        a ``reason`` (empty where there is an answer). An option is one value, or one a scenario.
    searches : bool
        The station looks for a fleet, so that the power of the site limits what it may find and
        not the scenario's own deployment, and a cached share that another fleet served is refused.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(scenario: Scenario, *args: Any, **options: Any) -> Any:
            require_certain(function.__name__, scenario)
            if not searches:
                require_power(scenario)
            elif options.get("sessions") is None:
                require_no_fleet(function.__name__, scenario)
            return function(scenario, *args, **options)

        checked.headline = headline  # type: ignore[attr-defined]
        checked.vector = vector  # type: ignore[attr-defined]
        return checked

    return declare


def require_certain(name: str, scenario: Any) -> None:
    """Raise unless this is a scenario without a `Range`."""
    if not isinstance(scenario, Scenario):
        raise TypeError(f"{name} takes an econ.Scenario first, not {shown(scenario)}")
    if uncertain := scenario.ranges():
        raise ValueError(
            f"{', '.join(uncertain)} is uncertain (a Range): use econ.uncertain({name}, scenario)"
        )


def require_no_fleet(name: str, scenario: Scenario) -> None:
    """Raise where the cached share of a workload is that of a fleet which served its sessions."""
    if (task := scenario.workload.task) is not None:
        load = task.load or "…"
        raise ValueError(
            "task: these calls are turns of sessions, and the fleet that served them found "
            f"{scenario.workload.cached_frac:.1%} in its cache; {name} looks for another fleet, "
            f"which finds another share: use econ.plan.plan_sessions(scenario, {load!r}) or "
            f"econ.decide(scenario, sessions={load!r}), or set task=None to keep that share"
        )


def beyond_power(scenario: Scenario) -> str:
    """Why site and rack have too little power for the deployment; empty where they have enough.

    >>> s = Scenario.default()
    >>> beyond_power(s.with_(site_mw=0.05)), beyond_power(s.with_(site_mw=0.01))[:31]
    ('', 'site_mw = 0.01 holds 0 × h100-s')
    """
    most, words = scenario.power_limit()
    n_gpu = int(scenario.deployment.n_gpu)
    return f"{words}; the deployment has {n_gpu:,}" if n_gpu > most else ""


def require_power(scenario: Scenario) -> None:
    """Raise where the deployment needs more power than site and rack have."""
    if problem := beyond_power(scenario):
        raise ValueError(problem)


def distinct(things: Sequence[T]) -> tuple[NDArray[np.int64], list[T]]:
    """Each row's position among the different objects of a list, and these (by identity).

    >>> a, b = object(), object()
    >>> code, objects = distinct([a, b, a])
    >>> code.tolist(), objects == [a, b]
    ([0, 1, 0], True)
    """
    import numpy as np
    import pandas as pd

    ids = list(map(id, things))
    by_id = dict(zip(ids, things, strict=True))
    code, first = pd.factorize(np.array(ids, "int64"))
    return code, [by_id[i] for i in first.tolist()]


def answers_frame(
    station: Callable[..., Any],
    scenarios: Sequence[Scenario],
    options: Mapping[str, Sequence[Any]],
    run: Callable[[Sequence[Call]], list[Row]] | None = None,
) -> pd.DataFrame:
    """A station's answers, one row a scenario: its numbers, and ``reason`` where there is none.

    ``options``: the station's own settings, each with one value a scenario. The vector form is
    called once where there is one; ``run`` may spread the calls of a station without one.
    """
    import numpy as np
    import pandas as pd

    vector = getattr(station, "vector", None)
    if vector is not None and scenarios:
        code, different = distinct(scenarios)
        for scenario in different:
            require_certain(station.__name__, scenario)
        answers = vector(scenarios, **options).reset_index(drop=True)
        problems = np.array([beyond_power(scenario) for scenario in different], dtype=object)[code]
        if (beyond := problems != "").any():
            numbers = answers.select_dtypes("number").columns
            answers.loc[beyond, numbers] = np.nan
            answers.loc[beyond, "reason"] = problems[beyond]
        return answers
    calls = [
        functools.partial(
            _one_answer, station, scenario, {name: column[i] for name, column in options.items()}
        )
        for i, scenario in enumerate(scenarios)
    ]
    rows = run(calls) if run else [call() for call in calls]
    frame = pd.DataFrame(rows)
    frame["reason"] = frame["reason"].fillna("") if "reason" in frame else ""
    return frame[[*(c for c in frame if c != "reason"), "reason"]]


def _one_answer(station: Callable[..., Any], scenario: Scenario, options: Row) -> Row:
    try:
        answer = station(scenario, **options)
    except (ValueError, ArithmeticError) as error:
        return {"reason": str(error)}
    if isinstance(answer, Result):
        return answer.row()
    if isinstance(answer, Mapping):
        return dict(answer)
    return {getattr(station, "headline", "value"): answer}
