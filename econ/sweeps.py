"""Any station over a grid of settings: one tidy table, with a reason where there is no answer.

>>> import econ
>>> @econ.station.station(headline="rent_usd_per_day")
... def rent(s):
...     return 24 * s.deployment.n_gpu * s.cost_usd_per_gpu_hour
>>> frame = sweep(rent, econ.Scenario.default(), accelerator=["h100-sxm", "tpu-v5p"], n_gpu=[4, 8])
>>> frame[["accelerator", "n_gpu"]].to_numpy().tolist()
[['h100-sxm', 4], ['h100-sxm', 8], ['tpu-v5p', 4], ['tpu-v5p', 8]]
>>> frame["reason"][2][:35]
"unknown rented accelerator 'tpu-v5p"
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog.guard import count
from econ.scenario import Scenario, known_settings
from econ.station import Call, Row, answers_frame

Codes: TypeAlias = NDArray[np.int64]

POINTS_PER_TASK = 10  # enough that handing a task out is cheap beside it
MOST_POINTS = 10_000_000


def sweep(
    station: Callable[..., Any],
    scenario: Scenario,
    *,
    n_jobs: int | None = None,
    progress: bool = False,
    **lists: Any,
) -> pd.DataFrame:
    """A station at every combination of the values given.

    Parameters
    ----------
    station : callable
        e.g. ``econ.latency.predict``; any function of a scenario.
    scenario : Scenario
        What stays the same.
    n_jobs : int, optional
        Workers, as in joblib; None for one, or for what a surrounding `joblib.parallel_config`
        says (``backend="dask"`` runs the same sweep on a cluster).
    progress : bool
        Whether to show a bar.
    lists
        Settings of the scenario (as in `Scenario.with_`) or of the station (``concurrency``), each
        with the values to try; a single value is taken as it is.

    Returns
    -------
    DataFrame
        One row a combination, the last list fastest: the settings, the numbers of the answer, and
        ``reason``, empty where there is an answer.

    Raises
    ------
    UnknownName
        For a setting that neither the scenario nor the station has.
    """
    own = {
        name
        for name, p in inspect.signature(station).parameters.items()
        if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
    }
    values = {name: _listed(value) for name, value in lists.items()}
    n_points = count("points of a sweep", _product(map(len, values.values())), 1, MOST_POINTS)
    sizes = [len(value) for value in values.values()]
    codes = (
        dict(zip(values, np.unravel_index(np.arange(n_points), sizes), strict=True))
        if sizes
        else {}
    )
    cases, case_reasons, case = _cases(
        scenario, {n: v for n, v in values.items() if n not in own}, codes, n_points
    )
    answered = np.flatnonzero(np.array([reason == "" for reason in case_reasons])[case])
    scenarios = [cases[i] for i in case[answered].tolist()]
    options = {
        name: [value[i] for i in codes[name][answered].tolist()]
        for name, value in values.items()
        if name in own
    }
    answers = answers_frame(station, scenarios, options, _runner(n_jobs, progress, len(answered)))
    answers.index = pd.Index(answered)
    answers = answers.drop(columns=[c for c in answers if c in values])
    labels = {name: pd.Series([_label(v) for v in value]) for name, value in values.items()}
    settings = pd.DataFrame(
        {name: column.take(codes[name]).array for name, column in labels.items()},
        index=pd.RangeIndex(n_points),
    )
    frame = settings.join(answers)
    missing = frame["reason"].isna() if "reason" in frame else pd.Series(True, frame.index)
    reasons = pd.Series(np.array(case_reasons, dtype=object)[case])
    frame["reason"] = reasons.where(missing, frame.get("reason", ""))
    return frame


def _cases(
    scenario: Scenario, settings: dict[str, list[Any]], codes: dict[str, Codes], n_points: int
) -> tuple[list[Scenario], list[str], Codes]:
    """A scenario, or a reason, for each combination of settings; and the combination of each point.

    The station's own settings repeat combinations, so that a million points can be one scenario.
    """
    if not settings:
        return [scenario], [""], np.zeros(n_points, "int64")
    sizes = [len(value) for value in settings.values()]
    case = np.ravel_multi_index([codes[name] for name in settings], sizes)
    cases, reasons = [], []
    for values in itertools.product(*settings.values()):
        try:
            cases.append(scenario.with_(**dict(zip(settings, values, strict=True))))
            reasons.append("")
        except ValueError as error:
            if not known_settings().issuperset(settings):  # no row would have an answer
                raise
            cases.append(scenario)
            reasons.append(str(error) or "no answer")
    return cases, reasons, case


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _product(sizes: Iterable[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _label(value: Any) -> Any:
    """An object of one's own is shown by its name."""
    return getattr(value, "id", value)


def _runner(
    n_jobs: int | None, progress: bool, n_calls: int
) -> Callable[[Sequence[Call]], list[Row]] | None:
    """How calls are spread over workers, in tasks of `POINTS_PER_TASK`; None where one runs all."""
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend
    from tqdm.auto import tqdm

    alone = n_jobs in (None, 1) and get_active_backend()[1] == 1
    if alone and not progress:
        return None

    def run(calls: Sequence[Call]) -> list[Row]:
        parts = [calls[i : i + POINTS_PER_TASK] for i in range(0, len(calls), POINTS_PER_TASK)]
        pool = Parallel(n_jobs=n_jobs, return_as="generator")
        rows: list[Row] = []
        with tqdm(total=n_calls, disable=not progress) as bar:
            for part in pool(delayed(_run)(part) for part in parts):
                rows += part
                bar.update(len(part))
        return rows

    return run


def _run(calls: Sequence[Call]) -> list[Row]:
    return [call() for call in calls]
