"""Latency and throughput of a served model from its shape, the datasheet and a small calibration.

A decode step streams every weight that the batch touches and every sequence's KV cache; a prompt
is read at the speed of arithmetic; kernels, collectives and other users' prompts add to it. What
the datasheet does not say is fitted to measured runs (`econ.latency.calibration`) and every
prediction carries a band from the errors of runs left out of the fit.

The calibration knows the engines of 2025 and 2026. Software of 2024 left more of the time to the
host: the median of 142 such runs (ML.ENERGY v2) reached a fifth of the predicted throughput;
``software_maturity`` below 1 stands for that.

>>> from econ.scenario import Scenario
>>> s = Scenario.default().with_(input_tokens=922, output_tokens=922)
>>> one = predict(s, concurrency=16)
>>> one.bound_by, bool(0.010 < one.tpot_s < 0.017)        # measured: 13.2 ms
('weights', True)
>>> int(kv_bytes_per_token("llama-3.1-70b")), f"{weight_bytes('llama-3.1-70b', 'fp8') / 1e9:.1f} GB"
(327680, '72.7 GB')
>>> predict(s.with_(n_gpu=1, tp=1, precision="bf16"), concurrency=1)  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.latency.steps.DoesNotFit: does not fit: ...
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.guard import not_negative, positive
from econ.catalog.precision import weight_bytes_by_part
from econ.deployment import ROW
from econ.latency import steady as long_run
from econ.latency import steps
from econ.latency.calibration import REGIMES, Calibration, bands, novelty, regime_code
from econ.latency.deployments import refuse_pools
from econ.latency.frame import TIMES, max_throughput_frame, predict_frame
from econ.latency.frame_columns import LARGEST
from econ.latency.shapes import Shapes, as_model, generation
from econ.latency.steps import Case, DoesNotFit, Load, Prepared, answer_s
from econ.scenario import Scenario
from econ.station import Result, distinct, require_certain, station

METRICS = ("ttft_s", "tpot_s", "benchmark_mean_ttft_s", "output_tokens_per_s_per_gpu")
TTFT, ITL = (tuple(f"{what}_p{q}_s" for q in (50, 95, 99)) for what in ("ttft", "itl"))

__all__ = [
    "DoesNotFit",
    "Prediction",
    "answer_s",
    "flop_per_token",
    "kv_bytes_per_token",
    "max_batch",
    "max_throughput_frame",
    "predict",
    "predict_frame",
    "weight_bytes",
]


@dataclass(frozen=True, kw_only=True)
class Prediction(Result):
    """What a user and an owner of a deployment see.

    ``ttft_s`` is the median, as is ``ttft_p50_s``; 5 % and 1 % wait longer than ``ttft_p95_s`` and
    ``ttft_p99_s``; ``mean_ttft_s`` makes up the mean answer. ``itl_…`` are the gaps between two
    messages, each of ``stream_interval`` tokens: TPOT, their mean, hides the stalls.
    ``benchmark_mean_ttft_s`` is what a benchmark reports that starts all users at once, on a server
    that has answered nothing before, and lets each ask ten times at nearly equal length.

    ``batch`` is the number of sequences that decode in a replica at a time. ``parts_s`` splits
    TPOT into its terms; weights and compute overlap, and only the larger of the two is listed.
    ``bands`` maps a metric to the factors within which half and 90 % of held-out runs lie; where
    nothing of use is known, the second is infinite and ``not_predicted`` says why.

    >>> one = predict(Scenario.default(), concurrency=8)
    >>> low, high = one.band("tpot_s")
    >>> low < one.tpot_s < high
    True
    """

    ttft_s: float
    ttft_p50_s: float
    ttft_p95_s: float
    ttft_p99_s: float
    mean_ttft_s: float
    itl_p50_s: float
    itl_p95_s: float
    itl_p99_s: float
    tpot_s: float
    benchmark_mean_ttft_s: float
    answer_s: float
    output_tokens_per_s_per_gpu: float
    tokens_per_s_per_user: float
    batch: float
    bound_by: str
    parts_s: dict[str, float] = field(default_factory=dict)
    ttft_parts_s: dict[str, float] = field(default_factory=dict)
    regime: str = "calibrated"
    bands: dict[str, tuple[float, float]] = field(default_factory=dict)
    not_predicted: dict[str, str] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each term in TPOT, 0..1."""
        total = sum(self.parts_s.values())
        return {name: value / total for name, value in self.parts_s.items()}

    @property
    def calibrated(self) -> bool:
        """Whether runs of this model on this accelerator were among those measured."""
        return self.regime == "calibrated"


def kv_bytes_per_token(model: Model | str, bytes_per_element: float = 2.0) -> float:
    """Bytes by which one sequence's cache grows per token once sliding windows are full.

    Parameters
    ----------
    model : Model or str
        A name of the catalogue or an object of your own.
    bytes_per_element : float
        Of a cached number: 2 for bf16, 1 for fp8.

    Returns
    -------
    float
        E.g. 327,680 bytes for Llama-3.1-70B.

    Notes
    -----
    full-attention layers · 2 · KV heads · head size · bytes, or layers · latent size · bytes with
    MLA. Grouped-query attention counts KV heads, not query heads: for Llama-3.1-70B eight times
    fewer.

    Examples
    --------
    >>> int(kv_bytes_per_token("llama-3.1-70b"))
    327680
    """
    return as_model(model).kv_bytes_per_token(bytes_per_element)


def weight_bytes(model: Model | str, precision: str = "bf16") -> float:
    """Bytes of the stored weights; `econ.catalog.precision` says what is kept in which format.

    Parameters
    ----------
    model : Model or str
        A name of the catalogue or an object of your own.
    precision : str
        Format of the matrices, e.g. ``"fp8"``.

    Returns
    -------
    float
        E.g. 72.7e9 for Llama-3.1-70B in fp8.

    Raises
    ------
    UnknownName
        For an unknown model or format, with the nearest.

    Examples
    --------
    >>> f"{weight_bytes('gpt-oss-120b', 'fp4') / 1e9:.0f} GB"
    '69 GB'
    """
    return sum(weight_bytes_by_part(as_model(model), precision).values())


def flop_per_token(model: Model | str, context_tokens: float = 0.0) -> float:
    """Arithmetic to generate one token.

    Parameters
    ----------
    model : Model or str
        A name of the catalogue or an object of your own.
    context_tokens : float
        Tokens before it, e.g. 4000.

    Returns
    -------
    float
        FLOP: 2 per active weight, and attention over the context (of a sliding window or of sparse
        attention, over the tokens that it selects).

    Examples
    --------
    >>> round(flop_per_token("llama-3.1-8b") / 1e9, 1)
    15.0
    """
    m = as_model(model)
    not_negative("context_tokens", context_tokens)
    seen = min(context_tokens, m.sparse_top_k_tokens or math.inf)
    window = min(context_tokens, m.sliding_window_tokens)
    sliding = m.n_sliding_layers * 4 * m.n_heads * m.head_dim * window
    return float(2 * m.active_params + m.attention_flop_per_context_token * seen + sliding)


def max_batch(
    s: Scenario, *, context_tokens: float | None = None, calibration: Calibration | None = None
) -> int:
    """Sequences that run at a time over all replicas: as many as memory and the engine allow.

    Parameters
    ----------
    s : Scenario
        Model, deployment and, for the context, the workload.
    context_tokens : float, optional
        Tokens that each sequence holds, e.g. 8192; by default the mean prompt and half an answer.
    calibration : Calibration, optional
        Share of the memory that can be used; fitted values by default.

    Returns
    -------
    int
        0 where not even one sequence fits beside the weights.

    Notes
    -----
    floor((memory · usable − reserved − weights) · dp · KV shards / bytes per sequence), and no more
    than ``max_batch`` of the deployment, per replica.

    Examples
    --------
    >>> max_batch(Scenario.default(), context_tokens=8192)
    88
    """
    require_certain("max_batch", s)
    if context_tokens is not None:
        positive("context_tokens", context_tokens, LARGEST["input_tokens"])
    cal = calibration or Calibration.fitted()
    p = steps.prepare(case_of(s, 1.0, cal), cal)
    context = p.context_tokens if context_tokens is None else context_tokens
    n = max(int(steps.room(p, cal, context) + 1e-9), 0)
    if s.deployment.max_batch is not None:
        n = min(n, s.deployment.max_batch)
    return n * s.n_replicas


def predict_scenarios(
    scenarios: Sequence[Scenario],
    *,
    concurrency: float | Iterable[float],
    calibration: Calibration | None = None,
) -> pd.DataFrame:
    """`predict` for many scenarios at once: a row each, with a ``reason`` where none is possible.

    ``concurrency`` is one number or one a scenario.
    """
    frame = predict_frame(scenarios_frame(scenarios, concurrency), calibration)
    wait_s = answer_s(frame["mean_ttft_s"], frame["tpot_s"], frame["output_tokens"])
    names = [*TIMES, "output_tokens_per_s_per_gpu", "tokens_per_s_per_user", "batch", "regime",
             "reason"]  # fmt: skip
    return frame[names].assign(answer_s=wait_s)


def scenarios_frame(
    scenarios: Sequence[Scenario], concurrency: float | Iterable[float]
) -> pd.DataFrame:
    """Scenarios as the table of deployments that `predict_frame` takes."""
    code, cases = distinct(scenarios)
    rows = [s.deployment.row() for s in cases]
    objects = {
        "model": [s.resolved_model for s in cases],
        "accelerator": [row["accelerator"] for row in rows],
    }
    columns: dict[str, object] = {
        "input_tokens": [s.workload.mean_input_tokens for s in cases],
        "output_tokens": [s.workload.mean_output_tokens for s in cases],
        "cached_frac": [s.workload.cached_frac for s in cases],
        **{name: [row[name] for row in rows] for name in ROW if name not in objects},
    }
    frame = pd.DataFrame(columns).take(code).reset_index(drop=True)
    for name, values in objects.items():
        which, different = pd.factorize(np.array(values, dtype=object))
        frame[name] = pd.Categorical.from_codes(which[code], pd.Index(different, dtype=object))
    return frame.assign(concurrency=concurrency)


@station(headline="tpot_s", vector=predict_scenarios)
def predict(
    s: Scenario, *, concurrency: float, calibration: Calibration | None = None
) -> Prediction:
    """TTFT, TPOT and throughput of users in a closed loop: each asks again once answered.

    Parameters
    ----------
    s : Scenario
        Model, deployment and the workload's mean lengths.
    concurrency : float
        Users over all replicas, e.g. 32.
    calibration : Calibration, optional
        Efficiencies and overheads of the software; fitted values by default.

    Returns
    -------
    Prediction
        Times, throughput per GPU, the parts of TPOT and TTFT, and a band for each metric.

    Raises
    ------
    DoesNotFit
        Where weights and one sequence exceed the memory; ``missing_bytes`` says by how much.
    ValueError
        For a number outside its range.

    Notes
    -----
    The equations stand in `econ.latency.steps`. Throughput follows from Little's law:
    concurrency · output tokens / `answer_s` / GPUs.

    Examples
    --------
    >>> one = predict(Scenario.default(), concurrency=32)
    >>> 0.01 < one.tpot_s < 0.03, one.regime
    (True, 'calibrated')
    """
    cal = calibration or Calibration.fitted()
    positive("concurrency", concurrency, LARGEST["concurrency"])
    refuse_pools(s.deployment.has_pools)
    p = fitting(case_of(s, float(concurrency), cal), cal)
    steady = long_run.steady(p, cal)
    ttft_s, tpot_s = float(steady.ttft_s[0]), float(steady.tpot_s)
    ttft, itl = ((float(t) for t in times) for times in (steady.ttft_s, steady.itl_s))
    one = steady.step
    parts = {
        "weights": float(one.weights_s),
        "kv cache": float(one.kv_s),
        "compute": float(one.compute_s),
        "kernels": float(one.kernels_s),
        "links": float(one.links_s),
        "host": float(one.host_s),
        "others' prompts": float(steady.interference_s),
    }
    del parts["compute" if parts["compute"] <= parts["weights"] else "weights"]
    n_out = p.load.output_tokens
    mean_ttft_s = float(steady.mean_ttft_s)
    wait_s = float(answer_s(mean_ttft_s, tpot_s, n_out))
    code = regime_code(
        novelty(s.model_id, s.deployment.accelerator_id),
        concurrency=p.load.concurrency,
        pp=p.split.pp,
    )
    regime, known = REGIMES[int(code)], bands()
    wider = cal.software.widening(*software_of(s))
    return Prediction(
        ttft_s=ttft_s,
        **dict(zip(TTFT, ttft, strict=True)),
        mean_ttft_s=mean_ttft_s,
        **dict(zip(ITL, itl, strict=True)),
        tpot_s=tpot_s,
        benchmark_mean_ttft_s=float(steady.benchmark_mean_ttft_s),
        answer_s=wait_s,
        output_tokens_per_s_per_gpu=concurrency * n_out / wait_s / p.split.n_gpu,
        tokens_per_s_per_user=1 / tpot_s,
        batch=float(steady.batch),
        bound_by=max(parts, key=lambda name: parts[name]),
        parts_s=parts,
        ttft_parts_s={
            "own prompt": float(steady.prefill.own_prefill_s),
            "engine": float(p.shapes.first_token_s + p.shapes.n_wait_steps * tpot_s),
            "waiting": float(steady.queue_s),
            "memory": float(steady.memory_wait_s),
        },
        regime=regime,
        bands={
            metric: (known[regime, metric].median_factor, known[regime, metric].p90_factor * wider)
            for metric in METRICS
        },
        not_predicted={m: why for m in METRICS if (why := known[regime, m].reason)},
    )


def case_of(s: Scenario, concurrency: float, calibration: Calibration) -> Case:
    """What the step equations take, from a scenario and the users over all its replicas."""
    d, w, model = s.deployment, s.workload, s.resolved_model
    shapes, split = Shapes.of(model, *d.formats, calibration.engine(d.engine)), d.split(model)
    load = Load(
        float(w.mean_input_tokens),
        float(w.mean_output_tokens),
        concurrency / split.n_replicas,
        w.cached_frac,
        dated_maturity=dated_maturity(s, calibration),
        **d.serving,
    )
    return Case(shapes, split, load)


def software_of(s: Scenario) -> tuple[str, str, str]:
    """What a maturity belongs to: the engine, the accelerator's generation, the date."""
    d = s.deployment
    return d.engine, generation(d.resolved_accelerator), d.as_of


def dated_maturity(s: Scenario, calibration: Calibration) -> float:
    """How fast the engine of that date decodes, relative to that of the calibration."""
    return calibration.software.maturity(*software_of(s))


def fitting(case: Case, calibration: Calibration) -> Prepared:
    """The case prepared; `DoesNotFit` where weights and one sequence exceed the memory."""
    p = steps.prepare(case, calibration)
    if (missing := float(steps.missing_bytes(p))) > 0:
        n_gpu = p.split.tp * p.split.pp * p.split.dp
        (why,) = steps.too_large([missing], [n_gpu], [p.shapes.memory_bytes])
        raise DoesNotFit(why, missing)
    return p
