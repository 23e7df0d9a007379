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

from econ.catalog.guard import unknown
from econ.catalog.precision import UNQUANTISED_BYTES, bytes_per_element
from econ.catalog.tables import remember, table


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The habits of a serving engine.

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
    prefill_wait_frac : float
        Of the time in which others' prompts are read, the share that falls before a request's own
        first token; the rest stretches its later tokens.
    host_s_per_sequence : float
        The least that a step takes per running sequence, set by the one process that hands out
        tokens, e.g. 60 µs.
    max_batch, token_budget : int
        Sequences of a replica at a time and tokens of a step where a deployment names none.
    """

    name: str = ""
    title: str = ""
    policy: str = "chunked_prefill"
    quantised_kv_precision: str = "bf16"
    first_token_s: float = 0.0
    prefill_wait_frac: float = 0.0
    host_s_per_sequence: float = 0.0
    max_batch: int = 256
    token_budget: int = 8192
    source: str = ""

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
            prefill_wait_frac=float(row.prefill_wait_frac),
            host_s_per_sequence=float(row.host_s_per_sequence),
            max_batch=int(row.max_batch),
            token_budget=int(row.token_budget),
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
