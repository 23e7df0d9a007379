"""The steps of a replica in the session engine: who is admitted, what a step does, who is done.

A run of m equal steps takes m·base + slope·m(m − 1)/2, and what happens meanwhile cuts it at the
next boundary of a step. A turn reserves the blocks of its whole answer when it is admitted, so
nothing is preempted; the head of the queue that does not fit waits for a completion.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import sqrt
from typing import Any

from econ.serving.engine import FOREVER
from econ.serving.session_cache import (
    complete,
    evict,
    expire,
    hit,
    recompute_ps,
    tier_of,
    touch,
    unlink,
)
from econ.serving.session_fields import (
    ADMITTED,
    ALONE,
    ALONE_SLOPE,
    ATTEMPTS,
    BASE,
    BATCH,
    BEGAN,
    BLOCK,
    BLOCKS,
    BRANCH,
    BRANCHES,
    BUDGET,
    COMPUTED,
    CONTEXT,
    EVICTED,
    FIRST,
    FOLLOW,
    FROM,
    HBM_READ,
    HEAD,
    LOAD_READ,
    LOADED,
    LOADING,
    LOOSE,
    MAX_BATCH,
    N_CACHE,
    N_DECODED,
    N_ENTRY,
    N_FRESH,
    N_REP,
    N_TREE,
    N_TURN,
    OF_TIERS,
    OUT,
    PARENT,
    PINS,
    PRE_BASE,
    PRE_PAIR,
    PRIORITIES,
    PRIVATE,
    PROMPT,
    QUEUED,
    READ,
    READ_PS,
    READING,
    READY,
    REPLICAS,
    ROOM,
    RUN_STEPS,
    RUNNING,
    SLOPE,
    STATUS,
    TAIL,
    TAKE,
    TIERS,
    TURNS,
    UNREAD,
    USED,
    WAITING,
    WRITE_PS,
    WRITING,
)


def settle(tree: Any, key: Any, r: Any) -> None:
    """Play leaf ``r``'s matches up to ``tree[1]``: the least key wins, the first on a tie."""
    k = (len(tree) // 2 + r) // 2
    while k > 0:
        a, b = tree[2 * k], tree[2 * k + 1]
        winner = a if key[a] <= key[b] else b
        if tree[k] == winner and winner != r:
            break
        tree[k] = winner
        k //= 2


def n_steps_until(base: Any, slope: Any, time: Any) -> int:
    """The least number of steps, at least 1, that take ``time`` or longer."""
    half = base - slope / 2
    m = max(int(2 * time / (half + sqrt(half * half + 2.0 * slope * time))), 1)
    while m * base + slope * (m * (m - 1) // 2) < time:
        m += 1
    while m > 1 and (m - 1) * base + slope * ((m - 1) * (m - 2) // 2) >= time:
        m -= 1
    return m


def cut(r: Any, now: Any, reps: Any, run_end: Any, by_end: Any) -> None:
    """End the run of a replica at the first boundary of a step from now on."""
    k = r * N_REP
    if run_end[r] == FOREVER or reps[k + RUN_STEPS] == 1:
        return
    base, slope = reps[k + BASE], reps[k + SLOPE]
    m = n_steps_until(base, slope, now - reps[k + BEGAN])
    if m < reps[k + RUN_STEPS]:
        reps[k + RUN_STEPS] = m
        run_end[r] = reps[k + BEGAN] + m * base + slope * (m * (m - 1) // 2)
        settle(by_end, run_end, r)


def read_next(i: Any, r: Any, turns: Any, reps: Any) -> None:
    """Put a turn at the end of those whose prompt a replica reads."""
    t, k = i * N_TURN, r * N_REP
    turns[t + STATUS] = READING
    turns[t + FOLLOW] = -1
    if reps[k + HEAD] < 0:
        reps[k + HEAD] = i
    else:
        turns[reps[k + TAIL] * N_TURN + FOLLOW] = i
    reps[k + TAIL] = i


def admit(r: Any, now: Any, events: Any, turns: Any, reps: Any, tree: Any, entries: Any,
          caches: Any, heads: Any, links: Any, linear: Any, par: Any) -> int:  # fmt: skip
    """Let in what waits and fits; when a turn that does not fit should be looked at again."""
    n, n_prio, block, n_rep = par[BRANCHES], par[PRIORITIES], par[BLOCK], par[REPLICAS]
    k, own_cache, row = r * N_REP, r * N_CACHE, r * (n + 1)
    while reps[k + RUNNING] < par[MAX_BATCH]:
        q = r * n_prio
        while q < (r + 1) * n_prio and heads[q] < 0:
            q += 1
        if q == (r + 1) * n_prio:
            break
        i = heads[q]
        t = i * N_TURN
        if turns[t + STATUS] != QUEUED:  # gave up
            heads[q] = turns[t + FOLLOW]
            continue
        leaf = turns[t + BRANCH]
        total = (turns[t + PROMPT] + turns[t + OUT] + block - 2) // block
        soonest = expire(r, leaf, now, tree, entries, caches, n)
        n_hit = hit(r, leaf, total, now, tree, entries, caches, n)
        own, x, end = 0, leaf, total
        while x >= 0:
            at, start = (row + x) * N_ENTRY, tree[x * N_TREE + FROM]
            if entries[at + PINS] == 0:
                own += min(entries[at + BLOCKS], end - start)
            end, x = start, tree[x * N_TREE + PARENT]
        need, room = total - n_hit, caches[own_cache + ROOM]
        if need > room - caches[own_cache + USED] + caches[own_cache + LOOSE] - own:
            return soonest
        heads[q] = turns[t + FOLLOW]
        reps[k + WAITING] -= 1
        reps[k + RUNNING] += 1
        x = leaf
        while x >= 0:
            at = (row + x) * N_ENTRY
            if entries[at + PINS] == 0 and entries[at + BLOCKS] > 0:
                unlink(r, x, entries, caches, n)
            entries[at + PINS] += 1
            x = tree[x * N_TREE + PARENT]
        evict(r, need, entries, caches, n)
        x, end = leaf, total
        while x >= 0 and need > room - caches[own_cache + USED]:  # what else hangs on this path
            at, start = (row + x) * N_ENTRY, tree[x * N_TREE + FROM]
            more = min(entries[at + BLOCKS] - (end - start), need - room + caches[own_cache + USED])
            if more > 0 and entries[at + PINS] == 1:
                entries[at + BLOCKS] -= more
                caches[own_cache + USED] -= more
                caches[own_cache + EVICTED] += more
            end, x = start, tree[x * N_TREE + PARENT]
        caches[own_cache + USED] += need
        turns[t + PRIVATE] = need
        most = (turns[t + PROMPT] - 1) // block
        n_read = min(n_hit, most)
        turns[t + HBM_READ] += n_read * block
        ready = now
        for tier in range(1, par[TIERS] + 1):
            c = tier_of(tier, r, par)
            blocks = hit(c, leaf, most, now, tree, entries, caches, n)
            if blocks <= n_read:
                continue
            tokens, link = (blocks - n_read) * block, n_rep * (tier - 1) + r
            moved = max(now, links[link])
            moved += tokens * par[OF_TIERS + 2 * par[TIERS] + tier - 1]
            loaded_ps = max(moved + par[OF_TIERS + par[TIERS] + tier - 1], now + 1)
            if loaded_ps - now < recompute_ps(n_read * block, tokens, linear, par):
                links[link] = moved
                turns[t + LOAD_READ] += tokens
                caches[c * N_CACHE + READ] += blocks - n_read
                n_read, ready = blocks, max(ready, loaded_ps)
                touch(c, leaf, now, tree, entries, caches, n)
        turns[t + UNREAD] = turns[t + PROMPT] - n_read * block
        turns[t + COMPUTED] += turns[t + UNREAD]
        turns[t + ATTEMPTS] += 1
        turns[t + ADMITTED], turns[t + READY] = now, ready
        if ready > now:
            turns[t + STATUS] = LOADING
            heappush(events, (ready, LOADED * par[TURNS] + i))
        else:
            read_next(i, r, turns, reps)
    return FOREVER


def begin(r: Any, now: Any, recheck: Any, heap: Any, turns: Any, reps: Any, linear: Any,
          decode_base: Any, decode_ctx: Any, run_end: Any, by_end: Any,
          par: Any) -> None:  # fmt: skip
    """Compose the next step of a replica, and the run of equal ones that follow it."""
    k = r * N_REP
    batch, i = reps[k + BATCH], reps[k + HEAD]
    if batch == 0 and i < 0:
        return
    room = par[BUDGET] - batch
    chunk, pairs, n_fresh, take, is_long = 0, 0, 0, 0, False
    while i >= 0 and room > 0:
        unread = turns[i * N_TURN + UNREAD]
        take = min(room, unread)
        chunk += take
        pairs += take * (2 * (turns[i * N_TURN + PROMPT] - unread) + take)
        room -= take
        if take < unread:
            is_long = n_fresh == 0
            break
        n_fresh += 1
        take = 0
        i = turns[i * N_TURN + FOLLOW]
    slope, alone, m = 0, 0, FOREVER
    if batch > 0:
        slope = decode_ctx[batch] * batch
        alone = decode_base[batch] + decode_ctx[batch] * (reps[k + CONTEXT] + batch)
        m = heap[0] // par[TURNS] - reps[k + N_DECODED]
    base = max(alone + linear[chunk + batch], 1)
    reps[k + ALONE], reps[k + ALONE_SLOPE] = 0, slope
    if batch > 0:
        reps[k + ALONE] = max(alone + linear[batch], 1)
    if chunk > 0:
        base += par[PRE_BASE] + par[PRE_PAIR] * pairs
        m = min(m, (turns[i * N_TURN + UNREAD] - 1) // take) if is_long else 1
        if is_long:
            slope += 2 * par[PRE_PAIR] * take * take
    if recheck < FOREVER and m > 1:
        m = min(m, n_steps_until(base, slope, recheck - now))
    reps[k + BEGAN], reps[k + RUN_STEPS], reps[k + BASE], reps[k + SLOPE] = now, m, base, slope
    reps[k + N_FRESH], reps[k + TAKE] = n_fresh, take
    run_end[r] = now + m * base + slope * (m * (m - 1) // 2)
    settle(by_end, run_end, r)


def finish(r: Any, now: Any, events: Any, heap: Any, turns: Any, follow: Any, reps: Any,
           tree: Any, entries: Any, caches: Any, nums: Any, par: Any) -> None:  # fmt: skip
    """Apply the run of a replica that ends now."""
    k, n = r * N_REP, par[TURNS]
    m, batch = reps[k + RUN_STEPS], reps[k + BATCH]
    alone_ps = m * reps[k + ALONE] + reps[k + ALONE_SLOPE] * (m * (m - 1) // 2)
    reps[k + WRITE_PS] += alone_ps
    reps[k + READ_PS] += now - reps[k + BEGAN] - alone_ps
    reps[k + N_DECODED] += m
    reps[k + CONTEXT] += m * batch
    while len(heap) > 0 and heap[0] // n <= reps[k + N_DECODED]:
        i = heappop(heap) % n
        reps[k + BATCH] -= 1
        reps[k + CONTEXT] -= turns[i * N_TURN + PROMPT] + turns[i * N_TURN + OUT] - 1
        complete(i, r, now, events, turns, follow, reps, tree, entries, caches, nums, par)
    i = reps[k + HEAD]
    for _ in range(reps[k + N_FRESH]):
        t = i * N_TURN
        after = turns[t + FOLLOW]
        turns[t + UNREAD] = 0
        if turns[t + FIRST] < 0:
            turns[t + FIRST] = now
        if turns[t + OUT] == 1:
            complete(i, r, now, events, turns, follow, reps, tree, entries, caches, nums, par)
        else:
            turns[t + STATUS] = WRITING
            reps[k + BATCH] += 1
            reps[k + CONTEXT] += turns[t + PROMPT]
            heappush(heap, (reps[k + N_DECODED] + turns[t + OUT] - 1) * n + i)
        i = after
    reps[k + HEAD] = i
    if reps[k + TAKE] > 0:
        turns[i * N_TURN + UNREAD] -= m * reps[k + TAKE]
