/* `econ.serving.session_engine` in C, with its cache, steps and routing: the same events in the
   same order, equal to the integer. Names and comments are those of the Python sources, which say
   why each step is as it is; the rows of a table are structures of `session_fields`. */

#include "_engine.h"

enum { IDLE, QUEUED, LOADING, READING, WRITING, DONE, DROPPED };
enum { OFF, STARTING, ON, DRAINING, FAILED };
enum { ROUND_ROBIN, RANDOM, LEAST_LOADED, PREFIX_AWARE };
enum { ARRIVAL, LOADED, PATIENCE, CONTROL };

typedef struct {
    int64_t branch, prompt, out, wait, deps, next_at, next_end, priority, patient, failures, lot,
        start, status, asked, admitted, first, ended, replica, hbm_read, load_read, computed,
        attempts, unread, private, follow, ready, last_asked;
} Turn;
typedef struct {
    int64_t state, began, run_steps, base, slope, alone, alone_slope, n_fresh, take, n_decoded,
        context, batch, running, waiting, load, head, tail, write_ps, read_ps, since, on_ps;
} Rep;
typedef struct { int64_t blocks, last, before, after, pins; } Entry;
typedef struct { int64_t used, loose, room, ttl, evicted, written, read; } Cache;
typedef struct { int64_t parent, from; } Branch;
typedef struct { int64_t round, left, moments, limbo, limbo_end, stopped, backoff, most, until; } Nums;
typedef struct {
    int64_t cached, max_batch, budget, block, pre_base, pre_pair, replicas, rule, slack, tiers,
        priorities, branches, turns, of_tiers[]; /* per tier: shared; latency; time a token */
} Par;
typedef struct { int64_t least, up, down, cold, look; } Auto;
typedef struct { int64_t replica, from, to; } Outage;
typedef struct { int64_t at, key; } Event;

typedef struct {
    Turn *turns;
    Rep *reps;
    Branch *tree;
    Entry *entries;
    Cache *caches;
    Nums *nums;
    Par *par;
    Auto *autoscale;
    Outage *outages;
    int64_t *follow, *heads, *tails, *links, *linear, *decode_base, *decode_ctx, *roots, *run_end,
        *by_end, n_by_end, n_roots, n_outages, n_events, event_room;
    Event *events;
    Heap *heaps, ready, given_up;
    int failed;
} Fleet;

static int before(Event a, Event b) { return a.at < b.at || (a.at == b.at && a.key < b.key); }

static void happen(Fleet *f, int64_t at, int64_t key) {
    if (f->n_events == f->event_room) {
        int64_t room = f->event_room ? 2 * f->event_room : 1024;
        Event *grown = realloc(f->events, (size_t)room * sizeof *grown);
        if (!grown) {
            f->failed = 1;
            return;
        }
        f->events = grown;
        f->event_room = room;
    }
    Event one = {at, key};
    int64_t i = f->n_events++;
    for (; i && before(one, f->events[(i - 1) / 2]); i = (i - 1) / 2)
        f->events[i] = f->events[(i - 1) / 2];
    f->events[i] = one;
}

static Event next_event(Fleet *f) {
    Event *h = f->events, top = h[0], one = h[--f->n_events];
    int64_t i = 0, child;
    while ((child = 2 * i + 1) < f->n_events) {
        if (child + 1 < f->n_events) child += before(h[child + 1], h[child]);
        if (!before(h[child], one)) break;
        h[i] = h[child];
        i = child;
    }
    h[i] = one;
    return top;
}

static void add(Fleet *f, Heap *h, int64_t key) {
    if (push(h, key)) f->failed = 1;
}

static void set_end(Fleet *f, int64_t r, int64_t at) {
    f->run_end[r] = at;
    settle(f->by_end, f->n_by_end, f->run_end, r);
}

/* ---- `session_cache` ---- */

static Entry *row_of(Fleet *f, int64_t c) { return f->entries + c * (f->par->branches + 1); }

static void unlink_entry(Fleet *f, int64_t c, int64_t x) {
    Entry *row = row_of(f, c), *e = row + x;
    row[e->after].before = e->before;
    row[e->before].after = e->after;
    f->caches[c].loose -= e->blocks;
}

static void push_entry(Fleet *f, int64_t c, int64_t x, int64_t now) {
    int64_t n = f->par->branches;
    Entry *row = row_of(f, c), *e = row + x;
    int64_t first = row[n].after;
    e->after = first;
    e->before = n;
    e->last = now;
    row[first].before = x;
    row[n].after = x;
    f->caches[c].loose += e->blocks;
}

static void evict(Fleet *f, int64_t c, int64_t n_blocks) {
    int64_t n = f->par->branches;
    Cache *k = f->caches + c;
    Entry *row = row_of(f, c);
    int64_t lacking = n_blocks - (k->room - k->used);
    while (lacking > 0) {
        int64_t x = row[n].before;
        if (x == n) break;
        int64_t out = least(lacking, row[x].blocks);
        row[x].blocks -= out;
        k->loose -= out;
        k->used -= out;
        k->evicted += out;
        lacking -= out;
        if (row[x].blocks == 0) unlink_entry(f, c, x);
    }
}

static int64_t hit(Fleet *f, int64_t c, int64_t x, int64_t n_most, int64_t now) {
    const Entry *row = row_of(f, c);
    int64_t ttl = f->caches[c].ttl, end = n_most, blocks = 0;
    int leaf = 1;
    for (; x >= 0; x = f->tree[x].parent) {
        int64_t start = f->tree[x].from, own = 0;
        if (row[x].pins > 0 || now - row[x].last <= ttl) own = least(row[x].blocks, end - start);
        if (leaf || own < end - start) blocks = start + own;
        leaf = 0;
        end = start;
    }
    return blocks;
}

static int64_t expire(Fleet *f, int64_t c, int64_t x, int64_t now) {
    Cache *k = f->caches + c;
    Entry *row = row_of(f, c);
    int64_t soonest = FOREVER, ttl = k->ttl;
    if (ttl == FOREVER) return soonest;
    for (; x >= 0; x = f->tree[x].parent) {
        Entry *e = row + x;
        if (e->blocks <= 0 || e->pins != 0) continue;
        if (now - e->last > ttl) {
            unlink_entry(f, c, x);
            k->used -= e->blocks;
            k->evicted += e->blocks;
            e->blocks = 0;
        } else {
            soonest = least(soonest, e->last + ttl + 1);
        }
    }
    return soonest;
}

static void touch(Fleet *f, int64_t c, int64_t x, int64_t now) {
    for (; x >= 0; x = f->tree[x].parent)
        if (row_of(f, c)[x].blocks > 0) {
            unlink_entry(f, c, x);
            push_entry(f, c, x, now);
        }
}

static void keep(Fleet *f, int64_t c, int64_t leaf, int64_t n_end, int64_t now) {
    Cache *k = f->caches + c;
    Entry *row = row_of(f, c);
    expire(f, c, leaf, now);
    int64_t wanted = 0, end = n_end;
    for (int64_t x = leaf; x >= 0; x = f->tree[x].parent) {
        int64_t start = f->tree[x].from;
        wanted += most(end - start - row[x].blocks, 0);
        if (row[x].blocks > 0) unlink_entry(f, c, x);
        end = start;
    }
    evict(f, c, wanted);
    int64_t cut_at = n_end - most(wanted - (k->room - k->used), 0);
    end = n_end;
    for (int64_t x = leaf; x >= 0; x = f->tree[x].parent) {
        int64_t start = f->tree[x].from;
        int64_t more = most(least(end, cut_at) - start - row[x].blocks, 0);
        row[x].blocks += more;
        k->used += more;
        k->written += more;
        if (row[x].blocks > 0) push_entry(f, c, x, now);
        end = start;
    }
}

static int64_t tier_of(const Fleet *f, int64_t k, int64_t r) {
    return f->par->replicas * k + (k > 0 && f->par->of_tiers[k - 1] ? 0 : r);
}

static void clear(Fleet *f, int64_t r) {
    int64_t n = f->par->branches;
    for (int64_t k = 0; k <= f->par->tiers; k++) {
        if (k > 0 && f->par->of_tiers[k - 1]) continue;
        int64_t c = f->par->replicas * k + r;
        Entry *row = row_of(f, c);
        for (int64_t x = 0; x <= n; x++) row[x].blocks = row[x].pins = 0;
        row[n].before = row[n].after = n;
        f->caches[c].used = f->caches[c].loose = 0;
    }
}

static int64_t recompute_ps(const Fleet *f, int64_t in_front, int64_t tokens) {
    int64_t budget = f->par->budget, full = tokens / budget, rest = tokens % budget;
    int64_t time = full * (f->linear[budget] + f->par->pre_base), all = in_front + tokens;
    if (rest > 0) time += f->linear[rest] + f->par->pre_base;
    return time + f->par->pre_pair * (all * all - in_front * in_front);
}

static void complete(Fleet *f, int64_t i, int64_t r, int64_t now) {
    Turn *t = f->turns + i;
    Cache *k = f->caches + r;
    Entry *row = row_of(f, r);
    int64_t n_end = (t->prompt + t->out - 1) / f->par->block, end = n_end;
    f->reps[r].running--;
    f->reps[r].load--;
    k->used -= t->private;
    for (int64_t x = t->branch; x >= 0; x = f->tree[x].parent) {
        Entry *e = row + x;
        int64_t start = f->tree[x].from, more = end - start - e->blocks;
        if (f->par->cached && more > 0) {
            k->used += more;
            e->blocks += more;
        }
        e->last = now;
        if (--e->pins == 0 && e->blocks > 0) push_entry(f, r, x, now);
        end = start;
    }
    for (int64_t tier = 1; tier <= f->par->tiers; tier++)
        keep(f, tier_of(f, tier, r), t->branch, n_end, now);
    if (t->failures > 0) { /* the call failed: once more */
        t->failures--;
        t->status = IDLE;
        happen(f, now + f->nums->backoff, i);
        return;
    }
    t->status = DONE;
    t->ended = now;
    f->nums->left--;
    for (int64_t j = t->next_at; j < t->next_end; j++) {
        Turn *s = f->turns + f->follow[j];
        if (--s->deps == 0 && s->status == IDLE)
            happen(f, most(now + s->wait, s->start), f->follow[j]);
    }
}

/* ---- `session_steps` ---- */

static void cut(Fleet *f, int64_t r, int64_t now) {
    Rep *k = f->reps + r;
    if (f->run_end[r] == FOREVER || k->run_steps == 1) return;
    int64_t m = n_steps_until(k->base, k->slope, now - k->began);
    if (m < k->run_steps) {
        k->run_steps = m;
        set_end(f, r, k->began + run_ps(k->base, k->slope, m));
    }
}

static void read_next(Fleet *f, int64_t i, int64_t r) {
    Rep *k = f->reps + r;
    f->turns[i].status = READING;
    f->turns[i].follow = -1;
    if (k->head < 0) k->head = i;
    else f->turns[k->tail].follow = i;
    k->tail = i;
}

/* Where the prefix of a turn is loaded from, beyond what the accelerators hold; when it is there. */
static int64_t load(Fleet *f, Turn *t, int64_t r, int64_t now, int64_t *got, int64_t n_most) {
    const Par *par = f->par;
    int64_t ready = now;
    for (int64_t tier = 1; tier <= par->tiers; tier++) {
        int64_t c = tier_of(f, tier, r), blocks = hit(f, c, t->branch, n_most, now);
        if (blocks <= *got) continue;
        int64_t tokens = (blocks - *got) * par->block, link = par->replicas * (tier - 1) + r;
        int64_t moved = most(now, f->links[link]);
        moved += tokens * par->of_tiers[2 * par->tiers + tier - 1];
        int64_t there = most(moved + par->of_tiers[par->tiers + tier - 1], now + 1);
        if (there - now < recompute_ps(f, *got * par->block, tokens)) {
            f->links[link] = moved;
            t->load_read += tokens;
            f->caches[c].read += blocks - *got;
            *got = blocks;
            ready = most(ready, there);
            touch(f, c, t->branch, now);
        }
    }
    return ready;
}

static int64_t admit(Fleet *f, int64_t r, int64_t now) {
    const Par *par = f->par;
    int64_t n_prio = par->priorities, block = par->block;
    Rep *k = f->reps + r;
    Cache *cache = f->caches + r;
    Entry *row = row_of(f, r);
    while (k->running < par->max_batch) {
        int64_t q = r * n_prio;
        while (q < (r + 1) * n_prio && f->heads[q] < 0) q++;
        if (q == (r + 1) * n_prio) break;
        int64_t i = f->heads[q];
        Turn *t = f->turns + i;
        if (t->status != QUEUED) { /* gave up */
            f->heads[q] = t->follow;
            continue;
        }
        int64_t leaf = t->branch, total = (t->prompt + t->out + block - 2) / block;
        int64_t soonest = expire(f, r, leaf, now), mine = hit(f, r, leaf, total, now);
        int64_t own = 0, end = total, start;
        for (int64_t x = leaf; x >= 0; end = start, x = f->tree[x].parent) {
            start = f->tree[x].from;
            if (row[x].pins == 0) own += least(row[x].blocks, end - start);
        }
        int64_t need = total - mine;
        if (need > cache->room - cache->used + cache->loose - own) return soonest;
        f->heads[q] = t->follow;
        k->waiting--;
        k->running++;
        for (int64_t x = leaf; x >= 0; x = f->tree[x].parent) {
            if (row[x].pins == 0 && row[x].blocks > 0) unlink_entry(f, r, x);
            row[x].pins++;
        }
        evict(f, r, need);
        end = total; /* what else hangs on this path */
        for (int64_t x = leaf; x >= 0 && need > cache->room - cache->used;
             end = start, x = f->tree[x].parent) {
            start = f->tree[x].from;
            int64_t more = least(row[x].blocks - (end - start), need - cache->room + cache->used);
            if (more > 0 && row[x].pins == 1) {
                row[x].blocks -= more;
                cache->used -= more;
                cache->evicted += more;
            }
        }
        cache->used += need;
        t->private = need;
        int64_t n_most = (t->prompt - 1) / block, got = least(mine, n_most);
        t->hbm_read += got * block;
        int64_t ready = load(f, t, r, now, &got, n_most);
        t->unread = t->prompt - got * block;
        t->computed += t->unread;
        t->attempts++;
        t->admitted = now;
        t->ready = ready;
        if (ready > now) {
            t->status = LOADING;
            happen(f, ready, LOADED * par->turns + i);
        } else {
            read_next(f, i, r);
        }
    }
    return FOREVER;
}

static void begin(Fleet *f, int64_t r, int64_t now, int64_t recheck) {
    const Par *par = f->par;
    Rep *k = f->reps + r;
    int64_t batch = k->batch, i = k->head;
    if (batch == 0 && i < 0) return;
    int64_t room = par->budget - batch, chunk = 0, pairs = 0, n_fresh = 0, take = 0;
    int is_long = 0;
    while (i >= 0 && room > 0) {
        const Turn *t = f->turns + i;
        take = least(room, t->unread);
        chunk += take;
        pairs += take * (2 * (t->prompt - t->unread) + take);
        room -= take;
        if (take < t->unread) {
            is_long = n_fresh == 0;
            break;
        }
        n_fresh++;
        take = 0;
        i = t->follow;
    }
    int64_t slope = 0, alone = 0, m = FOREVER;
    if (batch > 0) {
        slope = f->decode_ctx[batch] * batch;
        alone = f->decode_base[batch] + f->decode_ctx[batch] * (k->context + batch);
        m = f->heaps[r].key[0] / par->turns - k->n_decoded;
    }
    int64_t base = most(alone + f->linear[chunk + batch], 1);
    k->alone = batch > 0 ? most(alone + f->linear[batch], 1) : 0;
    k->alone_slope = slope;
    if (chunk > 0) {
        base += par->pre_base + par->pre_pair * pairs;
        m = is_long ? least(m, (f->turns[i].unread - 1) / take) : 1;
        if (is_long) slope += 2 * par->pre_pair * take * take;
    }
    if (recheck < FOREVER && m > 1) m = least(m, n_steps_until(base, slope, recheck - now));
    k->began = now;
    k->run_steps = m;
    k->base = base;
    k->slope = slope;
    k->n_fresh = n_fresh;
    k->take = take;
    set_end(f, r, now + run_ps(base, slope, m));
}

static void finish(Fleet *f, int64_t r, int64_t now) {
    Rep *k = f->reps + r;
    Heap *heap = f->heaps + r;
    int64_t n = f->par->turns, m = k->run_steps;
    int64_t alone_ps = run_ps(k->alone, k->alone_slope, m);
    k->write_ps += alone_ps;
    k->read_ps += now - k->began - alone_ps;
    k->n_decoded += m;
    k->context += m * k->batch;
    int64_t due = (k->n_decoded + 1) * n;
    while (heap->n > 0 && heap->key[0] < due) {
        int64_t i = pop(heap) % n;
        k->batch--;
        k->context -= f->turns[i].prompt + f->turns[i].out - 1;
        complete(f, i, r, now);
    }
    int64_t i = k->head;
    for (int64_t j = 0; j < k->n_fresh; j++) {
        Turn *t = f->turns + i;
        int64_t after = t->follow;
        t->unread = 0;
        if (t->first < 0) t->first = now;
        if (t->out == 1) {
            complete(f, i, r, now);
        } else {
            t->status = WRITING;
            k->batch++;
            k->context += t->prompt;
            add(f, heap, (k->n_decoded + t->out - 1) * n + i);
        }
        i = after;
    }
    k->head = i;
    if (k->take > 0) f->turns[i].unread -= m * k->take;
}

/* ---- `session_routing` ---- */

static int64_t route(Fleet *f, int64_t i, int64_t now) {
    const Par *par = f->par;
    const Rep *reps = f->reps;
    int64_t n_on = 0, least_load = FOREVER;
    for (int64_t r = 0; r < par->replicas; r++)
        if (reps[r].state == ON) {
            n_on++;
            least_load = least(least_load, reps[r].load);
        }
    if (n_on == 0) return -1;
    if (par->rule == ROUND_ROBIN || par->rule == RANDOM) {
        int64_t k = (par->rule == ROUND_ROBIN ? f->nums->round : f->turns[i].lot) % n_on;
        f->nums->round++;
        for (int64_t r = 0; r < par->replicas; r++)
            if (reps[r].state == ON && k-- == 0) return r;
    }
    int64_t chosen = -1, longest = -1, load_then = FOREVER;
    int64_t n_most = (f->turns[i].prompt - 1) / par->block, leaf = f->turns[i].branch;
    for (int64_t r = 0; r < par->replicas; r++) {
        int64_t blocks = 0;
        if (reps[r].state != ON || reps[r].load > least_load + par->slack) continue;
        if (par->rule == PREFIX_AWARE) {
            for (int64_t k = 0; k <= par->tiers; k++)
                if (k == 0 || !par->of_tiers[k - 1])
                    blocks = most(blocks, hit(f, par->replicas * k + r, leaf, n_most, now));
            if (2 * blocks < n_most) blocks = 0;
        }
        if (blocks > longest || (blocks == longest && reps[r].load < load_then)) {
            chosen = r;
            longest = blocks;
            load_then = reps[r].load;
        }
    }
    return chosen;
}

static void change(Fleet *f, int64_t r, int64_t state, int64_t now) {
    Rep *k = f->reps + r;
    if (STARTING <= k->state && k->state <= DRAINING) k->on_ps += now - k->since;
    k->state = state;
    k->since = now;
}

static int64_t scale(Fleet *f, int64_t now) {
    const Auto *rule = f->autoscale;
    int64_t n_on = 0, n_start = 0, n_wait = 0, n_load = 0;
    int64_t last_on = -1, last_draining = -1, first_off = -1, control = CONTROL * f->par->turns;
    for (int64_t r = 0; r < f->par->replicas; r++) {
        const Rep *k = f->reps + r;
        n_wait += k->waiting;
        n_load += k->load;
        n_on += k->state == ON;
        n_start += k->state == STARTING;
        if (k->state == ON) last_on = r;
        if (k->state == DRAINING) last_draining = r;
        if (k->state == OFF && first_off < 0) first_off = r;
    }
    happen(f, now + rule->look, control);
    if (n_wait > rule->up * (n_on + n_start)) {
        if (last_draining >= 0) {
            change(f, last_draining, ON, now);
        } else if (first_off >= 0) {
            change(f, first_off, STARTING, now);
            happen(f, now + rule->cold, control + 1 + first_off);
        }
        return -1;
    }
    if (n_on > rule->least && !n_start && !n_wait && n_load <= rule->down * (n_on - 1)) {
        change(f, last_on, DRAINING, now);
        return last_on;
    }
    return -1;
}

/* ---- `session_engine` ---- */

static int64_t enqueue(Fleet *f, int64_t i, int64_t now) {
    Turn *t = f->turns + i;
    int64_t n_prio = f->par->priorities;
    if (t->asked < 0) t->asked = now;
    t->last_asked = now;
    t->status = QUEUED;
    t->follow = -1;
    if (t->patient < FOREVER) happen(f, now + t->patient, PATIENCE * f->par->turns + i);
    int64_t r = route(f, i, now);
    t->replica = r;
    if (r < 0) {
        if (f->nums->limbo < 0) f->nums->limbo = i;
        else f->turns[f->nums->limbo_end].follow = i;
        f->nums->limbo_end = i;
        return r;
    }
    int better = 0; /* somebody who goes first waits already */
    for (int64_t p = 0; p <= t->priority; p++) better |= f->heads[r * n_prio + p] >= 0;
    int64_t q = r * n_prio + t->priority;
    if (f->heads[q] < 0) f->heads[q] = i;
    else f->turns[f->tails[q]].follow = i;
    f->tails[q] = i;
    f->reps[r].waiting++;
    f->reps[r].load++;
    if (!better && f->reps[r].running < f->par->max_batch) cut(f, r, now);
    return r;
}

static void drop(Fleet *f, int64_t i) {
    Heap *stack = &f->given_up;
    f->turns[i].status = DROPPED;
    f->nums->left--;
    stack->n = 0;
    add(f, stack, i);
    while (stack->n > 0 && !f->failed) { /* the order does not matter */
        const Turn *t = f->turns + pop(stack);
        for (int64_t j = t->next_at; j < t->next_end; j++)
            if (f->turns[f->follow[j]].status == IDLE) {
                f->turns[f->follow[j]].status = DROPPED;
                f->nums->left--;
                add(f, stack, f->follow[j]);
            }
    }
}

static void fail(Fleet *f, int64_t r, int64_t now) {
    Rep *k = f->reps + r;
    if (f->run_end[r] < FOREVER) { /* the step under way is lost, those before it are not */
        int64_t took = now - k->began, m = n_steps_until(k->base, k->slope, took + 1) - 1;
        int64_t alone_ps = run_ps(k->alone, k->alone_slope, m);
        k->write_ps += alone_ps;
        k->read_ps += took - alone_ps;
    }
    change(f, r, FAILED, now);
    set_end(f, r, FOREVER);
    f->heaps[r].n = 0;
    k->context = k->batch = k->running = k->waiting = k->load = 0;
    k->head = -1;
    for (int64_t p = 0; p < f->par->priorities; p++) f->heads[r * f->par->priorities + p] = -1;
    for (int64_t i = 0; i < f->par->turns; i++) {
        Turn *t = f->turns + i;
        if (t->replica == r && QUEUED <= t->status && t->status <= WRITING) {
            t->status = IDLE;
            happen(f, now, i);
        }
    }
    clear(f, r);
}

static void control(Fleet *f, int64_t x, int64_t now) {
    int64_t n_outages = f->n_outages, j = x - 1 - f->par->replicas;
    if (0 <= j && j < n_outages) {
        const Outage *o = f->outages + j;
        int64_t state = f->reps[o->replica].state;
        if (state == ON || state == DRAINING) {
            fail(f, o->replica, now);
            happen(f, o->to, CONTROL * f->par->turns + x + n_outages);
        }
        return;
    }
    change(f, j < 0 ? x - 1 : f->outages[j - n_outages].replica, ON, now);
    int64_t i = f->nums->limbo;
    f->nums->limbo = -1;
    for (; i >= 0; i = f->turns[i].follow) /* those without a replica ask again */
        if (f->turns[i].status == QUEUED) {
            f->turns[i].status = IDLE;
            happen(f, now, i);
        }
}

static int64_t react(Fleet *f, int64_t key, int64_t now) {
    int64_t n = f->par->turns, kind = key / n, i = key % n, r = -1;
    Turn *t = f->turns + i;
    if (kind == ARRIVAL) {
        if (t->status == IDLE) r = enqueue(f, i, now);
    } else if (kind == LOADED) {
        if (t->status == LOADING && t->ready == now) {
            r = t->replica;
            read_next(f, i, r);
            cut(f, r, now);
        }
    } else if (kind == PATIENCE) {
        if (t->status == QUEUED && t->last_asked + t->patient == now) {
            r = t->replica;
            drop(f, i);
            if (r >= 0) {
                f->reps[r].waiting--;
                f->reps[r].load--;
                cut(f, r, now);
            }
        }
    } else if (key == CONTROL * n) {
        r = scale(f, now);
    } else {
        control(f, key - CONTROL * n, now);
    }
    return r;
}

static void serve(Fleet *f) {
    int64_t n = f->par->turns, n_rep = f->par->replicas, at_root = 0, now = 0;
    int64_t next_root = f->turns[f->roots[0]].start;
    if (f->autoscale->look > 0) happen(f, f->autoscale->look, CONTROL * n);
    for (int64_t j = 0; j < f->n_outages; j++)
        happen(f, f->outages[j].from, CONTROL * n + 1 + n_rep + j);
    while (f->nums->left > 0 && !f->failed) {
        now = least(f->run_end[f->by_end[1]], next_root);
        if (f->n_events > 0) now = least(now, f->events[0].at);
        f->nums->moments++;
        if (now >= f->nums->until || f->nums->moments > f->nums->most) {
            f->nums->stopped = 1;
            break;
        }
        while (f->run_end[f->by_end[1]] == now) {
            int64_t r = f->by_end[1];
            set_end(f, r, FOREVER);
            finish(f, r, now);
            add(f, &f->ready, r);
        }
        while (next_root == now) {
            happen(f, now, f->roots[at_root++]);
            next_root = at_root < f->n_roots ? f->turns[f->roots[at_root]].start : FOREVER;
        }
        while (f->n_events > 0 && f->events[0].at == now && !f->failed) {
            int64_t r = react(f, next_event(f).key, now);
            if (r >= 0 && f->run_end[r] == FOREVER) add(f, &f->ready, r);
        }
        while (f->ready.n > 0) {
            int64_t r = pop(&f->ready), state = f->reps[r].state;
            if (f->run_end[r] < FOREVER || (state != ON && state != DRAINING)) continue;
            begin(f, r, now, admit(f, r, now));
            if (state == DRAINING && f->reps[r].load == 0) {
                change(f, r, OFF, now);
                clear(f, r);
            }
        }
    }
    for (int64_t r = 0; r < n_rep; r++) change(f, r, f->reps[r].state, now);
}

/* run_sessions(tables): the arrays of `econ.serving.session_run.run`, in its order. */
PyObject *run_sessions(PyObject *self, PyObject *tables) {
    (void)self;
    enum { TURNS, FOLLOW, REPS, TREE, ENTRIES, CACHES, NUMS, HEADS, TAILS, LINKS, LINEAR, BASE,
           CTX, ROOTS, AUTO, OUTAGES, RUN_END, BY_END, PAR, N_TABLES };
    Fleet f = {0};
    void **places[N_TABLES] = {
        (void **)&f.turns, (void **)&f.follow, (void **)&f.reps, (void **)&f.tree,
        (void **)&f.entries, (void **)&f.caches, (void **)&f.nums, (void **)&f.heads,
        (void **)&f.tails, (void **)&f.links, (void **)&f.linear, (void **)&f.decode_base,
        (void **)&f.decode_ctx, (void **)&f.roots, (void **)&f.autoscale, (void **)&f.outages,
        (void **)&f.run_end, (void **)&f.by_end, (void **)&f.par};
    int64_t sizes[N_TABLES], words = sizeof(int64_t);
    Views views = {.n = 0};
    PyObject *answer = NULL;
    for (int k = 0; k < N_TABLES; k++)
        if (!(*places[k] = data_of(&views, PyTuple_GetItem(tables, k), 8, sizes + k))) goto end;
    if (sizes[PAR] < (int64_t)sizeof(Par) / words ||
        sizes[TURNS] != f.par->turns * (int64_t)sizeof(Turn) / words ||
        sizes[REPS] != f.par->replicas * (int64_t)sizeof(Rep) / words ||
        sizes[ENTRIES] != sizes[CACHES] * words / (int64_t)sizeof(Cache) *
                              (f.par->branches + 1) * (int64_t)sizeof(Entry) / words ||
        sizes[NUMS] != (int64_t)sizeof(Nums) / words ||
        sizes[AUTO] != (int64_t)sizeof(Auto) / words) {
        other_version();
        goto end;
    }
    f.n_by_end = sizes[BY_END];
    f.n_roots = sizes[ROOTS];
    f.n_outages = sizes[OUTAGES] * words / (int64_t)sizeof(Outage);
    if (!(f.heaps = calloc((size_t)f.par->replicas, sizeof *f.heaps))) {
        PyErr_NoMemory();
        goto end;
    }
    Py_BEGIN_ALLOW_THREADS
    serve(&f);
    Py_END_ALLOW_THREADS
    if (f.failed) PyErr_NoMemory();
    else answer = Py_NewRef(Py_None);
end:
    for (int64_t r = 0; f.heaps && r < f.par->replicas; r++) free(f.heaps[r].key);
    free(f.heaps);
    free(f.ready.key);
    free(f.given_up.key);
    free(f.events);
    release(&views);
    return answer;
}
