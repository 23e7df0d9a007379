"""What the lab measured, in one file: to keep, to hand in, to pool; and the recorded machine.

A `Recording` holds the machine, its batches, its single steps and the requests that it served.
`record` makes one in about a minute, `Recording.save` writes it, `pool_frame` lays the files of a
class side by side, and `recorded` is the one in ``data/machine/``, with which the lesson runs where
nothing can be measured.

>>> one = recorded()
>>> one.machine.is_recorded, one.shape.id
(True, 'tiny-65m')
>>> Recording.from_json(one.to_json()).machine == one.machine
True
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.documents import replace, text_of
from econ.catalog.guard import positive, shown
from econ.catalog.records import parse
from econ.catalog.tables import remember, table
from econ.machine import ladder, server, simulator
from econ.machine.probe import PROBE_COLUMNS, Machine, measure
from econ.machine.runs import DEFAULT_PARAMS, runs_frame
from econ.machine.transformer import tiny_model, tiny_shape
from econ.serving.from_scenario import draw_requests
from econ.serving.replicas import Replica
from econ.serving.result import RequestTimes
from econ.serving.simulation import simulate
from econ.tokens.workloads import Workload, workload

FORMAT = 1
COLUMNS = {
    "runs": (
        "batch", "prompt_tokens", "output_tokens", "ttft_s", "tpot_s", "p50_itl_s", "p95_itl_s",
        "output_tokens_per_s",
    ),
    "steps": ("step_s", "prefill_tokens", "n_decode", "context_tokens", "prefill_pairs"),
    "requests": (
        "load", "concurrency", "rate_per_s", "arrival_s", "input_tokens", "output_tokens",
        "first_token_s", "done_s",
    ),
}  # fmt: skip
LARGEST_FILE_BYTES = 5_000_000
PROMPT_TOKENS, OUTPUT_TOKENS = 24, 12  # of the requests that are served, on the mean
LOADS = (0.5, 0.8, 1.1)  # of what the simulator says that the server can carry
N_REQUESTS, N_CLOSED, CLOSED_USERS = 60, 48, 8
LOAD_S, FEWEST_REQUESTS = 8.0, 20  # a slow computer serves fewer requests, so that it ends


@dataclass(frozen=True, eq=False)
class Recording:
    """One computer's results.

    ``runs`` has a row for each batch (`runs_frame`), ``steps`` for each single step
    (`econ.machine.simulator.steps_frame`), ``requests`` for each request that was served, with
    the ``load`` it belongs to (``"50 %"`` of the simulated capacity, or ``"closed"``).
    """

    machine: Machine
    n_params: float
    runs: pd.DataFrame = field(repr=False)
    steps: pd.DataFrame = field(repr=False)
    requests: pd.DataFrame = field(repr=False)

    @property
    def shape(self) -> Model:
        """The model that ran."""
        return tiny_shape(self.n_params)

    @property
    def loads(self) -> tuple[str, ...]:
        """The loads that were served, in order."""
        return tuple(self.requests["load"].unique())

    def times(self, load: str) -> RequestTimes:
        """The times of one load, as `econ.serving.simulate` gives them."""
        rows = self.requests[self.requests["load"] == load]
        return server.measured_times(
            *(rows[n].to_numpy("float64") for n in ("arrival_s", "first_token_s", "done_s")),
            *(rows[n].to_numpy("int64") for n in ("input_tokens", "output_tokens")),
        )

    def replica(self) -> Replica:
        """The computer as the simulator takes it."""
        longest = int(self.requests[["input_tokens", "output_tokens"]].sum(axis=1).max())
        return simulator.own_replica(self.steps, max_tokens=longest)

    def scenario(self, **settings: Any) -> Any:
        """The scenario of its batches, for any station; ``settings`` as in `Scenario.with_`."""
        first = self.runs.iloc[0]
        return ladder.own_scenario(
            self.machine, self.shape,
            prompt_tokens=float(first["prompt_tokens"]),
            output_tokens=float(first["output_tokens"]), **settings,
        )  # fmt: skip

    def to_json(self) -> str:
        """The recording as a text of some kilobytes, with nothing about whose computer it is."""
        plain = {
            f.name: getattr(self.machine, f.name) for f in fields(Machine) if f.name != "probes"
        }
        values = {
            "format": FORMAT,
            "machine": plain,
            "n_params": self.n_params,
            "probes": _rows(self.machine.probes),
            **{name: _rows(getattr(self, name)[list(COLUMNS[name])]) for name in COLUMNS},
        }
        return json.dumps(values, indent=1, allow_nan=False, default=lambda scalar: scalar.item())

    @classmethod
    def from_json(cls, text: str) -> Recording:
        """The recording that `to_json` wrote.

        Raises
        ------
        ValueError
            For a text that is none, with what is missing.
        """
        values = parse(text, "a recording")
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"not a recording of format {FORMAT}")
        for name in ("machine", "n_params", "probes", *COLUMNS):
            if name not in values:
                raise ValueError(f"a recording without {name}")
        frames = {name: pd.DataFrame(values[name]) for name in COLUMNS}
        for name, frame in frames.items():
            if lacking := set(COLUMNS[name]) - set(frame.columns):
                raise ValueError(f"{name} of a recording: no column {', '.join(sorted(lacking))}")
        return cls(_machine(values["machine"], values["probes"]), _size(values), **frames)

    def save(self, path: str | Path) -> Path:
        """Write the file that a class hands in, over an older one."""
        return replace(Path(path), self.to_json().encode())


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON takes them: an empty cell is null."""
    plain = frame.astype(object).where(frame.notna(), None)
    rows: list[dict[str, Any]] = plain.to_dict("records")
    return rows


def _size(values: dict[str, Any]) -> float:
    return positive("n_params", values["n_params"], 1e12)


def _machine(values: Any, probes: Any) -> Machine:
    if not isinstance(values, dict):
        raise ValueError(f"machine of a recording = {shown(values)}: expected an object")
    known = {f.name for f in fields(Machine)} - {"probes"}
    plain: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known
    }
    try:
        machine = Machine(**plain, probes=pd.DataFrame(probes))
        machine.accelerator  # noqa: B018  (checks its numbers)
    except TypeError as error:
        raise ValueError(f"machine of a recording: {error}") from None
    return machine


def served_workload(rate_per_s: float = 1.0) -> Workload:
    """Whom the server serves: short questions and answers, of lengths as varied as a chat's."""
    chat = workload("chat")
    scale_in = PROMPT_TOKENS / chat.mean_input_tokens
    scale_out = OUTPUT_TOKENS / chat.mean_output_tokens
    return dataclasses.replace(
        chat,
        id="short-chat",
        title="Short questions and answers",
        rate_per_s=rate_per_s,
        arrival_cv=1.0,
        input_quantile_tokens=tuple(
            min(max(scale_in * q, 2), 4 * PROMPT_TOKENS) for q in chat.input_quantile_tokens
        ),
        output_quantile_tokens=tuple(
            min(max(scale_out * q, 2), 4 * OUTPUT_TOKENS) for q in chat.output_quantile_tokens
        ),
    )


def capacity_per_s(replica: Replica, n: int = 400) -> float:
    """Requests per second that the simulator completes when all of them wait from the start."""
    trace = served_workload().sample(n, seed=1)
    n_in, n_out = (trace[c].to_numpy() for c in ("input_tokens", "output_tokens"))
    return float(simulate(np.zeros(n), n_in, n_out, replica).throughput_requests_per_s)


def record(
    machine: Machine | None = None,
    *,
    n_params: float = DEFAULT_PARAMS,
    runs: pd.DataFrame | None = None,
    batches: Iterable[int] = (1, 2, 4, 8, 16, 32),
    prompt_tokens: int = 32,
    output_tokens: int = 16,
    n_requests: int = N_REQUESTS,
    n_closed: int = N_CLOSED,
    n_repeats: int = simulator.N_REPEATS,
) -> Recording:
    """The whole lab on this computer: batches, single steps, three open loads and a closed one.

    Parameters
    ----------
    machine : Machine, optional
        From `measure`; measured now by default.
    n_params : float
        Of the model, e.g. 64e6; about a minute at that size on two cores.
    runs : DataFrame, optional
        Batches of that model that `runs_frame` measured already.
    batches, prompt_tokens, output_tokens
        As in `runs_frame`, for batches that are measured now.
    n_requests, n_closed : int
        Requests of each open load and of the closed one, at most: a computer that would take more
        than eight seconds for them serves fewer, and at least 20.
    n_repeats : int
        Of each single step.

    Returns
    -------
    Recording
        To be saved, compared and pooled.
    """
    own = measure() if machine is None else machine
    net = tiny_model(n_params, engine=own.engine)
    if runs is None:
        runs = runs_frame(batches, prompt_tokens, output_tokens, model=net)
    steps = simulator.steps_frame(net, n_repeats=n_repeats)
    longest = 4 * (PROMPT_TOKENS + OUTPUT_TOKENS)
    most_per_s = capacity_per_s(simulator.own_replica(steps, max_tokens=longest))
    parts = []
    for load in LOADS:
        rate_per_s = load * most_per_s
        trace = draw_requests(
            served_workload(), rate_per_s, _n_requests(n_requests, rate_per_s), seed=0
        )
        times = server.serve(net, trace).times
        parts.append(_served_frame(f"{load:.0%}", times, rate_per_s=rate_per_s))
    trace = served_workload().sample(_n_requests(n_closed, most_per_s), seed=0)
    times = server.serve(net, trace, concurrency=CLOSED_USERS).times
    parts.append(_served_frame("closed", times, concurrency=CLOSED_USERS))
    return Recording(own, n_params, runs, steps, pd.concat(parts, ignore_index=True))


def _n_requests(n_most: int, rate_per_s: float) -> int:
    """Requests of a load: as many as arrive in some seconds, within limits."""
    return min(n_most, max(round(rate_per_s * LOAD_S), FEWEST_REQUESTS))


def _served_frame(
    load: str, times: RequestTimes, rate_per_s: float = float("nan"), concurrency: int = 0
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "load": load,
            "concurrency": concurrency,
            "rate_per_s": rate_per_s,
            "arrival_s": times.arrival_s,
            "input_tokens": times.input_tokens,
            "output_tokens": times.output_tokens,
            "first_token_s": times.first_token_s,
            "done_s": times.done_s,
        }
    )


@remember
def recorded() -> Recording:
    """The machine in ``data/machine/``: a rented server of two cores, with its spread and load."""
    row = table("recorded_machines").iloc[0]
    own = {name: table(f"recorded_{name}").reset_index(drop=True) for name in COLUMNS}
    own = {name: frame[list(COLUMNS[name])] for name, frame in own.items()}
    probes = table("recorded_probes")[PROBE_COLUMNS].reset_index(drop=True)
    names = [f.name for f in fields(Machine) if f.name in row.index and not pd.isna(row[f.name])]
    values = {name: getattr(row[name], "item", lambda v=row[name]: v)() for name in names}
    machine = Machine(**values, is_recorded=True, probes=probes)
    return Recording(machine, float(row["n_params"]), **own)


def pool_frame(files: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Recordings of a class, a row each: what differs between computers, and what does not.

    Parameters
    ----------
    files : path, or iterable of path
        Files of `Recording.save`, or the folder in which they lie, e.g. ``"results"``.

    Returns
    -------
    DataFrame
        file, processor, n_cores, memory_bandwidth_bytes_per_s, peak_fp32_flop_per_s,
        ridge_flop_per_byte, bound_tpot_s (of one user), measured_tpot_s, slowdown,
        weight_bandwidth_frac, decode_compute_frac, packing_s, batching_gain (tokens per second of
        the largest batch over those of one user), reason. A file that cannot be read has a reason
        and no numbers.

    Raises
    ------
    ValueError
        Where there are no files at all.
    """
    rows = []
    if isinstance(files, str | Path):
        files = sorted(Path(files).glob("*.json"))
    for file in map(Path, files):
        try:
            text = text_of(file, LARGEST_FILE_BYTES, "a recording")
            rows.append(summary(Recording.from_json(text)) | {
                "file": file.stem, "reason": ""})  # fmt: skip
        except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
            rows.append({"file": file.stem, "reason": str(error)})
    if not rows:
        raise ValueError("no files to pool: save each recording with Recording.save(path)")
    frame = pd.DataFrame(rows)
    return frame[["file", *(c for c in frame if c not in ("file", "reason")), "reason"]]


def summary(recording: Recording) -> dict[str, Any]:
    """A recording in one row, as `pool_frame` has it."""
    machine, scenario = recording.machine, recording.scenario()
    runs = recording.runs.sort_values("batch")
    first, last = runs.iloc[0], runs.iloc[-1]
    bound_s = float(ladder.step_times_s(scenario, [first["batch"]])[0])
    fit = ladder.fit_runs(scenario, runs)
    return {
        "processor": machine.processor,
        "n_cores": machine.n_cores,
        "memory_bandwidth_bytes_per_s": machine.memory_bandwidth_bytes_per_s,
        "peak_fp32_flop_per_s": machine.peak_fp32_flop_per_s,
        "ridge_flop_per_byte": machine.ridge_flop_per_byte,
        "bound_tpot_s": bound_s,
        "measured_tpot_s": float(first["p50_itl_s"]),
        "slowdown": float(first["p50_itl_s"]) / bound_s,
        "weight_bandwidth_frac": fit.weight_bandwidth_frac,
        "decode_compute_frac": fit.decode_compute_frac,
        "packing_s": fit.packing_s,
        "batching_gain": float(
            (last["batch"] / last["p50_itl_s"]) / (first["batch"] / first["p50_itl_s"])
        ),
    }
