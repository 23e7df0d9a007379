/* `econ.serving.engine` in C: the same events in the same order, equal to the integer (the tests
   hold both against an engine that goes token by token). Names and comments are those of the
   Python source, which says why each step is as it is. What is known of a request between its
   admission and its last token stands in a slot of its replica, a line of the cache, instead of in
   columns of all requests: of a fleet's replicas any may be next, and all their slots fit there. */

#include "_engine.h"

#define FINE 10
#define LAYOUT 3
#define NEVER INT64_MAX
enum { T, D_STEP, CONTEXT, BATCH, RESERVED, TAIL, STACK, HEAD, PART, PART_DONE, PART_LEFT, EVENTS,
       N_DONE, N_LATE, STOPPED, RUN_END, PEAK, N_STATE };
enum { CHUNKED, MAX_BATCH, BUDGET, BLOCK, TOTAL, PER_SEQUENCE, PRE_BASE, PRE_PAIR, LIN_SLOPE,
       MAX_EVENTS, TTFT, TPOT, LAG, LAG_STEPS, MOST_BAD, N_BAD, N_PAR };

typedef struct {
    int64_t n, n_linear, *par;
    int bits; /* of a slot's number in the keys of the heap: step << bits | slot */
    int is_ready; /* requests come with their KV cache from another pool */
    const int64_t *arrival, *prompt, *out, *linear, *decode_base, *decode_ctx;
    const int32_t *cached;
    int32_t *follow; /* of a fleet, who queues behind whom; one replica's queue is all requests */
    int64_t *first, *done, *n_preempt;
} Run;

typedef struct { int64_t fin; int32_t i, prompt, out, cached, gen, prv, nxt, unused[7]; } Slot;
typedef struct { Heap heap; Slot *slot; int64_t n, room, spare; } Replica;

static int64_t after(const Run *run, int64_t i) {
    return run->follow ? run->follow[i] : i + 1 < run->n ? i + 1 : -1;
}

/* A slot for a request that is let in, the one freed last if any is free; -1 without memory. */
static int64_t admit(const Run *run, Replica *own, int64_t i) {
    int64_t k = own->spare;
    if (k >= 0) own->spare = own->slot[k].nxt;
    else {
        if (own->n == own->room) {
            int64_t room = own->room ? 2 * own->room : 64;
            Slot *grown = realloc(own->slot, (size_t)room * sizeof *grown);
            if (!grown) return -1;
            own->slot = grown;
            own->room = room;
        }
        k = own->n++;
    }
    own->slot[k] = (Slot){.fin = -1, .i = (int32_t)i, .prompt = (int32_t)run->prompt[i],
                          .out = (int32_t)run->out[i], .cached = run->cached[i],
                          .gen = run->is_ready};
    return k;
}

static void leave(Replica *own, int64_t k) {
    own->slot[k].fin = -1;
    own->slot[k].nxt = (int32_t)own->spare;
    own->spare = k;
}

/* Blocks: division rounds down, the remainder is never negative; a power of two needs neither. */
typedef struct { int64_t b, shift; } Block;
static Block block_of(int64_t b) {
    int64_t shift = 0;
    while (((int64_t)1 << shift) < b) shift++;
    return (Block){b, ((int64_t)1 << shift) == b ? shift : -1};
}
static int64_t per(int64_t a, Block k) { return k.shift >= 0 ? a >> k.shift : a / k.b; }
static int64_t mod(int64_t a, Block k) {
    if (k.shift >= 0) return a & (k.b - 1);
    int64_t r = a % k.b;
    return r < 0 ? r + k.b : r;
}

static int64_t used_blocks(const int64_t *cnt, int64_t d, int64_t ctx, Block k) {
    int64_t padded = ctx;
    for (int64_t r = 0; r < k.b; r++) padded += cnt[r] * mod(-r - d, k);
    return per(padded, k);
}

static int64_t growth_limit(const int64_t *cnt, int64_t d, int64_t n_batch, Block k,
                            int64_t n_free, int64_t n_steps) {
    int64_t cycles = n_free / n_batch, steps = cycles * k.b;
    n_free -= cycles * n_batch;
    while (steps < n_steps && cnt[mod(-d - steps, k)] <= n_free)
        n_free -= cnt[mod(-d - steps++, k)];
    return least(steps, n_steps);
}

static int misses(const Run *run, int64_t i, int64_t done_ps) {
    const int64_t *par = run->par;
    int64_t n_steps = run->out[i] - 1, decode_ps = done_ps - run->first[i];
    int64_t wait_ps = run->first[i] - run->arrival[i] + par[LAG];
    int slow = n_steps > 0 && decode_ps / n_steps >= par[TPOT] && decode_ps > par[TPOT] * n_steps;
    if (n_steps > 0 && !slow) wait_ps += par[LAG_STEPS] * (decode_ps / n_steps) >> FINE;
    return slow || wait_ps > par[TTFT];
}

static int64_t unlink_one(Slot *slot, int64_t tail, int64_t k) {
    int32_t before = slot[k].prv, next = slot[k].nxt;
    if (before >= 0) slot[before].nxt = next;
    if (next < 0) return before;
    slot[next].prv = before;
    return tail;
}

static int64_t append(Slot *slot, int64_t tail, int64_t k) {
    slot[k].prv = (int32_t)tail;
    slot[k].nxt = -1;
    if (tail >= 0) slot[tail].nxt = (int32_t)k;
    return k;
}

/* Run one replica through every step that starts before `until_ps`; -1 without memory. */
static int advance(const Run *run, int64_t *st, Replica *own, int64_t *cnt, int64_t until_ps) {
    if (st[T] >= until_ps) return 0;
    int64_t *par = run->par;
    const int bits = run->bits;
    const int64_t *arrival = run->arrival;
    Heap *heap = &own->heap;
    Slot *slot = own->slot;
    const int is_ready = run->is_ready;
    const int chunked = par[CHUNKED] != 0, is_judged = par[MOST_BAD] < run->n;
    const int64_t max_batch = par[MAX_BATCH], budget = par[BUDGET], b = par[BLOCK];
    const Block k = block_of(b);
    const int64_t total = par[TOTAL], q = par[PER_SEQUENCE];
    int64_t t = st[T], d = st[D_STEP], ctx = st[CONTEXT], batch = st[BATCH];
    int64_t reserved = st[RESERVED], tail = st[TAIL], stack = st[STACK], head = st[HEAD];
    int64_t part = st[PART], p_done = st[PART_DONE], p_left = st[PART_LEFT];
    int64_t events = st[EVENTS], n_done = st[N_DONE], late = st[N_LATE], stopped = st[STOPPED];
    int64_t run_end = st[RUN_END], peak = st[PEAK];
    while (t < until_ps) {
        if (batch == 0 && part < 0 && stack < 0) {
            if (head < 0) break;
            if (arrival[head] > t) {
                t = arrival[head];
                late = 0;
                continue;
            }
        }
        if (events >= par[MAX_EVENTS] || par[N_BAD] > par[MOST_BAD]) {
            stopped = 1;
            break;
        }
        events++;
        late = run_end = 0;
        int64_t count = part >= 0 ? batch + 1 : batch;

        /* requests whose KV cache came from another pool join without a prefill */
        while (is_ready && stack < 0 && head >= 0 && arrival[head] <= t && count < max_batch) {
            int64_t i, s = run->prompt[head];
            int64_t free_now = total - reserved - used_blocks(cnt, d, ctx, k);
            if (per(s + b, k) + cnt[mod(-d, k)] > free_now) break;
            if ((i = admit(run, own, head)) < 0) return -1;
            slot = own->slot;
            head = after(run, head);
            tail = append(slot, tail, i);
            ctx += s;
            batch++;
            count++;
            cnt[mod(s - d, k)]++;
            slot[i].fin = d + slot[i].out - slot[i].gen;
            if (push(heap, slot[i].fin << bits | i)) return -1;
        }

        /* free blocks: a lower bound, made exact as soon as it could refuse something */
        int64_t size = stack >= 0 ? slot[stack].prompt + slot[stack].gen
                       : head >= 0 ? run->prompt[head] + is_ready : 1 - b;
        int64_t blocks = per(size + b - 1, k);
        int64_t n_free = total - reserved - per(ctx + (b - 1) * batch, k);
        int exact = n_free < batch + blocks;
        if (exact) n_free = total - reserved - used_blocks(cnt, d, ctx, k);
        int waits = stack >= 0 || (!is_ready && head >= 0 && arrival[head] <= t);
        int preempted = 0;
        if (chunked || !(waits && count < max_batch && blocks <= n_free))
            while (cnt[mod(-d, k)] > n_free) {
                preempted = exact = 1;
                int64_t i = tail;
                tail = unlink_one(slot, tail, i);
                if (i == part) {
                    part = -1;
                    reserved -= per(slot[i].prompt + slot[i].gen + b - 1, k);
                } else {
                    slot[i].gen = (int32_t)(slot[i].out - (slot[i].fin - d));
                    slot[i].fin = -1;
                    int64_t s = slot[i].prompt + slot[i].gen - 1;
                    ctx -= s;
                    batch--;
                    cnt[mod(s - d, k)]--;
                }
                count--;
                run->n_preempt[slot[i].i]++;
                slot[i].nxt = (int32_t)stack;
                stack = i;
                n_free = total - reserved - used_blocks(cnt, d, ctx, k);
            }

        /* the prefill part of this step */
        int64_t left = chunked ? budget - q * batch : budget;
        int64_t room = chunked ? n_free - cnt[mod(-d, k)] : n_free;
        int64_t fresh = -1, chunk = 0, pairs = 0, p_take = 0;
        int long_run = 0;
        if (part >= 0 && left > 0) {
            p_take = least(left, p_left);
            chunk = p_take;
            pairs = p_take * (2 * p_done + p_take);
            left -= p_take;
            if (p_take == p_left) {
                fresh = part;
                part = -1;
                p_take = 0;
            } else {
                long_run = 1;
            }
        }
        while (left > 0 && waits && count < max_batch && !preempted && part < 0) {
            int64_t i, x;
            if (stack >= 0) {
                size = slot[stack].prompt + slot[stack].gen;
                x = size - slot[stack].cached;
            } else if (!is_ready && head >= 0 && arrival[head] <= t) {
                size = run->prompt[head];
                x = size - run->cached[head];
            } else break;
            blocks = per(size + b - 1, k);
            if (blocks > room) {
                if (exact) break;
                exact = 1;
                room += per(ctx + (b - 1) * batch, k) - used_blocks(cnt, d, ctx, k);
                if (blocks > room) break;
            }
            if (!chunked && chunk > 0 && x > left) break;
            if (stack >= 0) {
                i = stack;
                stack = slot[i].nxt;
            } else {
                if ((i = admit(run, own, head)) < 0) return -1;
                slot = own->slot;
                head = after(run, head);
            }
            tail = append(slot, tail, i);
            int64_t done_before = slot[i].cached;
            room -= blocks;
            reserved += blocks;
            count++;
            if (chunked && x > left) {
                part = i;
                p_done = done_before;
                p_left = x;
                p_take = x = left;
            } else if (fresh < 0) {
                fresh = i;
            }
            chunk += x;
            pairs += x * (2 * done_before + x);
            left -= x;
        }

        peak = most(peak, count);
        /* the time of a step, and by how much the next equal one is longer */
        int decode = batch > 0 && (chunked || chunk == 0);
        int64_t tokens = decode ? chunk + q * batch : chunk, slope = 0, last = run->n_linear - 1;
        int64_t base = run->linear[least(tokens, last)];
        base += most(tokens - last, 0) * par[LIN_SLOPE];
        if (decode) {
            slope = run->decode_ctx[batch] * batch;
            base += run->decode_base[batch] + run->decode_ctx[batch] * (ctx + batch);
        }
        if (chunk > 0) base += par[PRE_BASE] + par[PRE_PAIR] * pairs;

        /* how many equal steps follow */
        int64_t m = 1;
        if (!preempted && (chunk == 0 || long_run)) {
            m = decode ? (heap->key[0] >> bits) - d : p_left;
            if (long_run) {
                slope += 2 * par[PRE_PAIR] * p_take * p_take;
                m = least(m, (p_left - 1) / p_take);
            }
            if (decode && per(ctx + (m + b - 1) * batch, k) > total - reserved) {
                n_free = total - reserved - used_blocks(cnt, d, ctx, k);
                m = growth_limit(cnt, d, batch, k, n_free, m);
            }
            int64_t time_left = until_ps - t, full = run_ps(base, slope, m);
            run_end = t + full;
            /* a long prefill leaves no budget for another */
            if (head >= 0 && (chunk == 0 || is_ready) && arrival[head] > t &&
                count < max_batch) {
                time_left = least(time_left, arrival[head] - t);
                run_end = 0;
            }
            if (m > 1 && full > time_left) m = n_steps_until(base, slope, time_left);
        }
        t += run_ps(base, slope, m);
        if (part >= 0) {
            p_done += m * p_take;
            p_left -= m * p_take;
        }

        if (decode) {
            d += m;
            ctx += m * batch;
            int64_t due = (d + 1) << bits;
            while (heap->n > 0 && heap->key[0] < due) {
                int64_t key = pop(heap), i = key & ((1LL << bits) - 1);
                if (slot[i].fin != key >> bits) continue; /* left behind by a preemption */
                run->done[slot[i].i] = t;
                late++;
                par[N_BAD] += is_judged && misses(run, slot[i].i, t);
                int64_t s = slot[i].prompt + slot[i].out - 1;
                ctx -= s;
                batch--;
                cnt[mod(s - d, k)]--;
                tail = unlink_one(slot, tail, i);
                leave(own, i);
            }
        }

        for (int64_t i = fresh; i >= 0;) {
            Slot *one = slot + i;
            int64_t next = one->nxt;
            if (i == part || one->fin >= 0) { /* half prefilled, or joined with its KV cache */
                i = next;
                continue;
            }
            reserved -= per(one->prompt + one->gen + b - 1, k);
            one->gen++;
            if (run->first[one->i] == NEVER) run->first[one->i] = t;
            if (one->gen == one->out) {
                run->done[one->i] = t;
                late++;
                par[N_BAD] += is_judged && misses(run, one->i, t);
                tail = unlink_one(slot, tail, i);
                leave(own, i);
            } else {
                int64_t s = one->prompt + one->gen - 1;
                ctx += s;
                batch++;
                cnt[mod(s - d, k)]++;
                one->fin = d + one->out - one->gen;
                if (push(heap, one->fin << bits | i)) return -1;
            }
            i = next;
        }
        n_done += late;
    }
    if (run_end <= t && batch > 0 && part < 0 && stack < 0 && head < 0) {
        int64_t m = (heap->key[0] >> bits) - d, last = run->n_linear - 1, tokens = q * batch;
        int64_t base = run->linear[least(tokens, last)] + most(tokens - last, 0) * par[LIN_SLOPE];
        base += run->decode_base[batch] + run->decode_ctx[batch] * (ctx + batch);
        if (per(ctx + (m + b - 1) * batch, k) <= total)
            run_end = t + run_ps(base, run->decode_ctx[batch] * batch, m);
    }
    st[T] = t, st[D_STEP] = d, st[CONTEXT] = ctx, st[BATCH] = batch;
    st[RESERVED] = reserved, st[TAIL] = tail, st[STACK] = stack, st[HEAD] = head;
    st[PART] = part, st[PART_DONE] = p_done, st[PART_LEFT] = p_left;
    st[EVENTS] = events, st[N_DONE] = n_done, st[N_LATE] = late, st[STOPPED] = stopped;
    st[RUN_END] = run_end, st[PEAK] = peak;
    return 0;
}

/* wakes and loads: trees of the least of both children, the root at 1, replica r at width + r */
typedef struct { int64_t *last, *routed, *wakes, *loads, width; } Router;

static void put(int64_t *tree, int64_t k, int64_t key) {
    tree[k] = key;
    for (; k > 1; k >>= 1) tree[k >> 1] = key = least(key, tree[k ^ 1]);
}

static int least_loaded(const Run *run, int64_t *sts, Replica *own, int64_t *cnts, int64_t n_rep,
                        Router at, int64_t until_ps) {
    int64_t b = run->par[BLOCK], w = at.width;
    for (int64_t i = 0; i < run->n && run->par[N_BAD] <= run->par[MOST_BAD]; i++) {
        int64_t now = run->arrival[i], until = least(now, until_ps);
        while (at.wakes[1] <= now) {
            int64_t k = 1;
            while (k < w) k = 2 * k + (at.wakes[2 * k] > at.wakes[1]);
            int64_t r = k - w, *st = sts + r * N_STATE, late = 0, wake = st[RUN_END];
            if (wake <= now) {
                if (advance(run, st, own + r, cnts + r * b, until)) return -1;
                if (st[T] > now) late = st[N_LATE];
                wake = st[T] < now ? FOREVER : late ? st[T] : most(st[T] + 1, st[RUN_END]);
            }
            put(at.wakes, k, wake);
            put(at.loads, k, (at.routed[r] - st[N_DONE] + late) * w + r);
        }
        int64_t r = at.loads[1] & (w - 1), *st = sts + r * N_STATE;
        at.routed[r]++;
        put(at.loads, w + r, at.loads[1] + w);
        run->follow[i] = -1;
        if (st[HEAD] >= 0) { /* behind others: nothing changes before they are let in */
            run->follow[at.last[r]] = (int32_t)i;
        } else {
            if (advance(run, st, own + r, cnts + r * b, until)) return -1;
            st[HEAD] = i;
            st[RUN_END] = 0;
            put(at.wakes, w + r, st[T] <= now ? now + 1 : st[N_LATE] ? st[T] : st[T] + 1);
        }
        at.last[r] = i;
    }
    for (int64_t r = 0; r < n_rep; r++)
        if (advance(run, sts + r * N_STATE, own + r, cnts + r * b, until_ps)) return -1;
    return 0;
}

#define TAKE(target, tuple, at, size, n) \
    if (!((target) = data_of(&views, PyTuple_GetItem(tuple, at), size, n))) goto end

/* run(states, counts, router, until_ps, is_ready, requests, cost, parameters): router is () for
   one replica; all the rest are the arrays of `econ.serving.pools.run_engine`. */
static PyObject *run_all(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *states, *counts, *router, *req, *cost, *par, *answer = NULL;
    long long until_ps;
    Views views = {.n = 0};
    Run run = {.follow = NULL};
    Router at = {0};
    Replica *own = NULL;
    int64_t *sts, *cnts, n_states, n_rep = 0, n_par;
    int failed;
    if (!PyArg_ParseTuple(args, "OOO!LpO!O!O", &states, &counts, &PyTuple_Type, &router, &until_ps,
                          &run.is_ready, &PyTuple_Type, &req, &PyTuple_Type, &cost, &par))
        return NULL;
    if (!(sts = data_of(&views, states, 8, &n_states))) goto end;
    if (!(cnts = data_of(&views, counts, 8, NULL))) goto end;
    if (!(run.par = data_of(&views, par, 8, &n_par))) goto end;
    TAKE(run.arrival, req, 0, 8, &run.n);
    TAKE(run.prompt, req, 1, 8, NULL);
    TAKE(run.out, req, 2, 8, NULL);
    TAKE(run.cached, req, 3, 4, NULL);
    TAKE(run.first, req, 4, 8, NULL);
    TAKE(run.done, req, 5, 8, NULL);
    TAKE(run.n_preempt, req, 6, 8, NULL);
    TAKE(run.linear, cost, 0, 8, &run.n_linear);
    TAKE(run.decode_base, cost, 1, 8, NULL);
    TAKE(run.decode_ctx, cost, 2, 8, NULL);
    if (n_states % N_STATE || n_par != N_PAR) {
        other_version();
        goto end;
    }
    n_rep = n_states / N_STATE;
    for (run.bits = 1; ((int64_t)1 << run.bits) < run.n;) run.bits++;
    if (PyTuple_Size(router)) {
        TAKE(at.last, router, 0, 8, NULL);
        TAKE(at.routed, router, 1, 8, NULL);
        TAKE(at.loads, router, 2, 8, &at.width);
        TAKE(at.wakes, router, 3, 8, NULL);
        at.width /= 2;
        run.follow = malloc((size_t)run.n * sizeof *run.follow);
    }
    own = calloc((size_t)n_rep, sizeof *own);
    if (!own || (at.last && !run.follow)) {
        PyErr_NoMemory();
        goto end;
    }
    for (int64_t r = 0; r < n_rep; r++) own[r].spare = -1;
    Py_BEGIN_ALLOW_THREADS
    failed = at.last ? least_loaded(&run, sts, own, cnts, n_rep, at, until_ps)
                     : advance(&run, sts, own, cnts, until_ps);
    Py_END_ALLOW_THREADS
    if (failed) PyErr_NoMemory();
    else answer = Py_NewRef(Py_None);
end:
    for (int64_t r = 0; own && r < n_rep; r++) {
        free(own[r].heap.key);
        free(own[r].slot);
    }
    free(own);
    free(run.follow);
    release(&views);
    return answer;
}

static PyMethodDef methods[] = {
    {"run", run_all, METH_VARARGS, "Run one pool; see econ.serving.pools.run_engine."},
    {"run_sessions", run_sessions, METH_O, "Serve sessions; see econ.serving.session_run.run."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "econ.serving._engine",
                                    "econ.serving.engine in C.", 0, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__engine(void) {
    PyObject *made = PyModule_Create(&module);
    if (made && PyModule_AddIntConstant(made, "LAYOUT", LAYOUT)) Py_CLEAR(made);
    return made;
}
