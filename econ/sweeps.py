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
from typing import Any

import pandas as pd

from econ.catalog.guard import count
from econ.scenario import Scenario, known_settings
from econ.station import Call, Row, answers_frame

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
    points = [
        dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())
    ]
    scenarios: list[Scenario] = []
    options, good, reasons = [], [], [""] * n_points
    for i, point in enumerate(points):
        settings = {name: value for name, value in point.items() if name not in own}
        try:
            changed = scenario.with_(**settings) if settings else scenario
        except ValueError as error:
            if not known_settings().issuperset(settings):  # no row would have an answer
                raise
            changed, reasons[i] = None, str(error)
        if changed is not None:
            scenarios.append(changed)
            options.append({name: value for name, value in point.items() if name in own})
            good.append(i)
    run = _runner(n_jobs, progress, len(good))
    answers = answers_frame(station, scenarios, options, run)
    answers.index = pd.Index(good)
    answers = answers.drop(columns=[c for c in answers if c in values])
    labels = pd.DataFrame([{name: _label(v) for name, v in point.items()} for point in points])
    frame = labels.join(answers)
    missing = frame["reason"].isna() if "reason" in frame else pd.Series(True, frame.index)
    frame["reason"] = pd.Series(reasons).where(missing, frame.get("reason", ""))
    return frame


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
