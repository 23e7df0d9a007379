"""Which replica takes a turn of the session engine, and how many replicas are on."""

from __future__ import annotations

from heapq import heappush
from typing import Any

from econ.serving.engine import FOREVER
from econ.serving.session_cache import hit
from econ.serving.session_fields import (
    BLOCK,
    BRANCH,
    BRANCHES,
    COLD,
    CONTROL,
    DOWN,
    DRAINING,
    LEAST,
    LOAD,
    LOOK,
    LOT,
    N_REP,
    N_TURN,
    OF_TIERS,
    OFF,
    ON,
    ON_PS,
    PREFIX_AWARE,
    PROMPT,
    RANDOM,
    REPLICAS,
    ROUND,
    ROUND_ROBIN,
    RULE,
    SINCE,
    SLACK,
    STARTING,
    STATE,
    TIERS,
    TURNS,
    UP,
    WAITING,
)


def route(i: Any, now: Any, turns: Any, reps: Any, tree: Any, entries: Any, caches: Any,
          nums: Any, par: Any) -> int:  # fmt: skip
    """The replica that takes a turn, or −1 where none is on."""
    n_rep, rule, n = par[REPLICAS], par[RULE], par[BRANCHES]
    n_on, least = 0, FOREVER
    for r in range(n_rep):
        if reps[r * N_REP + STATE] == ON:
            n_on += 1
            least = min(least, reps[r * N_REP + LOAD])
    if n_on == 0:
        return -1
    if rule in (ROUND_ROBIN, RANDOM):
        k = (nums[ROUND] if rule == ROUND_ROBIN else turns[i * N_TURN + LOT]) % n_on
        nums[ROUND] += 1
        for r in range(n_rep):
            if reps[r * N_REP + STATE] == ON:
                if k == 0:
                    return r
                k -= 1
    chosen, longest, load_then = -1, -1, FOREVER
    most = (turns[i * N_TURN + PROMPT] - 1) // par[BLOCK]
    leaf = turns[i * N_TURN + BRANCH]
    for r in range(n_rep):
        load = reps[r * N_REP + LOAD]
        if reps[r * N_REP + STATE] != ON or load > least + par[SLACK]:
            continue
        blocks = 0
        if rule == PREFIX_AWARE:
            for k in range(par[TIERS] + 1):
                if k == 0 or not par[OF_TIERS + k - 1]:
                    c = n_rep * k + r
                    blocks = max(blocks, hit(c, leaf, most, now, tree, entries, caches, n))
            if 2 * blocks < most:  # what all share is no reason to go where others went
                blocks = 0
        if blocks > longest or (blocks == longest and load < load_then):
            chosen, longest, load_then = r, blocks, load
    return chosen


def switch(r: Any, state: Any, now: Any, reps: Any) -> None:
    """Change the state of a replica; paid are all but OFF and FAILED."""
    k = r * N_REP
    if STARTING <= reps[k + STATE] <= DRAINING:
        reps[k + ON_PS] += now - reps[k + SINCE]
    reps[k + STATE], reps[k + SINCE] = state, now


def scale(now: Any, events: Any, reps: Any, auto: Any, par: Any) -> int:
    """One look of the autoscaler: start or drain at most one replica; the one drained, or −1."""
    n_on, n_start, n_wait, n_load = 0, 0, 0, 0
    last_on, last_draining, first_off = -1, -1, -1
    for r in range(par[REPLICAS]):
        k = r * N_REP
        n_wait += reps[k + WAITING]
        n_load += reps[k + LOAD]
        if reps[k + STATE] == ON:
            n_on += 1
            last_on = r
        elif reps[k + STATE] == STARTING:
            n_start += 1
        elif reps[k + STATE] == DRAINING:
            last_draining = r
        elif reps[k + STATE] == OFF and first_off < 0:
            first_off = r
    heappush(events, (now + auto[LOOK], CONTROL * par[TURNS]))
    if n_wait > auto[UP] * (n_on + n_start):
        if last_draining >= 0:
            switch(last_draining, ON, now, reps)
        elif first_off >= 0:
            switch(first_off, STARTING, now, reps)
            heappush(events, (now + auto[COLD], CONTROL * par[TURNS] + 1 + first_off))
        return -1
    if n_on > auto[LEAST] and n_start == 0 and n_wait == 0 and n_load <= auto[DOWN] * (n_on - 1):
        switch(last_on, DRAINING, now, reps)
        return last_on
    return -1
