"""The event-skipping engine: between two events a batch is constant, so its steps have a sum.

One source, two speeds: plain Python over lists, or numba's machine code (`econ.serving.compiled`).
Time is int64 picoseconds, so the engine equals one that goes token by token to the integer (the
tests hold such an engine). An event is a step that admits, completes, preempts or ends a prefill;
the run of equal steps before it costs m·base + slope·m(m − 1)/2.

Invariants that make it O(1) per event:

* A running request stores prompt + generated − 1 tokens; each decode step adds one to all, so
  (stored − D) mod block is fixed while it decodes (D counts decode steps) and the blocks wanted at
  a step are one entry of ``cnt``.
* Requests run in order of arrival: the tail is the preemption victim, and what was preempted
  returns (last in, first out) before anything newer, so at most one is half prefilled.
* A blocked head of the queue stays blocked until_ps a completion: free blocks only shrink between.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import sqrt
from typing import Any

FOREVER = 1 << 62
LAYOUT = 3  # of the arrays that the engine in C takes: a build of another one is passed over

# positions in the state of a replica
T, D_STEP, CONTEXT, BATCH, RESERVED, TAIL, STACK, HEAD = range(8)
PART, PART_DONE, PART_LEFT, EVENTS, N_DONE, N_LATE, STOPPED, RUN_END = range(8, 16)
PEAK, N_STATE = 16, 17  # most requests that ran at a time

# positions in the parameters: limits, lag, requests outside the limits over all replicas
TTFT, TPOT, LAG, LAG_STEPS, MOST_BAD, N_BAD = range(10, 16)
FINE = 10  # bits behind the point of the steps of a lag


def used_blocks(cnt: Any, n_decoded: int, context_tokens: int, block_tokens: int) -> int:
    """Blocks of the decoding requests, exactly: their tokens plus what fills the last ones."""
    padded = context_tokens
    for r in range(block_tokens):
        padded += cnt[r] * ((-r - n_decoded) % block_tokens)
    return padded // block_tokens


def growth_limit(
    cnt: Any, n_decoded: int, n_batch: int, block_tokens: int, n_free: int, n_steps: int
) -> int:
    """How many of the decode steps the free blocks allow (at least one is known to fit)."""
    cycles = n_free // n_batch
    steps = cycles * block_tokens
    n_free -= cycles * n_batch
    while steps < n_steps and cnt[(-n_decoded - steps) % block_tokens] <= n_free:
        n_free -= cnt[(-n_decoded - steps) % block_tokens]
        steps += 1
    return min(steps, n_steps)


def misses(first_ps: int, done_ps: int, arrival_ps: int, n_steps: int, par: Any) -> bool:
    """Whether a request that is done misses a limit for certain; roundings are in its favour."""
    wait_ps, decode_ps = first_ps - arrival_ps + par[LAG], done_ps - first_ps
    if n_steps > 0 and decode_ps <= par[TPOT] * n_steps:
        wait_ps += par[LAG_STEPS] * (decode_ps // n_steps) >> FINE
    return bool(wait_ps > par[TTFT] or decode_ps > par[TPOT] * n_steps)


def unlink(prv: Any, nxt: Any, tail: Any, i: Any) -> Any:
    """Take a request out of the running ones; the new tail."""
    before, after = prv[i], nxt[i]
    if before >= 0:
        nxt[before] = after
    if after < 0:
        return before
    prv[after] = before
    return tail


def advance(
    st: Any, heap: Any, cnt: Any, until_ps: int, req: Any, links: Any, cost: Any, par: Any
) -> None:
    """Run one replica through every step that starts before ``until_ps``."""
    arrival, prompt, out, cached, ready, gen, first, done, fin, n_preempt = req
    prv, nxt, follow = links
    linear, decode_base, decode_ctx = cost
    chunked, max_batch, budget, b, total = par[0], par[1], par[2], par[3], par[4]
    q, pre_base, pre_pair, lin_slope, max_events = par[5], par[6], par[7], par[8], par[9]
    n, n_linear = len(arrival), len(linear)
    t, d, ctx, batch, reserved = st[0], st[1], st[2], st[3], st[4]
    tail, stack, head, part, p_done = st[5], st[6], st[7], st[8], st[9]
    p_left, events, n_done, late, stopped, run_end = st[10], st[11], st[12], st[13], st[14], st[15]
    peak, is_judged = st[16], par[14] < n
    while t < until_ps:
        if batch == 0 and part < 0 and stack < 0:
            if head < 0:
                break
            if arrival[head] > t:
                t, late = arrival[head], 0
                continue
        if events >= max_events or par[15] > par[14]:
            stopped = 1
            break
        events += 1
        late = run_end = 0
        count = batch + 1 if part >= 0 else batch

        # requests whose KV cache came from another pool join without a prefill
        while stack < 0 and head >= 0 and ready[head] and arrival[head] <= t and count < max_batch:
            i = head
            s = prompt[i] + gen[i] - 1
            free = total - reserved - used_blocks(cnt, d, ctx, b)
            if (s + b) // b + cnt[-d % b] > free:
                break
            ready[i] = 0
            head = follow[i]
            prv[i], nxt[i] = tail, -1
            if tail >= 0:
                nxt[tail] = i
            tail = i
            ctx += s
            batch += 1
            count += 1
            cnt[(s - d) % b] += 1
            fin[i] = d + out[i] - gen[i]
            heappush(heap, fin[i] * n + i)

        # free blocks: a lower bound, made exact as soon as it could refuse something
        waiting = stack if stack >= 0 else head
        blocks = (prompt[waiting] + gen[waiting] + b - 1) // b if waiting >= 0 else 0
        free = total - reserved - (ctx + (b - 1) * batch) // b
        exact = free < batch + blocks
        if exact:
            free = total - reserved - used_blocks(cnt, d, ctx, b)
        waits = stack >= 0 or (head >= 0 and arrival[head] <= t and not ready[head])
        preempted = False
        if chunked or not (waits and count < max_batch and blocks <= free):
            while cnt[-d % b] > free:
                preempted = exact = True
                i = tail
                tail = unlink(prv, nxt, tail, i)
                if i == part:
                    part = -1
                    reserved -= (prompt[i] + gen[i] + b - 1) // b
                else:
                    gen[i] = out[i] - (fin[i] - d)
                    fin[i] = -1
                    s = prompt[i] + gen[i] - 1
                    ctx -= s
                    batch -= 1
                    cnt[(s - d) % b] -= 1
                count -= 1
                n_preempt[i] += 1
                nxt[i] = stack
                stack = i
                free = total - reserved - used_blocks(cnt, d, ctx, b)

        # the prefill part of this step
        left = budget - q * batch if chunked else budget
        room = free - cnt[-d % b] if chunked else free
        fresh, chunk, pairs, p_take, long_run = -1, 0, 0, 0, False
        if part >= 0 and left > 0:
            p_take = min(left, p_left)
            chunk = p_take
            pairs = p_take * (2 * p_done + p_take)
            left -= p_take
            if p_take == p_left:
                fresh, part, p_take = part, -1, 0
            else:
                long_run = True
        while left > 0 and waits and count < max_batch and not preempted and part < 0:
            if stack >= 0:
                i = stack
            elif head >= 0 and arrival[head] <= t and not ready[head]:
                i = head
            else:
                break
            size = prompt[i] + gen[i]
            blocks = (size + b - 1) // b
            if blocks > room:
                if exact:
                    break
                exact = True
                room += (ctx + (b - 1) * batch) // b - used_blocks(cnt, d, ctx, b)
                if blocks > room:
                    break
            x = size - cached[i]
            if not chunked and chunk > 0 and x > left:
                break
            if i == stack:
                stack = nxt[i]
            else:
                head = follow[i]
            prv[i], nxt[i] = tail, -1
            if tail >= 0:
                nxt[tail] = i
            tail = i
            room -= blocks
            reserved += blocks
            count += 1
            if chunked and x > left:
                part, p_done, p_left, p_take, x = i, cached[i], x, left, left
            elif fresh < 0:
                fresh = i
            chunk += x
            pairs += x * (2 * cached[i] + x)
            left -= x

        peak = max(peak, count)
        # the time of a step, and by how much the next equal one is longer
        decode = batch > 0 and (chunked or chunk == 0)
        tokens = chunk + q * batch if decode else chunk
        base = linear[min(tokens, n_linear - 1)] + max(tokens - n_linear + 1, 0) * lin_slope
        slope = 0
        if decode:
            slope = decode_ctx[batch] * batch
            base += decode_base[batch] + decode_ctx[batch] * (ctx + batch)
        if chunk > 0:
            base += pre_base + pre_pair * pairs

        # how many equal steps follow
        m = 1
        if not preempted and (chunk == 0 or long_run):
            m = heap[0] // n - d if decode else p_left
            if long_run:
                slope += 2 * pre_pair * p_take * p_take
                m = min(m, (p_left - 1) // p_take)
            if decode and (ctx + (m + b - 1) * batch) // b > total - reserved:
                free = total - reserved - used_blocks(cnt, d, ctx, b)
                m = growth_limit(cnt, d, batch, b, free, m)
            time_left = until_ps - t
            full = m * base + slope * (m * (m - 1) // 2)
            run_end = t + full
            cut = chunk == 0 or ready[head]  # a long prefill leaves no budget for another
            if cut and head >= 0 and arrival[head] > t and count < max_batch:
                time_left = min(time_left, arrival[head] - t)
                run_end = 0
            if m > 1 and full > time_left:
                half = base - slope / 2
                m = int(2 * time_left / (half + sqrt(half * half + 2.0 * slope * time_left)))
                m = max(m, 1)
                while m * base + slope * (m * (m - 1) // 2) < time_left:
                    m += 1
                while m > 1 and (m - 1) * base + slope * ((m - 1) * (m - 2) // 2) >= time_left:
                    m -= 1
        t += m * base + slope * (m * (m - 1) // 2)
        if part >= 0:
            p_done, p_left = p_done + m * p_take, p_left - m * p_take

        if decode:
            d += m
            ctx += m * batch
            due = (d + 1) * n
            while len(heap) > 0 and heap[0] < due:
                key = heappop(heap)
                i = key % n
                if fin[i] != key // n:  # left behind by a preemption
                    continue
                fin[i] = -1
                done[i] = t
                late += 1
                par[15] += is_judged and misses(first[i], t, arrival[i], out[i] - 1, par)
                s = prompt[i] + out[i] - 1
                ctx -= s
                batch -= 1
                cnt[(s - d) % b] -= 1
                tail = unlink(prv, nxt, tail, i)

        i = fresh
        while i >= 0:
            after = nxt[i]
            if i == part or fin[i] >= 0:  # half prefilled, or joined with its KV cache
                i = after
                continue
            reserved -= (prompt[i] + gen[i] + b - 1) // b
            gen[i] += 1
            if first[i] < 0:
                first[i] = t
            if gen[i] == out[i]:
                done[i] = t
                late += 1
                par[15] += is_judged and misses(first[i], t, arrival[i], out[i] - 1, par)
                tail = unlink(prv, nxt, tail, i)
            else:
                s = prompt[i] + gen[i] - 1
                ctx += s
                batch += 1
                cnt[(s - d) % b] += 1
                fin[i] = d + out[i] - gen[i]
                heappush(heap, fin[i] * n + i)
            i = after
        n_done += late
    if run_end <= t and batch > 0 and part < 0 and stack < 0 and head < 0:
        m, tokens = heap[0] // n - d, q * batch
        base = linear[min(tokens, n_linear - 1)] + max(tokens - n_linear + 1, 0) * lin_slope
        base += decode_base[batch] + decode_ctx[batch] * (ctx + batch)
        if (ctx + (m + b - 1) * batch) // b <= total:
            run_end = t + m * base + decode_ctx[batch] * batch * (m * (m - 1) // 2)
    st[0], st[1], st[2], st[3], st[4], st[16] = t, d, ctx, batch, reserved, peak
    st[5], st[6], st[7], st[8], st[9] = tail, stack, head, part, p_done
    st[10], st[11], st[12], st[13], st[14], st[15] = p_left, events, n_done, late, stopped, run_end


def run_one(st: Any, cnt: Any, until_ps: int, req: Any, links: Any, cost: Any, par: Any) -> None:
    """One replica that takes every request."""
    heap = [FOREVER]  # never empty of type for the compiler
    heap.pop()
    advance(st, heap, cnt, until_ps, req, links, cost, par)


def put(tree: Any, k: Any, key: Any) -> None:
    """Give leaf ``k`` a key in a tree of the least of both children, whose root is at 1."""
    tree[k] = key
    while k > 1:
        key = min(key, tree[k ^ 1])
        k //= 2
        tree[k] = key


def run_least_loaded(
    sts: Any, cnts: Any, router: Any, until_ps: int, req: Any, links: Any, cost: Any, par: Any
) -> None:
    """Several replicas; each request goes to the one with the fewest unfinished, first on a tie.

    Trees hold each replica's load and a time before which it cannot change: only those due are
    advanced, and of those only the ones in which something was completed by now.
    """
    arrival, follow = req[0], links[2]
    last, routed, loads, wakes = router
    w = len(loads) // 2
    heaps = [[FOREVER] for _ in range(len(sts))]
    for heap in heaps:
        heap.pop()
    for i in range(len(arrival)):
        if par[N_BAD] > par[MOST_BAD]:
            break
        now, until = arrival[i], min(arrival[i], until_ps)
        while wakes[1] <= now:
            k = 1
            while k < w:
                k = 2 * k + int(wakes[2 * k] > wakes[1])
            r = k - w
            st, late = sts[r], 0
            wake = st[RUN_END]
            if wake <= now:
                advance(st, heaps[r], cnts[r], until, req, links, cost, par)
                if st[T] > now:
                    late = st[N_LATE]  # not completed yet: their step is under way
                wake = FOREVER if st[T] < now else st[T] if late else max(st[T] + 1, st[RUN_END])
            put(wakes, k, wake)
            put(loads, k, (routed[r] - st[N_DONE] + late) * w + r)
        r = loads[1] % w
        st = sts[r]
        routed[r] += 1
        put(loads, w + r, loads[1] + w)
        follow[i] = -1
        if st[HEAD] >= 0:  # behind others: nothing changes before they are let in
            follow[last[r]] = i
        else:
            advance(st, heaps[r], cnts[r], until, req, links, cost, par)
            st[HEAD], st[RUN_END] = i, 0
            wake = now + 1 if st[T] <= now else st[T] if st[N_LATE] else st[T] + 1
            put(wakes, w + r, wake)
        last[r] = i
    for r in range(len(sts)):
        advance(sts[r], heaps[r], cnts[r], until_ps, req, links, cost, par)
