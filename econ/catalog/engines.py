"""Serving engines, a row of ``data/latency/engines.csv`` each: what software adds to the physics.

>>> engine("TensorRT-LLM").name
'trtllm'
>>> engine("sglang").policy
'prefill_first'
>>> engine("lmdeploy")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown engine 'lmdeploy'; known: vllm, sglang, trtllm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from econ.catalog.guard import unknown
from econ.catalog.precision import UNQUANTISED_BYTES, bytes_per_element
from econ.catalog.tables import remember, table


class Launch(NamedTuple):
    """How an engine was started, as numbers (or arrays of them, for many): see `Engine`."""

    recv_interval: Any = 1.0
    stream_interval: Any = 1.0
    dp_wait_steps: Any = 0.0
    batch_wait_steps: Any = 0.0
    prefill_budget_tokens: Any = 2048.0
    is_sync: Any = 0.0
    is_prefill_first: Any = 0.0


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The habits of a serving engine, or of one as it was started.

    Parameters
    ----------
    name, title : str
        Its name here and in print.
    policy : str
        How its scheduler shares a step: chunked_prefill or prefill_first.
    quantised_kv_precision : str
        Format of the KV cache that it pairs with quantised weights unless it is told another;
        weights of 16 or 32 bits come with a cache of as many.
    first_token_s : float
        Time that its host adds to each first token, e.g. 0.012.
    n_wait_steps : float
        Steps from the arrival of a request until its first token leaves, beside its own prompt.
    opening_s : float
        Time that the first requests of a run wait in addition where nothing was answered before
        (code is compiled, caches are filled), e.g. 1.
    host_s_per_sequence : float
        The least that a step takes per running sequence, set by the one process that hands out
        tokens, e.g. 60 µs.
    max_batch, token_budget : int
        Sequences of a replica at a time and tokens of a step, e.g. 256 and 8192.
    prefill_budget_tokens : int
        Prompt tokens that are read in one go, e.g. 8192; no more than the tokens of a step.
    stream_interval : int
        Tokens of an answer that are sent together; the first one leaves at once.
    recv_interval : int
        Decode steps after which the scheduler looks for new requests.
    dp_wait_steps : int
        Decode steps for which an attention replica holds a prompt back until the others have one.
    batch_wait_steps : int
        Decode steps for which a prompt is held back so that others may be read with it.
    scheduling : str
        async: the host prepares a step while the accelerator computes; sync: each waits for the
        other.
    """

    name: str = ""
    title: str = ""
    policy: str = "chunked_prefill"
    quantised_kv_precision: str = "bf16"
    first_token_s: float = 0.0
    n_wait_steps: float = 0.0
    opening_s: float = 0.0
    host_s_per_sequence: float = 0.0
    max_batch: int = 256
    token_budget: int = 2048
    prefill_budget_tokens: int = 2048
    stream_interval: int = 1
    recv_interval: int = 1
    dp_wait_steps: int = 0
    batch_wait_steps: int = 0
    scheduling: str = "async"
    source: str = ""

    @property
    def is_sync(self) -> bool:
        """Whether host and accelerator wait for each other."""
        return self.scheduling == "sync"

    @property
    def is_prefill_first(self) -> bool:
        """Whether whole prompts go before any decode."""
        return self.policy == "prefill_first"

    @property
    def launch(self) -> Launch:
        """Its settings as the equations of a step take them."""
        return Launch(*(float(getattr(self, name)) for name in Launch._fields))

    def kv_bytes_per_element(self, precision: str, kv_precision: str = "") -> float:
        """Bytes of a cached number under weights of ``precision``.

        >>> engine("trtllm").kv_bytes_per_element("fp8"), engine("vllm").kv_bytes_per_element("fp8")
        (1.0, 2.0)
        """
        if kv_precision:
            return bytes_per_element(kv_precision)
        if bytes_per_element(precision) < UNQUANTISED_BYTES:
            return bytes_per_element(self.quantised_kv_precision)
        return max(bytes_per_element(precision), UNQUANTISED_BYTES)


SCHEDULINGS = ("async", "sync")
WAITS = ("dp_wait_steps", "batch_wait_steps")  # may be 0
LAUNCH = ("stream_interval", "recv_interval", *WAITS, "prefill_budget_tokens")


def engine_names() -> tuple[str, ...]:
    """The names of the engines that have a row."""
    return tuple(engines())


def engine(name: str) -> Engine:
    """The engine of that name; spelling, hyphens and common aliases do not matter.

    Raises `UnknownName` with the known ones where there is no such row.
    """
    row = find_engine(name)
    if row is None:
        raise unknown("engine", name, engine_names())
    return row


def find_engine(name: object) -> Engine | None:
    """The engine of that name, or None: for tables, which may hold any text."""
    known: dict[str, Engine] = engines()
    return known.get(_spellings().get(_plain(str(name)), ""))


@remember
def engines() -> dict[str, Engine]:
    """Every engine by name."""
    return {
        row.name: Engine(
            name=row.name,
            title=row.title,
            policy=row.policy,
            quantised_kv_precision=row.quantised_kv_precision,
            first_token_s=float(row.first_token_s),
            n_wait_steps=float(row.n_wait_steps),
            opening_s=float(row.opening_s),
            host_s_per_sequence=float(row.host_s_per_sequence),
            max_batch=int(row.max_batch),
            token_budget=int(row.token_budget),
            prefill_budget_tokens=int(row.prefill_budget_tokens),
            stream_interval=int(row.stream_interval),
            recv_interval=int(row.recv_interval),
            dp_wait_steps=int(row.dp_wait_steps),
            batch_wait_steps=int(row.batch_wait_steps),
            scheduling=row.scheduling,
            source=row.source,
        )
        for row in table("engines").itertuples()
    }


@remember
def _spellings() -> dict[str, str]:
    rows = table("engines")
    return {
        _plain(word): name
        for name, words in zip(rows["name"], rows["aliases"], strict=True)
        for word in (name, *words.split())
    }


def _plain(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "").replace(" ", "")
