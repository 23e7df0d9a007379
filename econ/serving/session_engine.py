"""The event-skipping engine of sessions: turns that wait for each other, over caches that are full.

One source, two speeds: plain Python over lists, or numba's machine code (`econ.serving.compiled`);
``_sessions.c`` says the same in C.
Time is int64 picoseconds, so the engine equals one that goes token by token to the integer (the
tests hold such an engine). At each moment three things happen in this order: runs of steps that
end, by replica; events (arrivals, loads, patience, replicas), by number; then replicas without a
run start one. A run of m equal steps takes m·base + slope·m(m − 1)/2; what happens meanwhile cuts
it at the next boundary of a step.

`session_fields` names the numbers, `session_cache` keeps what was answered, `session_steps` takes
the steps of a replica, `session_routing` chooses one; here turns ask and wait for each other, and
replicas come and go.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

from econ.serving.engine import FOREVER
from econ.serving.session_cache import clear
from econ.serving.session_fields import (
    ALONE,
    ALONE_SLOPE,
    ARRIVAL,
    ASKED,
    BASE,
    BATCH,
    BEGAN,
    CONTEXT,
    CONTROL,
    DRAINING,
    DROPPED,
    FAILED,
    FOLLOW,
    HEAD,
    IDLE,
    LAST_ASKED,
    LEFT,
    LIMBO,
    LIMBO_END,
    LOAD,
    LOADED,
    LOADING,
    LOOK,
    MAX_BATCH,
    MOMENTS,
    MOST,
    N_REP,
    N_TURN,
    NEXT_AT,
    NEXT_END,
    OFF,
    ON,
    PATIENCE,
    PATIENT,
    PRIORITIES,
    PRIORITY,
    QUEUED,
    READ_PS,
    READY,
    REPLICA,
    REPLICAS,
    RUNNING,
    SLOPE,
    START,
    STATE,
    STATUS,
    STOPPED,
    TURNS,
    UNTIL,
    WAITING,
    WRITE_PS,
    WRITING,
)
from econ.serving.session_routing import route, scale, switch
from econ.serving.session_steps import (
    admit,
    begin,
    cut,
    finish,
    n_steps_until,
    read_next,
    settle,
)


def enqueue(i: Any, now: Any, events: Any, turns: Any, reps: Any, tree: Any, entries: Any,
            caches: Any, nums: Any, heads: Any, tails: Any, run_end: Any, by_end: Any,
            par: Any) -> int:  # fmt: skip
    """A turn asks: it goes to a replica's queue, or waits until one is on. The replica, or −1."""
    t, n_prio = i * N_TURN, par[PRIORITIES]
    if turns[t + ASKED] < 0:
        turns[t + ASKED] = now
    turns[t + LAST_ASKED] = now
    turns[t + STATUS] = QUEUED
    turns[t + FOLLOW] = -1
    if turns[t + PATIENT] < FOREVER:
        heappush(events, (now + turns[t + PATIENT], PATIENCE * par[TURNS] + i))
    r = route(i, now, turns, reps, tree, entries, caches, nums, par)
    turns[t + REPLICA] = r
    if r < 0:
        if nums[LIMBO] < 0:
            nums[LIMBO] = i
        else:
            turns[nums[LIMBO_END] * N_TURN + FOLLOW] = i
        nums[LIMBO_END] = i
        return r
    better = False  # somebody who goes first waits already: nothing changes at the next boundary
    for p in range(turns[t + PRIORITY] + 1):
        better = better or heads[r * n_prio + p] >= 0
    q = r * n_prio + turns[t + PRIORITY]
    if heads[q] < 0:
        heads[q] = i
    else:
        turns[tails[q] * N_TURN + FOLLOW] = i
    tails[q] = i
    reps[r * N_REP + WAITING] += 1
    reps[r * N_REP + LOAD] += 1
    if not better and reps[r * N_REP + RUNNING] < par[MAX_BATCH]:
        cut(r, now, reps, run_end, by_end)
    return r


def drop(i: Any, turns: Any, follow: Any, nums: Any) -> None:
    """A turn is given up, and with it all that waited for it."""
    turns[i * N_TURN + STATUS] = DROPPED
    nums[LEFT] -= 1
    heap = [i]
    while len(heap) > 0:
        t = heap.pop() * N_TURN
        for j in range(turns[t + NEXT_AT], turns[t + NEXT_END]):
            s = follow[j]
            if turns[s * N_TURN + STATUS] == IDLE:
                turns[s * N_TURN + STATUS] = DROPPED
                nums[LEFT] -= 1
                heap.append(s)


def fail(r: Any, now: Any, events: Any, heap: Any, turns: Any, reps: Any, entries: Any,
         caches: Any, heads: Any, run_end: Any, by_end: Any, par: Any) -> None:  # fmt: skip
    """A replica is lost: its cache is gone, and its turns ask again elsewhere."""
    k = r * N_REP
    if run_end[r] < FOREVER:  # the step under way is lost, those of its run before it are not
        took = now - reps[k + BEGAN]
        m = n_steps_until(reps[k + BASE], reps[k + SLOPE], took + 1) - 1
        alone_ps = m * reps[k + ALONE] + reps[k + ALONE_SLOPE] * (m * (m - 1) // 2)
        reps[k + WRITE_PS] += alone_ps
        reps[k + READ_PS] += took - alone_ps
    switch(r, FAILED, now, reps)
    run_end[r] = FOREVER
    settle(by_end, run_end, r)
    while len(heap) > 0:
        heappop(heap)
    for f in (CONTEXT, BATCH, RUNNING, WAITING, LOAD):
        reps[k + f] = 0
    reps[k + HEAD] = -1
    for p in range(par[PRIORITIES]):
        heads[r * par[PRIORITIES] + p] = -1
    for i in range(par[TURNS]):
        t = i * N_TURN
        if turns[t + REPLICA] == r and QUEUED <= turns[t + STATUS] <= WRITING:
            turns[t + STATUS] = IDLE
            heappush(events, (now, i))
    clear(r, entries, caches, par)


def control(x: Any, now: Any, events: Any, heaps: Any, turns: Any, reps: Any, entries: Any,
            caches: Any, nums: Any, heads: Any, outages: Any, run_end: Any, by_end: Any,
            par: Any) -> None:  # fmt: skip
    """A replica comes up (after its start or an outage) or fails."""
    n_rep, n_outages = par[REPLICAS], len(outages) // 3
    j = x - 1 - n_rep  # of an outage: it begins; n_outages on: it ends
    if 0 <= j < n_outages:
        r = outages[3 * j]
        if reps[r * N_REP + STATE] == ON or reps[r * N_REP + STATE] == DRAINING:
            fail(r, now, events, heaps[r], turns, reps, entries, caches, heads, run_end, by_end,
                 par)  # fmt: skip
            heappush(events, (outages[3 * j + 2], CONTROL * par[TURNS] + x + n_outages))
        return
    switch(x - 1 if j < 0 else outages[3 * (j - n_outages)], ON, now, reps)
    i = nums[LIMBO]
    nums[LIMBO] = -1
    while i >= 0:  # those without a replica ask again
        if turns[i * N_TURN + STATUS] == QUEUED:
            turns[i * N_TURN + STATUS] = IDLE
            heappush(events, (now, i))
        i = turns[i * N_TURN + FOLLOW]


def run_sessions(turns: Any, follow: Any, reps: Any, tree: Any, entries: Any, caches: Any,
                 nums: Any, heads: Any, tails: Any, links: Any, linear: Any, decode_base: Any,
                 decode_ctx: Any, roots: Any, auto: Any, outages: Any, run_end: Any, by_end: Any,
                 par: Any) -> None:  # fmt: skip
    """Serve all turns; the results stand in ``turns``, ``reps`` and ``caches``."""
    n, n_rep = par[TURNS], par[REPLICAS]
    heaps = [[FOREVER] for _ in range(n_rep)]
    for heap in heaps:
        heap.pop()
    events = [(FOREVER, 0)]
    events.pop()
    ready = [FOREVER]  # replicas that may start a run now
    ready.pop()
    if auto[LOOK] > 0:
        heappush(events, (auto[LOOK], CONTROL * n))
    for j in range(len(outages) // 3):
        heappush(events, (outages[3 * j + 1], CONTROL * n + 1 + n_rep + j))
    n_roots, at_root, now = len(roots), 0, 0
    next_root = turns[roots[0] * N_TURN + START]
    while nums[LEFT] > 0:
        now = min(run_end[by_end[1]], next_root)
        if len(events) > 0:
            now = min(now, events[0][0])
        nums[MOMENTS] += 1
        if now >= nums[UNTIL] or nums[MOMENTS] > nums[MOST]:
            nums[STOPPED] = 1
            break
        while run_end[by_end[1]] == now:
            r = by_end[1]
            run_end[r] = FOREVER
            settle(by_end, run_end, r)
            finish(r, now, events, heaps[r], turns, follow, reps, tree, entries, caches, nums, par)
            heappush(ready, r)
        while next_root == now:
            heappush(events, (now, roots[at_root]))
            at_root += 1
            next_root = turns[roots[at_root] * N_TURN + START] if at_root < n_roots else FOREVER
        while len(events) > 0 and events[0][0] == now:
            key = heappop(events)[1]
            kind, i, r = key // n, key % n, -1
            t = i * N_TURN
            if kind == ARRIVAL:
                if turns[t + STATUS] == IDLE:
                    r = enqueue(i, now, events, turns, reps, tree, entries, caches, nums, heads,
                                tails, run_end, by_end, par)  # fmt: skip
            elif kind == LOADED:
                if turns[t + STATUS] == LOADING and turns[t + READY] == now:
                    r = turns[t + REPLICA]
                    read_next(i, r, turns, reps)
                    cut(r, now, reps, run_end, by_end)
            elif kind == PATIENCE:
                if (
                    turns[t + STATUS] == QUEUED
                    and turns[t + LAST_ASKED] + turns[t + PATIENT] == now
                ):
                    r = turns[t + REPLICA]
                    drop(i, turns, follow, nums)
                    if r >= 0:
                        reps[r * N_REP + WAITING] -= 1
                        reps[r * N_REP + LOAD] -= 1
                        cut(r, now, reps, run_end, by_end)
            elif key == CONTROL * n:
                r = scale(now, events, reps, auto, par)
            else:
                control(key - CONTROL * n, now, events, heaps, turns, reps, entries, caches, nums,
                        heads, outages, run_end, by_end, par)  # fmt: skip
            if r >= 0 and run_end[r] == FOREVER:
                heappush(ready, r)
        while len(ready) > 0:
            r = heappop(ready)
            state = reps[r * N_REP + STATE]
            if run_end[r] < FOREVER or (state != ON and state != DRAINING):
                continue
            recheck = admit(r, now, events, turns, reps, tree, entries, caches, heads, links,
                            linear, par)  # fmt: skip
            begin(r, now, recheck, heaps[r], turns, reps, linear, decode_base, decode_ctx, run_end,
                  by_end, par)  # fmt: skip
            if state == DRAINING and reps[r * N_REP + LOAD] == 0:
                switch(r, OFF, now, reps)
                clear(r, entries, caches, par)
    for r in range(n_rep):
        switch(r, reps[r * N_REP + STATE], now, reps)
