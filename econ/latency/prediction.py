"""Latency and throughput of a served model from its shape, the datasheet and a small calibration.

A decode step streams every weight that the batch touches and every sequence's KV cache; a prompt
is read at the speed of arithmetic; kernels, collectives and other users' prompts add to it. What
the datasheet does not say is fitted to measured runs (`econ.latency.calibration`) and every
prediction carries a band from the errors of runs left out of the fit.

The calibration knows the engines of 2025 and 2026. Software of 2024 left more of the time to the
host: the median of 142 such runs (ML.ENERGY v2) reached a fifth of the predicted throughput;
``software_maturity`` below 1 stands for that.

>>> one = predict("llama-3.1-70b", "h100-sxm", n_gpu=4, tp=4, precision="fp8",
...               input_tokens=922, output_tokens=922, concurrency=16)
>>> one.bound_by, bool(0.010 < one.tpot_s < 0.017)        # measured: 13.2 ms
('weights', True)
>>> int(kv_bytes_per_token("llama-3.1-70b")), f"{weight_bytes('llama-3.1-70b', 'fp8') / 1e9:.1f} GB"
(327680, '72.7 GB')
>>> predict("llama-3.1-70b", "h100-sxm", n_gpu=1, precision="bf16", input_tokens=1000,
...         output_tokens=1000, concurrency=1).fits
False
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, not_negative, positive, unknown
from econ.catalog.precision import weight_bytes_by_part
from econ.latency import deployments as dep
from econ.latency import steps
from econ.latency.bound import DoesNotFit
from econ.latency.calibration import Calibration, bands
from econ.latency.deployments import as_accelerator, as_model
from econ.latency.frame import max_throughput_frame, predict_frame
from econ.latency.regimes import REGIMES, novelty, place
from econ.latency.steps import Case

__all__ = [
    "DoesNotFit",
    "Prediction",
    "flop_per_token",
    "kv_bytes_per_token",
    "max_batch",
    "max_throughput_frame",
    "predict",
    "predict_frame",
    "weight_bytes",
]

# the parts of a token's time, in the order in which they are named when several are equal
PARTS = {
    "weights": "weights_s",
    "kv cache": "kv_s",
    "compute": "compute_s",
    "kernels": "kernels_s",
    "links": "links_s",
    "host": "host_s",
    "others' prompts": "interference_s",
}


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a user and an owner of a deployment see, with bands; NaN where it does not fit.

    ``batch`` is the number of sequences that decode in a replica at a time. ``parts_s`` splits
    TPOT into its terms; weights and compute overlap, and the larger of the two is shown whole.
    ``bands``: metric → (half within this factor, 90 % within that one).
    """

    ttft_s: float
    tpot_s: float
    output_tokens_per_s_per_gpu: float
    tokens_per_s_per_user: float
    batch: float
    bound_by: str
    parts_s: dict[str, float] = field(default_factory=dict)
    ttft_parts_s: dict[str, float] = field(default_factory=dict)
    fits: bool = True
    missing_bytes: float = 0.0
    regime: str = "calibrated"
    bands: dict = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each term in TPOT, 0..1."""
        total = sum(self.parts_s.values())
        return {name: value / total for name, value in self.parts_s.items()}

    @property
    def calibrated(self) -> bool:
        """Whether runs of this model on this accelerator were among those measured."""
        return self.regime == "calibrated"

    def band(self, metric: str = "tpot_s", coverage_frac: float = 0.9) -> tuple[float, float]:
        """Low and high of a metric: 90 % of held-out runs lie inside, or half with 0.5.

        >>> one = predict("llama-3.1-8b", "h100-sxm", input_tokens=500, output_tokens=500,
        ...               concurrency=8)
        >>> low, high = one.band("tpot_s")
        >>> low < one.tpot_s < high
        True
        """
        if metric not in self.bands:
            raise unknown("metric with a band", metric, self.bands)
        if coverage_frac not in (0.5, 0.9):
            raise ValueError(f"coverage_frac = {coverage_frac} is outside its range: 0.5 or 0.9")
        factor = self.bands[metric][coverage_frac == 0.9]
        value = getattr(self, metric)
        return value / factor, value * factor


def kv_bytes_per_token(model: Model | str, bytes_per_element: float = 2.0) -> float:
    """Bytes by which one sequence's cache grows per token once sliding windows are full.

    GQA counts KV heads, not query heads: for Llama-3.1-70B eight times less than MHA would store.
    """
    return as_model(model).kv_bytes_per_token(bytes_per_element)


def weight_bytes(model: Model | str, precision: str = "bf16") -> float:
    """Bytes of the stored weights: matrices in ``precision``, input table and head in 2 bytes.

    Mixtures in 4 bits quantise the routed experts alone; 4-bit formats carry their scales.

    >>> f"{weight_bytes('gpt-oss-120b', 'fp4') / 1e9:.0f} GB"
    '69 GB'
    """
    m = as_model(model)
    parts = weight_bytes_by_part(m, precision)
    return sum(parts.values())


def flop_per_token(model: Model | str, context_tokens: float = 0.0) -> float:
    """FLOP to generate one token: 2 per active weight, and attention over the context.

    >>> round(flop_per_token("llama-3.1-8b") / 1e9, 1)
    15.0
    """
    m = as_model(model)
    not_negative("context_tokens", context_tokens)
    seen = min(context_tokens, m.sparse_top_k_tokens or math.inf)
    window = min(context_tokens, m.sliding_window_tokens)
    sliding = m.n_sliding_layers * 4 * m.n_heads * m.head_dim * window
    return 2 * m.active_params + m.attention_flop_per_context_token * seen + sliding


def max_batch(
    model: Model | str,
    accelerator: Accelerator | str,
    *,
    context_tokens: float,
    n_gpu: int | None = None,
    tp: int | None = None,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    precision: str = "bf16",
    engine: str = "",
    calibration: Calibration | None = None,
) -> int:
    """Sequences of ``context_tokens`` that fit at a time, over all replicas; 0 if none does.

    >>> max_batch("llama-3.1-70b", "h100-sxm", n_gpu=4, tp=4, precision="fp8", context_tokens=8192)
    88
    """
    positive("context_tokens", context_tokens, dep.LARGEST["input_tokens"])
    k = calibration or Calibration.fitted()
    c = _case(model, accelerator, n_gpu, tp, pp, ep, dp, precision, engine, context_tokens, 1.0, 1)
    steps.prepare(c, k)
    return max(int(steps.room(c, k, context_tokens) + 1e-9), 0) * int(c.n_replicas)


def predict(
    model: Model | str,
    accelerator: Accelerator | str,
    *,
    n_gpu: int | None = None,
    tp: int | None = None,
    pp: int = 1,
    ep: int = 1,
    dp: int = 1,
    precision: str = "bf16",
    input_tokens: float,
    output_tokens: float,
    concurrency: float,
    software_maturity: float = 1.0,
    engine: str = "",
    calibration: Calibration | None = None,
    must_fit: bool = False,
) -> Prediction:
    """TTFT, TPOT and throughput of ``concurrency`` users in a closed loop on one deployment.

    ``n_gpu`` = tp · pp · dp · replicas. Lengths may be fractional means. ``engine``: vllm, sglang
    or trtllm, or empty for the common habits. Errors name what is possible; with ``must_fit``,
    weights that exceed the memory raise `DoesNotFit`. Equations: `econ.latency.steps`.
    """
    k = calibration or Calibration.fitted()
    for name, value in (("input_tokens", input_tokens), ("output_tokens", output_tokens)):
        positive(name, value, dep.LARGEST[name])
    positive("concurrency", concurrency, dep.LARGEST["concurrency"])
    positive("software_maturity", software_maturity, dep.LARGEST["software_maturity"])
    engine = dep.known_engine(engine)
    c = _case(
        model,
        accelerator,
        n_gpu,
        tp,
        pp,
        ep,
        dp,
        precision,
        engine,
        input_tokens,
        output_tokens,
        concurrency,
    )
    steps.prepare(c, k)
    missing = float(dep.missing_bytes(c))
    if missing > 0:
        if must_fit:
            raise DoesNotFit(dep.lacks(c, missing))
        nan = math.nan
        return Prediction(
            ttft_s=nan,
            tpot_s=nan,
            output_tokens_per_s_per_gpu=nan,
            tokens_per_s_per_user=nan,
            batch=0.0,
            bound_by="memory",
            fits=False,
            missing_bytes=missing,
            regime=REGIMES[-1],
        )
    steps.steady(c, k)
    ttft_s, tpot_s = float(c.ttft_s), float(c.tpot_s)
    if software_maturity != 1:
        least = steps.floor(c, Calibration.datasheet())
        ttft_s = float(steps.mature(ttft_s, least[0], software_maturity))
        tpot_s = float(steps.mature(tpot_s, least[1], software_maturity))
    parts = {name: float(getattr(c, attribute)) for name, attribute in PARTS.items()}
    hidden = "compute" if parts["compute"] <= parts["weights"] else "weights"
    shown = {name: value for name, value in parts.items() if name != hidden}
    answer = ttft_s + max(output_tokens - 1, 0) * tpot_s
    where = REGIMES[int(place(c, novelty(as_model(model).id, as_accelerator(accelerator).id)))]
    table = bands()
    return Prediction(
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        output_tokens_per_s_per_gpu=concurrency * output_tokens / answer / c.n_gpu,
        tokens_per_s_per_user=1 / tpot_s,
        batch=float(c.batch),
        bound_by=max(shown, key=shown.get),
        parts_s=shown,
        ttft_parts_s={
            "own prompt": float(c.own_prefill_s),
            "others' prompts": float(c.queue_s),
            "memory": float(c.memory_wait_s),
        },
        regime=where,
        bands={
            m: (table[where, m].median_factor, table[where, m].p90_factor)
            for m in ("ttft_s", "tpot_s", "output_tokens_per_s_per_gpu")
        },
    )


def _case(model, accelerator, n_gpu, tp, pp, ep, dp, precision, engine, n_in, n_out, users) -> Case:
    """A checked case of one deployment; `ValueError` names the first rule that it breaks."""
    m, chip = as_model(model), as_accelerator(accelerator)
    for name, value in (("pp", pp), ("ep", ep), ("dp", dp)):
        count(name, value, 1, dep.MOST_GPU)
    if tp is None:
        tp = 1 if n_gpu is None else max(int(n_gpu) // (pp * dp), 1)
    if n_gpu is None:
        n_gpu = tp * pp * dp
    count("tp", tp, 1, dep.MOST_GPU)
    count("n_gpu", n_gpu, 1, dep.MOST_GPU)
    c = dep.case(m, chip, precision, dep.known_engine(engine))
    c.input_tokens, c.output_tokens = float(n_in), float(n_out)
    dep.split(c, n_gpu=n_gpu, tp=tp, pp=pp, ep=ep, dp=dp, concurrency=users)
    for broken, text in dep.faults(c, tp, pp, ep, dp, n_gpu).values():
        if np.any(broken):
            values = {"tp": tp, "pp": pp, "ep": ep, "n_gpu": n_gpu, "used": tp * pp * dp}
            values |= {"n_heads": c.n_heads, "n_layers": c.n_layers, "n_experts": c.n_experts}
            raise ValueError(text.format(**values, shared=tp * dp))
    return c
