"""The prefix cache of the session engine: branches of content in a list by last use.

A branch continues its parent from a block on, and a path is a branch with all its parents. What a
cache holds of a path is one run of blocks from its beginning, because a path is touched from its
end to its beginning: children leave before their parents, and from their ends. What running turns
read is pinned and stands in no list. What has expired is the oldest of the list, so it takes no
room from what has not.
"""

from __future__ import annotations

from heapq import heappush
from typing import Any

from econ.serving.engine import FOREVER
from econ.serving.session_fields import (
    AFTER,
    BACKOFF,
    BEFORE,
    BLOCK,
    BLOCKS,
    BRANCH,
    BRANCHES,
    BUDGET,
    CACHED,
    DEPS,
    DONE,
    ENDED,
    EVICTED,
    FAILURES,
    FROM,
    IDLE,
    LAST,
    LEFT,
    LOAD,
    LOOSE,
    N_CACHE,
    N_ENTRY,
    N_REP,
    N_TREE,
    N_TURN,
    NEXT_AT,
    NEXT_END,
    OF_TIERS,
    OUT,
    PARENT,
    PINS,
    PRE_BASE,
    PRE_PAIR,
    PRIVATE,
    PROMPT,
    REPLICAS,
    ROOM,
    RUNNING,
    START,
    STATUS,
    TIERS,
    TTL,
    USED,
    WAIT,
    WRITTEN,
)


def unlink(c: Any, x: Any, entries: Any, caches: Any, n: Any) -> None:
    """Take entry ``x`` of cache ``c`` out of the list by last use."""
    row = c * (n + 1)
    at = (row + x) * N_ENTRY
    before, after = entries[at + BEFORE], entries[at + AFTER]
    entries[(row + after) * N_ENTRY + BEFORE] = before
    entries[(row + before) * N_ENTRY + AFTER] = after
    caches[c * N_CACHE + LOOSE] -= entries[at + BLOCKS]


def push(c: Any, x: Any, now: Any, entries: Any, caches: Any, n: Any) -> None:
    """Put entry ``x`` at the head of the list of cache ``c``."""
    row = c * (n + 1)
    at, end = (row + x) * N_ENTRY, (row + n) * N_ENTRY
    first = entries[end + AFTER]
    entries[at + AFTER], entries[at + BEFORE], entries[at + LAST] = first, n, now
    entries[(row + first) * N_ENTRY + BEFORE] = x
    entries[end + AFTER] = x
    caches[c * N_CACHE + LOOSE] += entries[at + BLOCKS]


def evict(c: Any, n_blocks: Any, entries: Any, caches: Any, n: Any) -> None:
    """Free blocks of cache ``c``, the longest unused first and each from its end, until so many
    are free or nothing is left to evict."""
    k, row = c * N_CACHE, c * (n + 1)
    short = n_blocks - (caches[k + ROOM] - caches[k + USED])
    while short > 0:
        x = entries[(row + n) * N_ENTRY + BEFORE]
        if x == n:
            break
        at = (row + x) * N_ENTRY
        out = min(short, entries[at + BLOCKS])
        entries[at + BLOCKS] -= out
        caches[k + LOOSE] -= out
        caches[k + USED] -= out
        caches[k + EVICTED] += out
        short -= out
        if entries[at + BLOCKS] == 0:
            unlink(c, x, entries, caches, n)


def hit(c: Any, x: Any, n_most: Any, now: Any, tree: Any, entries: Any, caches: Any, n: Any) -> int:
    """Blocks of a path, from its beginning, that cache ``c`` holds."""
    ttl, end, blocks, leaf = caches[c * N_CACHE + TTL], n_most, 0, True
    while x >= 0:
        at, start = (c * (n + 1) + x) * N_ENTRY, tree[x * N_TREE + FROM]
        own = 0
        if entries[at + PINS] > 0 or now - entries[at + LAST] <= ttl:
            own = min(entries[at + BLOCKS], end - start)
        if leaf or own < end - start:
            blocks = start + own
        leaf, end = False, start
        x = tree[x * N_TREE + PARENT]
    return blocks


def expire(c: Any, x: Any, now: Any, tree: Any, entries: Any, caches: Any, n: Any) -> int:
    """Drop what has expired of a path in cache ``c``; when the first of the rest will."""
    k, soonest = c * N_CACHE, FOREVER
    ttl = caches[k + TTL]
    if ttl == FOREVER:
        return soonest
    while x >= 0:
        at = (c * (n + 1) + x) * N_ENTRY
        if entries[at + BLOCKS] > 0 and entries[at + PINS] == 0:
            if now - entries[at + LAST] > ttl:
                unlink(c, x, entries, caches, n)
                caches[k + USED] -= entries[at + BLOCKS]
                caches[k + EVICTED] += entries[at + BLOCKS]
                entries[at + BLOCKS] = 0
            else:
                soonest = min(soonest, entries[at + LAST] + ttl + 1)
        x = tree[x * N_TREE + PARENT]
    return soonest


def touch(c: Any, x: Any, now: Any, tree: Any, entries: Any, caches: Any, n: Any) -> None:
    """A path of a lower tier is read: children first, so that their parents are more recent."""
    while x >= 0:
        if entries[(c * (n + 1) + x) * N_ENTRY + BLOCKS] > 0:
            unlink(c, x, entries, caches, n)
            push(c, x, now, entries, caches, n)
        x = tree[x * N_TREE + PARENT]


def keep(c: Any, leaf: Any, n_end: Any, now: Any, tree: Any, entries: Any, caches: Any,
         n: Any) -> None:  # fmt: skip
    """Write a path of ``n_end`` blocks through to a lower tier, as much of it as fits."""
    k, row = c * N_CACHE, c * (n + 1)
    expire(c, leaf, now, tree, entries, caches, n)
    wanted, end, x = 0, n_end, leaf
    while x >= 0:
        at, start = (row + x) * N_ENTRY, tree[x * N_TREE + FROM]
        wanted += max(end - start - entries[at + BLOCKS], 0)
        if entries[at + BLOCKS] > 0:
            unlink(c, x, entries, caches, n)
        end, x = start, tree[x * N_TREE + PARENT]
    evict(c, wanted, entries, caches, n)
    cut_at = n_end - max(wanted - (caches[k + ROOM] - caches[k + USED]), 0)
    end, x = n_end, leaf
    while x >= 0:
        at, start = (row + x) * N_ENTRY, tree[x * N_TREE + FROM]
        more = max(min(end, cut_at) - start - entries[at + BLOCKS], 0)
        entries[at + BLOCKS] += more
        caches[k + USED] += more
        caches[k + WRITTEN] += more
        if entries[at + BLOCKS] > 0:
            push(c, x, now, entries, caches, n)
        end, x = start, tree[x * N_TREE + PARENT]


def clear(r: Any, entries: Any, caches: Any, par: Any) -> None:
    """Empty the caches of a replica that ends or fails."""
    n = par[BRANCHES]
    for k in range(par[TIERS] + 1):
        if k > 0 and par[OF_TIERS + k - 1]:
            continue
        c = par[REPLICAS] * k + r
        row = c * (n + 1)
        for x in range(n + 1):
            entries[(row + x) * N_ENTRY + BLOCKS] = entries[(row + x) * N_ENTRY + PINS] = 0
        entries[(row + n) * N_ENTRY + BEFORE] = entries[(row + n) * N_ENTRY + AFTER] = n
        caches[c * N_CACHE + USED] = caches[c * N_CACHE + LOOSE] = 0


def tier_of(k: Any, r: Any, par: Any) -> int:
    """The cache that is tier ``k`` of a replica; 0 is the accelerators' own memory."""
    return int(par[REPLICAS] * k + (0 if k > 0 and par[OF_TIERS + k - 1] else r))


def recompute_ps(before: Any, tokens: Any, linear: Any, par: Any) -> int:
    """Time to prefill ``tokens`` behind ``before`` others, alone, in steps of the whole budget."""
    budget = par[BUDGET]
    n_chunks, rest = tokens // budget, tokens % budget
    time = n_chunks * (linear[budget] + par[PRE_BASE])
    if rest > 0:
        time += linear[rest] + par[PRE_BASE]
    return int(time + par[PRE_PAIR] * ((before + tokens) ** 2 - before * before))


def complete(i: Any, r: Any, now: Any, events: Any, turns: Any, follow: Any, reps: Any, tree: Any,
             entries: Any, caches: Any, nums: Any, par: Any) -> None:  # fmt: skip
    """A turn is answered: its blocks become cache, and what waited for it may ask."""
    t, n = i * N_TURN, par[BRANCHES]
    n_end = (turns[t + PROMPT] + turns[t + OUT] - 1) // par[BLOCK]
    reps[r * N_REP + RUNNING] -= 1
    reps[r * N_REP + LOAD] -= 1
    caches[r * N_CACHE + USED] -= turns[t + PRIVATE]
    x, end = turns[t + BRANCH], n_end
    while x >= 0:
        at, start = (r * (n + 1) + x) * N_ENTRY, tree[x * N_TREE + FROM]
        more = end - start - entries[at + BLOCKS]
        if par[CACHED] and more > 0:
            caches[r * N_CACHE + USED] += more
            entries[at + BLOCKS] += more
        entries[at + LAST] = now
        entries[at + PINS] -= 1
        if entries[at + PINS] == 0 and entries[at + BLOCKS] > 0:
            push(r, x, now, entries, caches, n)
        end, x = start, tree[x * N_TREE + PARENT]
    for tier in range(1, par[TIERS] + 1):
        c = tier_of(tier, r, par)
        keep(c, turns[t + BRANCH], n_end, now, tree, entries, caches, n)
    if turns[t + FAILURES] > 0:  # the call failed: once more
        turns[t + FAILURES] -= 1
        turns[t + STATUS] = IDLE
        heappush(events, (now + nums[BACKOFF], i))
        return
    turns[t + STATUS] = DONE
    turns[t + ENDED] = now
    nums[LEFT] -= 1
    for j in range(turns[t + NEXT_AT], turns[t + NEXT_END]):
        s = follow[j] * N_TURN
        turns[s + DEPS] -= 1
        if turns[s + DEPS] == 0 and turns[s + STATUS] == IDLE:
            heappush(events, (max(now + turns[s + WAIT], turns[s + START]), follow[j]))
