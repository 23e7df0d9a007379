"""What a server does step by step, for a few requests: the simulator's rules, one step at a time.

`econ.serving.simulate` jumps over runs of equal steps and says when each request began and ended.
A picture wants the steps themselves. The tests hold both to the same times.

>>> from econ.serving import Replica, StepCost
>>> replica = Replica(cost=StepCost.affine(0.01), kv_tokens=10_000, max_batch=2)
>>> [step.decoded for step in walk(Requests([0.0, 0.0], [10, 10], [2, 3]), replica)]
[(), (0, 1), (1,)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from econ.serving import Replica

Who = tuple[int, ...]  # requests by their position
Chunk = tuple[int, int]  # a request, and how many tokens of its prompt


class Requests(NamedTuple):
    """Requests in order of arrival: seconds, tokens in, tokens out."""

    arrival_s: Sequence[float]
    input_tokens: Sequence[int]
    output_tokens: Sequence[int]


@dataclass(frozen=True)
class Step:
    """One step: when, who gets a token by decoding, whose prompt is read (request, tokens)."""

    start_s: float
    end_s: float
    decoded: Who
    read: tuple[Chunk, ...]
    first: Who  # whose first token comes at its end


class _Server:
    """The state between steps."""

    def __init__(self, requests: Requests, replica: Replica):
        self.arrival_s, self.prompt, self.output = requests
        self.replica, self.time_s = replica, 0.0
        self.read = [0] * len(self.prompt)
        self.written = [0] * len(self.prompt)
        self.running: list[int] = []
        self.next = 0  # the first request that is not admitted

    def waits(self) -> bool:
        """Whether a request has arrived and is not admitted."""
        return self.next < len(self.prompt) and self.arrival_s[self.next] <= self.time_s

    def step(self, decoded: Sequence[int], read: Sequence[tuple[int, int]], seats: int = 0) -> Step:
        """Let time pass; ``seats``: how many sequences the decode costs, if more than decoded."""
        n_decode = max(len(decoded), seats)
        context = sum(self.prompt[i] + self.written[i] for i in decoded)
        chunks = [(self.read[i], n) for i, n in read]
        start_s = self.time_s
        self.time_s += self.replica.cost.step_s(
            n_decode=n_decode, context_tokens=context, chunk_tokens=chunks
        )
        for i in decoded:
            self.written[i] += 1
        first = []
        for i, n in read:
            self.read[i] += n
            if self.read[i] == self.prompt[i]:
                self.written[i] = 1
                first.append(i)
        self.running = [i for i in [*self.running, *first] if self.written[i] < self.output[i]]
        return Step(start_s, self.time_s, tuple(decoded), tuple(read), tuple(first))

    def over(self) -> bool:
        """Whether all is written."""
        return all(w >= n for w, n in zip(self.written, self.output, strict=True))


def walk(requests: Requests, replica: Replica) -> list[Step]:
    """Every step of a replica with ample memory, by its policy.

    Parameters
    ----------
    requests : Requests
        In order of arrival.
    replica : Replica
        Its ``policy`` (prefill_first or chunked_prefill), ``max_batch`` and ``token_budget`` hold.
    """
    server, prompt = _Server(requests, replica), requests.input_tokens
    partial: tuple[int, int] | None = None  # a prompt that is being read: request, tokens left
    steps = []
    while not server.over():
        if not server.running and partial is None and not server.waits():
            server.time_s = requests.arrival_s[server.next]
        chunked = replica.policy == "chunked_prefill"
        decoded = list(server.running)
        n_seated = len(decoded) + (partial is not None)
        left = replica.token_budget - (len(decoded) if chunked else 0)
        read: list[tuple[int, int]] = []
        if partial is not None and left > 0:
            i, rest = partial
            read.append((i, min(left, rest)))
            left -= read[-1][1]
            partial = (i, rest - read[-1][1]) if rest > read[-1][1] else None
        while partial is None and left > 0 and server.waits() and n_seated < replica.max_batch:
            i = server.next
            if not chunked and read and prompt[i] > left:
                break
            n = min(left, prompt[i]) if chunked else prompt[i]
            read.append((i, n))
            left -= n
            partial = (i, prompt[i] - n) if n < prompt[i] else None
            server.next += 1
            n_seated += 1
        if not chunked and read:
            decoded = []
        steps.append(server.step(decoded, read))
    return steps


def walk_static(requests: Requests, replica: Replica) -> list[Step]:
    """The same with static batches: the next begins when the longest answer of this one ends.

    The seats of answers that have ended stay in the batch and cost what they did.
    """
    server = _Server(requests, replica)
    steps = []
    while not server.over():
        if not server.waits():
            server.time_s = requests.arrival_s[server.next]
        batch: list[int] = []
        while server.waits() and len(batch) < replica.max_batch:
            batch.append(server.next)
            server.next += 1
        steps.append(server.step([], [(i, requests.input_tokens[i]) for i in batch]))
        while server.running:
            steps.append(server.step(list(server.running), [], seats=len(batch)))
    return steps
