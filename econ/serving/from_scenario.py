"""From a model on an accelerator to a simulated replica, and the simulator against measured runs.

The step equations (`econ.latency.steps`) become the tables of a `StepCost`: what all tokens of a
step share (weights read, or products at prefill efficiency; collectives, kernels) is ``linear_s``;
``decode_base_s`` moves a pure decode step to the equations' own value, so it is exact at the
context the tables are made for; KV reading is linear in context around it. Two things the
equations add for a closed loop stay out, because here they emerge: other users' prompts and the
wait for a step to end. The rest of a first token's latency (host, steps until a request is
admitted) is the replica's lag, from the same calibration.

>>> replica = replica_for("llama-3.1-8b", "h100-sxm", precision="fp8", max_batch=64)
>>> 400_000 < replica.kv_tokens < 600_000
True
>>> 0.003 < replica.cost.step_s(n_decode=1, context_tokens=1000) < 0.006
True
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, positive
from econ.latency import deployments as dep
from econ.latency import steps
from econ.latency.calibration import Calibration
from econ.latency.evidence import sample_runs
from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.serving.cost import StepCost
from econ.serving.replica import Disaggregated, Replica

TABLE_POINTS = 400  # points of the linear table past the batch; straight lines between them
POLICY_OF_ENGINE = {
    "vllm": "chunked_prefill",
    "trtllm": "chunked_prefill",
    "sglang": "prefill_first",
}
MEASURED_BUDGET = 8192  # tokens a step: the engines' default on large accelerators
REQUESTS_PER_USER = 10  # what the measured runs send


def step_cost(
    model: Model | str,
    accelerator: Accelerator | str,
    *,
    max_batch: int = 256,
    token_budget: int = 2048,
    context_tokens: float = 2000.0,
    calibration: Calibration | None = None,
    **split: int | str,
) -> StepCost:
    """The step cost of a replica of tp · dp accelerators, exact for decodes at ``context_tokens``.

    ``split``: ``tp``, ``dp``, ``ep`` (1 each), ``precision`` (bf16) and ``engine``.

    Formula: ``decode_per_ctx_token_s`` is the slope of the KV time from half of that context to
    one and a half times it; sliding windows and sparse attention make the true curve bend.
    Attention in prefill is quadratic where every pair is computed, else linear (window, top-k).
    Pipelines (pp > 1) overlap steps, which the simulator does not; they are left out.
    """
    count("max_batch", max_batch, 1, 1_000_000)
    count("token_budget", token_budget, 1, 100_000_000)
    k = calibration or Calibration.fitted()
    c = _replica_case(model, accelerator, context_tokens, **split)
    batch = np.arange(1, max_batch + 1)

    contexts = (0.5 * context_tokens, 1.5 * context_tokens)
    kv_s = [steps.step(_prepared(c, k, s), k, batch).kv_s for s in contexts]
    per_ctx_s = (kv_s[1] - kv_s[0]) / (contexts[1] - contexts[0]) / batch

    # one table over tokens: every size a decode can have, then sparser
    most = max(token_budget, 2 * max_batch)
    sizes = np.unique(np.rint(np.geomspace(1, most, TABLE_POINTS)).astype(int))
    sizes = np.union1d(batch, sizes)
    p = _prepared(c, k, sizes.astype("float64"))
    pairless = p.prefill_flop * p.top_k_tokens * (p.top_k_tokens < context_tokens)
    pairless = pairless + p.window_flop * np.minimum(p.window_tokens, context_tokens)
    attention_s = sizes * pairless / (p.n * p.work16 * k.attention_compute_frac)
    work_s = p.prefill_compute_s + p.prefill_link_s + p.prefill_state_s + attention_s
    linear_s = np.maximum(work_s, p.prefill_read_s) + p.kernels_s
    linear_s = np.interp(np.arange(sizes[-1] + 1), sizes, np.maximum.accumulate(linear_s))
    linear_s[0] = 0.0

    decode = steps.step(_prepared(c, k, context_tokens), k, batch)
    base_s = decode.step_s - per_ctx_s * batch * context_tokens - linear_s[1 : max_batch + 1]
    pair_flop = c.prefill_flop * (c.top_k_tokens >= context_tokens)
    per_pair_s = pair_flop / 2 / (decode.n * decode.work16 * k.attention_compute_frac)
    return StepCost(
        linear_s=linear_s,
        decode_base_s=_table(base_s),
        decode_per_ctx_token_s=_table(per_ctx_s),
        prefill_per_pair_s=float(per_pair_s),
    )


def replica_for(
    model: Model | str,
    accelerator: Accelerator | str,
    *,
    policy: str = "chunked_prefill",
    max_batch: int = 256,
    token_budget: int = 2048,
    context_tokens: float = 2000.0,
    n_replicas: int = 1,
    calibration: Calibration | None = None,
    **split: int | str,
) -> Replica:
    """A replica with the step cost and the KV memory of this deployment.

    ``split``: ``tp``, ``dp``, ``ep`` (1 each), ``precision`` (bf16) and ``engine``.
    ``kv_tokens`` = sequences of ``context_tokens`` that fit beside the weights × that context.
    ``lag_s`` is the calibrated host latency of a first token, ``n_lag_steps`` the steps until a
    request is admitted, less the one that the simulation itself waits.
    """
    k = calibration or Calibration.fitted()
    c = _replica_case(model, accelerator, context_tokens, **split)
    kv_tokens = int(steps.room(_prepared(c, k, context_tokens), k, context_tokens) * context_tokens)
    cost = step_cost(
        model, accelerator, max_batch=max_batch, token_budget=token_budget,
        context_tokens=context_tokens, calibration=k, **split,
    )  # fmt: skip
    host_s = k.first_token_s + c.is_sglang * k.first_token_sglang_s
    host_s += c.is_trtllm * k.first_token_trtllm_s
    return Replica(
        cost=cost,
        kv_tokens=kv_tokens,
        max_batch=max_batch,
        policy=policy,
        token_budget=token_budget,
        n_replicas=n_replicas,
        lag_s=host_s,
        n_lag_steps=max(k.n_wait_steps - 1, 0),
    )


def replica_of(scenario: Scenario, **more) -> Replica | Disaggregated:
    """The deployment of a scenario as the simulator takes it; ``more`` as in `replica_for`.

    Tables are made for the workload's mean context. A disaggregated deployment gives each pool
    half of the replicas (at least one) and moves KV caches over the scale-up link.

    >>> replica = replica_of(Scenario.default())
    >>> replica.policy, replica.n_replicas
    ('chunked_prefill', 1)
    """
    d, w = scenario.deployment, scenario.workload
    if d.pp != 1:
        raise ValueError(f"pp = {d.pp} is outside its range: 1; pipelines are not simulated")
    model, chip = dep.as_model(scenario.model), dep.as_accelerator(d.accelerator)
    dp, n_replicas = dep.replicas(model, d.n_gpu, d.tp, d.dp)
    settings = {"context_tokens": w.mean_input_tokens + w.mean_output_tokens / 2} | more
    split = {"tp": d.tp, "dp": dp, "ep": d.ep, "precision": d.precision}
    if d.policy != "disaggregated":
        return replica_for(model, chip, **split, policy=d.policy, n_replicas=n_replicas, **settings)
    if n_replicas < 2:
        raise ValueError(
            f"n_gpu = {d.n_gpu} is outside its range: two pools need at least {2 * d.tp * dp}"
        )
    half = replica_for(model, chip, **split, n_replicas=n_replicas // 2, **settings)
    link = d.tp * dp * positive("link", chip.scaleup_bandwidth_bytes_per_s or 0.0)
    return Disaggregated(
        prefill=half,
        decode=half.replace(n_replicas=n_replicas - n_replicas // 2),
        kv_transfer_s_per_token=model.kv_bytes_per_token() / link,
    )


def measured_frame(runs: pd.DataFrame | None = None, *, n_most: int = 4000) -> pd.DataFrame:
    """Measured runs, simulated: TTFT and TPOT of both, and ours / measured.

    Each run is repeated as it was made: ``concurrency`` users who all start at once, ten requests
    each (at most ``n_most`` in all), lengths uniform within a ninth of the mean. Means over
    requests, the opening burst included. The replica's lag lengthens TTFT; that it also keeps a
    closed loop's users out of the batch for so long is left out. Runs with pp > 1 are left out.
    """
    from econ.serving.simulation import simulate_closed

    runs = sample_runs() if runs is None else runs
    rows = []
    for run in runs[runs["pp"] == 1].itertuples():
        model = dep.as_model(run.model)
        dp, n_replicas = dep.replicas(model, int(run.n_gpu), int(run.tp), int(run.dp))
        users = max(1, round(run.concurrency / n_replicas))
        replica = replica_for(
            run.model, run.accelerator, tp=int(run.tp), dp=dp, ep=int(run.ep),
            precision=run.precision, engine=run.engine, policy=POLICY_OF_ENGINE[run.engine],
            max_batch=max(users, 2), token_budget=MEASURED_BUDGET,
            context_tokens=run.input_tokens + run.output_tokens / 2,
        )  # fmt: skip
        rng = np.random.default_rng(0)
        n = min(REQUESTS_PER_USER * users, max(n_most, 2 * users))
        spread = rng.uniform(8 / 9, 10 / 9, (2, n))
        prompt = np.maximum(1, np.rint(run.input_tokens * spread[0]))
        out = np.maximum(1, np.rint(run.output_tokens * spread[1]))
        result = simulate_closed(prompt, out, replica, users)
        ours = {"ttft_s": float(result.ttft_s.mean()), "tpot_s": result.request_mean_tpot_s}
        row = {name: getattr(run, name) for name in MEASURED_KEY}
        for name, value in ours.items():
            there = float(getattr(run, name))
            row |= {name: value, f"measured_{name}": there, f"{name[:4]}_ratio": value / there}
        rows.append(row)
    return pd.DataFrame(rows)


MEASURED_KEY = [
    *("model", "accelerator", "n_gpu", "tp", "precision", "engine"),
    *("input_tokens", "output_tokens", "concurrency"),
]


def gap_frame(compared: pd.DataFrame, by: Iterable[str] = ("model", "accelerator")) -> pd.DataFrame:
    """The median factor by which ours misses the measured value, and which way, per group."""
    off = compared.assign(
        ttft_gap_x=np.exp(np.abs(np.log(compared["ttft_ratio"]))),
        tpot_gap_x=np.exp(np.abs(np.log(compared["tpot_ratio"]))),
    )
    columns = ["ttft_gap_x", "tpot_gap_x", "ttft_ratio", "tpot_ratio"]
    groups = off.groupby(list(by))
    return groups[columns].median().assign(n_runs=groups.size()).reset_index()


def _replica_case(
    model, accelerator, context_tokens, *, tp=1, dp=1, ep=1, precision="bf16", engine=""
):
    """The case of one replica, after the checks that `econ.latency.predict` makes."""
    positive("context_tokens", context_tokens, dep.LARGEST["input_tokens"])
    split = {"tp": tp, "dp": dp, "ep": ep}
    n_gpu = tp * dp
    engine = dep.known_engine(engine)
    one = Scenario.of(
        model, accelerator, **split, n_gpu=n_gpu, precision=precision, engine=engine,
        input_tokens=max(context_tokens, 1), output_tokens=1,
    )  # fmt: skip
    predict(one, concurrency=1)
    c = dep.case(dep.as_model(model), dep.as_accelerator(accelerator), precision, engine)
    return dep.split(c, n_gpu=n_gpu, pp=1, concurrency=1, **split)


def _prepared(c, k: Calibration, context_tokens):
    """A copy for prompts of that length and answers that add nothing to the context."""
    copy = steps.Case(**vars(c))
    copy.input_tokens, copy.output_tokens = context_tokens, 0.0
    return steps.prepare(copy, k)


def _table(values: np.ndarray) -> np.ndarray:
    """With an entry for a batch of 0, and one past the end so that the table goes on level."""
    return np.concatenate([[0.0], values, values[-1:]])
