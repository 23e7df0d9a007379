"""On what a model runs: accelerators, how the model is split over them, precision and engine.

A `Deployment` is one row of a fleet: ``n_gpu`` accelerators of one kind, divided into replicas that
share the users evenly. Inside a replica, tensor slices (``tp``), pipeline stages (``pp``) and, for
a mixture of experts, attention replicas (``dp``) work together.

>>> Deployment(accelerator="h100-sxm", n_gpu=8, tp=4, precision="fp8").tp
4
>>> Deployment(accelerator="h100-sxm", n_gpu=8, tp=3)
Traceback (most recent call last):
    ...
ValueError: n_gpu = 8 is outside its range: a multiple of tp × pp × dp = 3
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.engines import LAUNCH, SCHEDULINGS, WAITS, Engine, engine
from econ.catalog.guard import check_date, count, positive, unknown
from econ.catalog.ranges import ends

POLICIES = ("prefill_first", "chunked_prefill", "disaggregated")
KV_PRECISIONS = ("fp32", "bf16", "fp16", "fp8", "int8")
# what a table of deployments says of each (`Deployment.row`)
ROW = ("accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "kv_precision", "engine",
       "software_maturity", "as_of", "max_batch", "policy", "scheduling", *LAUNCH,
       "has_pools")  # fmt: skip
MOST_GPU = 1_000_000
MOST_MATURITY = 1e3


class Split(NamedTuple):
    """How a model is divided (or many); ``dp`` counts the attention replicas inside a replica."""

    n_gpu: Any
    tp: Any
    pp: Any
    dp: Any
    n_replicas: Any
    ep: Any

    @classmethod
    def of(cls, is_moe: Any, *, n_gpu: Any, tp: Any, pp: Any, dp: Any, ep: Any) -> Split:
        """The split as a deployment names it: a dense model under ``dp`` is ``dp`` replicas."""
        inner = 1 + (dp - 1) * is_moe
        return cls(n_gpu, tp, pp, inner, n_gpu / (tp * pp * inner), ep)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Accelerators, their split, the precision, the engine and its launch settings.

    Parameters
    ----------
    accelerator : str or Accelerator
        A name of the catalogue (``"h100-sxm"``, also ``"H100"``) or an object of your own.
    n_gpu : int
        Accelerators in all: tp × pp × dp × replicas.
    tp, pp, ep, dp : int
        Tensor slices, pipeline stages, accelerators that share the experts, attention replicas.
        A dense model under ``dp`` is as many independent replicas.
    precision : str
        Format of the weights: fp32, bf16, fp16, fp8, int8, fp4, int4.
    kv_precision : str
        Format of the KV cache; empty for what the engine keeps by default.
    engine : str
        A row of ``data/latency/engines.csv`` (vllm, sglang, trtllm); empty for the common habits.
    software_maturity : float or Range
        1 for the software of the date; above 1 is better, below 1 worse.
    as_of : str
        The date of the software, e.g. ``"2026-03"``; empty for today.
    max_batch : int, optional
        Sequences that one replica runs at a time; None for as many as memory and the engine allow.
    token_budget : int, optional
        Tokens of one engine step, decodes and prompt chunks together; None for the engine's own.
    policy : str
        chunked_prefill, prefill_first or disaggregated; empty for the engine's own.
    prefill_budget_tokens : int, optional
        Prompt tokens that are read in one go, e.g. 8192; None for the engine's own.
    stream_interval : int, optional
        Tokens of an answer that are sent together, e.g. 10; None for the engine's own (1).
    recv_interval : int, optional
        Decode steps after which the scheduler looks for new requests, e.g. 30; None for 1.
    dp_wait_steps : int, optional
        Decode steps for which an attention replica holds a prompt back until the others have one,
        e.g. 60; None for 0.
    batch_wait_steps : int, optional
        Decode steps for which a prompt is held back so that others may be read with it, e.g. 20;
        None for 0.
    scheduling : str
        async or sync (the accelerator waits for the host); empty for the engine's own.

    Raises
    ------
    ValueError
        For a number outside its range or a split that does not divide ``n_gpu``.
    UnknownName
        For a name that the catalogue does not hold, with the nearest.
    """

    accelerator: str | Accelerator
    n_gpu: int = 1
    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp: int = 1
    precision: str = "bf16"
    kv_precision: str = ""
    engine: str = ""
    software_maturity: float = 1.0
    as_of: str = ""
    max_batch: int | None = None
    token_budget: int | None = None
    policy: str = ""
    prefill_budget_tokens: int | None = None
    stream_interval: int | None = None
    recv_interval: int | None = None
    dp_wait_steps: int | None = None
    batch_wait_steps: int | None = None
    scheduling: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.accelerator, Accelerator):
            object.__setattr__(self, "accelerator", catalog.accelerator(self.accelerator).id)
        self.resolved_accelerator.peak_flop_per_s(self.precision)
        for name in ("n_gpu", "tp", "pp", "ep", "dp"):
            object.__setattr__(self, name, count(name, getattr(self, name), 1, MOST_GPU))
        used = self.tp * self.pp * self.dp
        if self.n_gpu % used:
            raise ValueError(
                f"n_gpu = {self.n_gpu} is outside its range: a multiple of tp × pp × dp = {used}"
            )
        if self.ep > self.tp * self.dp:
            raise ValueError(
                f"ep = {self.ep} is outside its range: 1 to tp × dp = {self.tp * self.dp}"
            )
        for name, known in (
            ("policy", ("", *POLICIES)),
            ("kv_precision", ("", *KV_PRECISIONS)),
            ("scheduling", ("", *SCHEDULINGS)),
        ):
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), filter(None, known))
        if self.engine:
            object.__setattr__(self, "engine", engine(self.engine).name)
        check_date(self.as_of)
        ends(positive, "software_maturity", self.software_maturity, MOST_MATURITY)
        for name in ("max_batch", "token_budget", *LAUNCH):
            if (value := getattr(self, name)) is not None:
                least = 0 if name in WAITS else 1
                object.__setattr__(self, name, count(name, value, least, 100_000_000))

    @property
    def resolved_accelerator(self) -> Accelerator:
        """The accelerator itself, whether it was given by name or as an object."""
        chip = self.accelerator
        return chip if isinstance(chip, Accelerator) else catalog.accelerator(chip)

    @functools.cached_property
    def launch(self) -> Engine:
        """The engine as it is started: its row, with the settings that this deployment names.

        >>> Deployment(accelerator="h100-sxm", engine="sglang", recv_interval=30).launch.policy
        'prefill_first'
        """
        row = engine(self.engine) if self.engine else Engine()
        names = ("policy", "max_batch", "scheduling", *LAUNCH)
        own = {name: value for name in names if (value := getattr(self, name)) not in (None, "")}
        prompts = own.get("prefill_budget_tokens", 0)
        budget = self.token_budget or max(row.token_budget, prompts)
        own["token_budget"] = budget
        own["prefill_budget_tokens"] = min(prompts or row.prefill_budget_tokens, budget)
        if self.token_budget and not prompts and row.policy == "chunked_prefill":
            own["prefill_budget_tokens"] = budget  # one setting there
        return dataclasses.replace(row, **own)

    @property
    def has_pools(self) -> bool:
        """Whether prompts and answers have machines of their own."""
        return self.policy == "disaggregated"

    @property
    def kv_bytes_per_element(self) -> float:
        """Bytes of a cached number: of the format named here, or of what the engine keeps."""
        return self.launch.kv_bytes_per_element(self.precision, self.kv_precision)

    @property
    def formats(self) -> tuple[Accelerator, str, float]:
        """What computes, in which format, and the bytes of a cached number."""
        return self.resolved_accelerator, self.precision, self.kv_bytes_per_element

    @property
    def serving(self) -> dict[str, Any]:
        """What it says of the load in the equations of a step (`econ.latency.steps.Load`).

        >>> serving = Deployment(accelerator="h100-sxm", engine="sglang").serving
        >>> serving["max_batch"], serving["launch"].is_prefill_first
        (inf, 1.0)
        """
        return {
            "max_batch": self.max_batch or float("inf"),
            "software_maturity": float(self.software_maturity),
            "launch": self.launch.launch,
        }

    def split(self, model: Model) -> Split:
        """How ``model`` is divided here."""
        parts = {name: getattr(self, name) for name in ("n_gpu", "tp", "pp", "dp", "ep")}
        return Split.of(float(model.is_moe), **parts)

    def row(self) -> dict[str, Any]:
        """The deployment as a row of the table that `econ.latency.predict_frame` takes.

        >>> row = Deployment(accelerator="h100-sxm", engine="sglang").row()
        >>> row["accelerator"].id, row["policy"], row["stream_interval"]
        ('h100-sxm', 'prefill_first', 1)
        """
        started = self.launch
        own = {"accelerator": self.resolved_accelerator, "max_batch": self.max_batch}
        own |= {name: getattr(started, name) for name in ("policy", "scheduling", *LAUNCH)}
        return {name: own[name] if name in own else getattr(self, name) for name in ROW}

    @property
    def accelerator_id(self) -> str:
        """The accelerator's name."""
        return self.resolved_accelerator.id

    def n_replicas(self, model: Model) -> int:
        """Independent replicas of ``model``: attention replicas of a mixture stand inside one."""
        return int(self.split(model).n_replicas)

    def check(self, model: Model) -> None:
        """Raise ``ValueError`` with the first rule that this model breaks on this split."""
        rules = split_rules(
            n_heads=model.n_heads,
            n_layers=model.n_layers,
            n_experts=model.n_experts,
            is_moe=model.is_moe,
            link=self.resolved_accelerator.scaleup_bandwidth_bytes_per_s or 0.0,
            n_gpu=self.n_gpu,
            tp=self.tp,
            pp=self.pp,
            ep=self.ep,
            dp=self.dp,
        )
        for broken, text in rules.values():
            if np.any(broken):
                raise ValueError(
                    text.format(
                        **{name: getattr(self, name) for name in ("n_gpu", "tp", "pp", "ep")},
                        used=self.tp * self.pp * self.dp,
                        shared=self.tp * self.dp,
                        n_heads=model.n_heads,
                        n_layers=model.n_layers,
                        n_experts=model.n_experts,
                        id=model.id,
                    )
                )


def split_rules(
    *,
    n_heads: Any,
    n_layers: Any,
    n_experts: Any,
    is_moe: Any,
    link: Any,
    n_gpu: Any,
    tp: Any,
    pp: Any,
    ep: Any,
    dp: Any,
) -> dict[str, tuple[Any, str]]:
    """Rules of a split, for one deployment or for arrays of them.

    Returns name → (true where the rule is broken, a format string that says what is possible).
    """
    used = tp * pp * dp
    return {
        "n_gpu": (
            np.mod(n_gpu, used) != 0,
            "n_gpu = {n_gpu:g} is outside its range: a multiple of tp × pp × dp = {used:g}",
        ),
        "tp": (
            np.mod(n_heads, tp) != 0,
            "tp = {tp:g} is outside its range: a divisor of the {n_heads:g} attention heads",
        ),
        "pp": (
            np.asarray(pp) > n_layers,
            "pp = {pp:g} is outside its range: 1 to the {n_layers:g} layers",
        ),
        "ep_dense": (
            (np.asarray(ep) > 1) & (np.asarray(is_moe) == 0),
            "ep = {ep:g} is outside its range: 1, a dense model has no experts",
        ),
        "ep": (
            (np.asarray(ep) > 1) & ((ep > n_experts) | (ep > tp * dp)),
            "ep = {ep:g} is outside its range: 1 to the lesser of {n_experts:g} experts and "
            "tp × dp = {shared:g}",
        ),
        "link": (
            (np.asarray(link) <= 0) & (used > 1),
            "the link bandwidth of this accelerator is unknown (scaleup_bandwidth_bytes_per_s), so "
            "it takes tp = pp = dp = 1, not {used:g} accelerators",
        ),
    }
