"""Any station over a grid of settings: one tidy table, with a reason where there is no answer.

>>> import econ
>>> @econ.station.station(headline="rent_usd_per_day")
... def rent(s):
...     return 24 * s.deployment.n_gpu * s.cost_usd_per_gpu_hour
>>> frame = sweep(rent, econ.Scenario.default(), accelerator=["h100-sxm", "tpu-v5p"], n_gpu=[4, 8])
>>> frame[["accelerator", "n_gpu"]].to_numpy().tolist()
[['h100-sxm', 4], ['h100-sxm', 8], ['tpu-v5p', 4], ['tpu-v5p', 8]]
>>> frame["reason"][2][:35]
"unknown term of tpu-v5p 'on-demand'"
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
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
CONNECT_S = 10  # until a cluster has to answer
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
MOST_KEPT_BYTES, LARGE_BYTES = 1 << 30, 32 << 20  # free memory kept; arrays that are always mapped


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
    points = _Points(station, scenario, lists)
    return points.frame(0, points.n_points, n_jobs, progress)


def sweep_to(
    folder: str | Path,
    station: Callable[..., Any],
    scenario: Scenario,
    *,
    n_jobs: int | None = None,
    progress: bool = False,
    n_points_per_file: int = 50_000,
    **lists: Any,
) -> Path:
    """The table of a sweep as Parquet files, written by whoever computes them.

    For sweeps of millions of points, over the processes of a machine or (`on_cluster`) machines
    that share a disk: only the names of the files come back.

    Parameters
    ----------
    folder : str or Path
        A folder that is not there yet; it appears with all files or not at all.
    station, scenario, n_jobs, progress, lists
        As in `sweep`.
    n_points_per_file : int
        Points of a file, e.g. 50_000.

    Returns
    -------
    Path
        The folder; ``pandas.read_parquet(folder)`` is the table that `sweep` gives.

    Raises
    ------
    FileExistsError
        Where something of that name is there already.

    Examples
    --------
    >>> import tempfile
    >>> from econ.latency import predict
    >>> folder = Path(tempfile.mkdtemp()) / "users"
    >>> s = Scenario.default()
    >>> read = pd.read_parquet(sweep_to(folder, predict, s, concurrency=range(1, 5)))
    >>> read["tpot_s"].equals(sweep(predict, s, concurrency=range(1, 5))["tpot_s"])
    True
    """
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} is there already and is left as it is: name another")
    step = count("n_points_per_file", n_points_per_file, 1, MOST_POINTS)
    points = _Points(station, scenario, lists)
    starts = range(0, points.n_points, step)
    width = len(str(len(starts)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".econ-"))
    part.chmod(0o755)  # a temporary folder is private
    try:
        calls = (
            delayed(points.write)(start, start + step, part / f"{k:0{width}}.parquet")
            for k, start in enumerate(starts)
        )
        files = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator")(calls)
        for _ in tqdm(files, total=len(starts), unit="file", disable=not progress):
            pass
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


@contextlib.contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Whatever is spread over processes inside runs on a dask cluster, with the same results.

    Parameters
    ----------
    address : str, optional
        Of its scheduler, e.g. ``tcp://10.0.0.5:8786``; None for this machine alone.

    Notes
    -----
    The workers that are there are told to keep the memory of arrays for the next ones, up to 1 GB
    each, where they run on Linux: otherwise each array is paged in anew. A worker that was started
    with ``distributed.worker.profile.enabled: false`` in dask's configuration has no profiler look
    on, which takes a tenth of its time.

    Raises
    ------
    ImportError
        Where dask is not installed.
    ValueError
        Where no scheduler answers.
    """
    if address is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise ImportError(
            "a cluster needs dask: pip install 'inference-economics[cluster]'"
        ) from None
    from joblib import parallel_config

    try:
        client = Client(address, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(f"cluster {address!r}: no scheduler answers ({error})") from None
    with client, parallel_config(backend="dask"):
        client.run(_keep_memory)
        yield


def _keep_memory() -> None:
    """Let this process reuse the memory of arrays, where its allocator is glibc's."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_TRIM_THRESHOLD, MOST_KEPT_BYTES)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


class _Points:
    """The grid of a sweep, of which any part can be computed on its own."""

    def __init__(
        self, station: Callable[..., Any], scenario: Scenario, lists: dict[str, Any]
    ) -> None:
        self.station, self.scenario = station, scenario
        self.own = {
            name
            for name, p in inspect.signature(station).parameters.items()
            if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
        }
        self.values = {name: _listed(value) for name, value in lists.items()}
        n_points = _product(map(len, self.values.values()))
        self.n_points = count("points of a sweep", n_points, 1, MOST_POINTS)

    def write(self, start: int, stop: int, path: Path) -> str:
        """The table of some points as a Parquet file; its name."""
        frame = self.frame(start, min(stop, self.n_points))
        kinds = {c: frame[c].cat.categories.dtype for c in frame.select_dtypes("category")}
        try:
            frame.astype(kinds).to_parquet(path, index=False)
        except (ValueError, TypeError) as error:  # what Arrow raises on cells that it cannot hold
            raise ValueError(f"Parquet cannot hold the table of this sweep: {error}") from None
        return path.name

    def frame(
        self, start: int, stop: int, n_jobs: int | None = 1, progress: bool = False
    ) -> pd.DataFrame:
        """The table of the points from ``start`` to before ``stop``."""
        values, own = self.values, self.own
        sizes = [len(value) for value in values.values()]
        n_points = stop - start
        codes = (
            dict(zip(values, np.unravel_index(np.arange(start, stop), sizes), strict=True))
            if sizes
            else {}
        )
        cases, case_reasons, case = _cases(
            self.scenario, {n: v for n, v in values.items() if n not in own}, codes, n_points
        )
        answered = np.flatnonzero(np.array([reason == "" for reason in case_reasons])[case])
        scenarios = [cases[i] for i in case[answered].tolist()]
        options = {
            name: [value[i] for i in codes[name][answered].tolist()]
            for name, value in values.items()
            if name in own
        }
        run = _runner(n_jobs, progress, len(answered))
        answers = answers_frame(self.station, scenarios, options, run)
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
    points = np.ravel_multi_index([codes[name] for name in settings], sizes)
    used, case = np.unique(points, return_inverse=True)
    cases, reasons = [], []
    for places in np.transpose(np.unravel_index(used, sizes)).tolist():
        values = [value[i] for value, i in zip(settings.values(), places, strict=True)]
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
    is_many = isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0
    if isinstance(value, str) or not is_many:
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
