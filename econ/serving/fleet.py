"""What serves sessions: replicas with a prefix cache in tiers, a router, an autoscaler, outages.

>>> host = Tier("host", capacity_bytes=1e12, read_bytes_per_s=50e9, latency_s=1e-4)
>>> host.replace(capacity_bytes=-1)
Traceback (most recent call last):
    ...
ValueError: host: capacity_bytes = -1 is outside its range: a finite number above 0
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from econ.catalog.guard import count, not_negative, one_of, positive
from econ.catalog.tables import row_of
from econ.catalog.units import DAY_S
from econ.serving.checks import MAX_TIME_S
from econ.serving.replicas import Replica

ROUTINGS = ("round_robin", "random", "least_loaded", "prefix_aware")


@dataclass(frozen=True)
class Tier:
    """A memory below that of the accelerators which keeps the KV cache of what was answered.

    Each turn is written through when it ends, so a tier loses nothing that the one above evicts.

    Parameters
    ----------
    name : str
        What a table calls it, e.g. ``"host"``.
    capacity_bytes : float
        Of one replica, or of all where it is ``shared``, e.g. 1e12.
    read_bytes_per_s : float
        Bandwidth at which one replica reads it, e.g. 50e9 over PCIe 5.
    latency_s : float
        Until the first byte, e.g. 1e-4.
    ttl_s : float, optional
        How long an entry lives after its last use; None for as long as there is room.
    shared : bool
        Whether all replicas see the same entries, as over a network.
    """

    name: str
    capacity_bytes: float
    read_bytes_per_s: float
    latency_s: float = 0.0
    ttl_s: float | None = None
    shared: bool = False

    def __post_init__(self) -> None:
        positive(f"{self.name}: capacity_bytes", self.capacity_bytes)
        positive(f"{self.name}: read_bytes_per_s", self.read_bytes_per_s)
        not_negative(f"{self.name}: latency_s", self.latency_s, DAY_S)
        if self.ttl_s is not None:
            positive(f"{self.name}: ttl_s", self.ttl_s, MAX_TIME_S)

    def replace(self, **changes: Any) -> Tier:
        """The same tier with some settings changed."""
        return dataclasses.replace(self, **changes)


def tier(name: str, n_gpu: int = 1) -> Tier:
    """A tier of ``data/serving/tiers.csv`` for a replica of so many accelerators.

    Parameters
    ----------
    name : str
        host, disk or store.
    n_gpu : int
        Accelerators of a replica, which read side by side; each brings its share of the host.

    Examples
    --------
    >>> tier("host", n_gpu=4).read_bytes_per_s
    200000000000.0
    """
    row, n = row_of("tiers", name, "tier"), count("n_gpu", n_gpu, 1, 1e6)
    is_shared = bool(row.shared)
    return Tier(
        name,
        float(row.capacity_bytes) * (1 if is_shared else n),
        float(row.read_bytes_per_s) * n,
        float(row.latency_s),
        shared=is_shared,
    )


@dataclass(frozen=True, kw_only=True)
class Autoscale:
    """A rule that starts and drains replicas, one a look.

    Parameters
    ----------
    n_least : int
        Replicas that are always on.
    n_waiting_up : int
        A replica starts where more turns than this wait per replica, e.g. 5.
    n_load_down : int
        One is drained where nothing waits and the rest would have no more unfinished turns each.
    cold_start_s : float
        From the decision until it serves, e.g. 165.
    look_s : float
        Between two looks, e.g. 15.
    """

    n_least: int = 1
    n_waiting_up: int = 5
    n_load_down: int = 4
    cold_start_s: float = 165.0
    look_s: float = 15.0

    def __post_init__(self) -> None:
        for name, low in (("n_least", 1), ("n_waiting_up", 0), ("n_load_down", 0)):
            object.__setattr__(self, name, count(name, getattr(self, name), low, 1e6))
        not_negative("cold_start_s", self.cold_start_s, DAY_S)
        positive("look_s", self.look_s, DAY_S)


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A replica that fails: its cache is lost, and its turns ask again elsewhere.

    Parameters
    ----------
    replica : int
        Its number, from 0.
    from_s, to_s : float
        When it fails, and when it serves again.
    """

    replica: int
    from_s: float
    to_s: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "replica", count("replica", self.replica, 0, 1e5))
        positive("from_s", self.from_s, MAX_TIME_S)
        positive("to_s", self.to_s, MAX_TIME_S)
        if self.to_s <= self.from_s:
            raise ValueError(f"to_s = {self.to_s} is outside its range: above {self.from_s}")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Replicas behind a router that serve sessions.

    Parameters
    ----------
    replica : Replica
        One of the equal replicas; ``n_replicas`` is their number, the most where they scale.
        Prompts are read in chunks; ``routing`` and ``prefix_cached_frac`` of a `Replica` have no
        meaning here: the hit share comes out.
    kv_bytes_per_token : float
        Size of a token in the cache, e.g. 160e3; needed for tiers.
    tiers : tuple of Tier
        Below the accelerators' memory, the fastest first.
    routing : str
        round_robin, random, least_loaded, or prefix_aware: to the replica that holds the longest
        prefix (half of the prompt or more; else the least loaded), among those with at most
        ``n_slack`` more unfinished turns than the least loaded.
    n_slack : int
        As said; without a meaning for the other rules.
    cached : bool
        Whether the accelerators' memory keeps what was answered.
    ttl_s : float, optional
        How long an entry there lives after its last use; None for as long as there is room.
    autoscale : Autoscale, optional
        None for all replicas on all the time.
    outages : tuple of Outage
        Failures of replicas.
    retry_s : float
        Pause before a failed call is sent again.
    """

    replica: Replica
    kv_bytes_per_token: float = 0.0
    tiers: tuple[Tier, ...] = ()
    routing: str = "prefix_aware"
    n_slack: int = 4
    cached: bool = True
    ttl_s: float | None = None
    autoscale: Autoscale | None = None
    outages: tuple[Outage, ...] = ()
    retry_s: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.replica, Replica):
            raise TypeError(f"replica = {self.replica!r} is not a Replica")
        if self.replica.policy != "chunked_prefill" or self.replica.speculation:
            raise ValueError(
                f"policy = {self.replica.policy!r}, speculation = {self.replica.speculation}: "
                "sessions are simulated with chunked_prefill and without speculation"
            )
        one_of("routing", self.routing, ROUTINGS)
        object.__setattr__(self, "n_slack", count("n_slack", self.n_slack, 0, 1e9))
        not_negative("retry_s", self.retry_s, DAY_S)
        if self.ttl_s is not None:
            positive("ttl_s", self.ttl_s, MAX_TIME_S)
        block_bytes = self.kv_bytes_per_token * self.replica.block_tokens
        if self.tiers:
            positive("kv_bytes_per_token", self.kv_bytes_per_token)
        for tier in self.tiers:
            if tier.capacity_bytes < block_bytes:
                raise ValueError(
                    f"{tier.name}: capacity_bytes = {tier.capacity_bytes:g} is outside its range: "
                    f"at least one block of {block_bytes:g} bytes"
                )
        for outage in self.outages:
            count("replica", outage.replica, 0, self.replica.n_replicas - 1)
        if self.autoscale is not None:
            count("n_least", self.autoscale.n_least, 1, self.replica.n_replicas)

    def replace(self, **changes: Any) -> Fleet:
        """The same fleet with some settings changed."""
        return dataclasses.replace(self, **changes)
