/* What both engines in C use: heaps, the tree of matches, steps of a run, arrays from Python. */

#ifndef ECON_ENGINE_H
#define ECON_ENGINE_H
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define FOREVER ((int64_t)1 << 62)

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

typedef struct { int64_t *key; int64_t n, room; } Heap;

static inline int push(Heap *h, int64_t key) {
    if (h->n == h->room) {
        int64_t room = h->room ? 2 * h->room : 64;
        int64_t *grown = realloc(h->key, (size_t)room * sizeof *grown);
        if (!grown) return -1;
        h->key = grown;
        h->room = room;
    }
    int64_t i = h->n++;
    for (; i && key < h->key[(i - 1) / 2]; i = (i - 1) / 2) h->key[i] = h->key[(i - 1) / 2];
    h->key[i] = key;
    return 0;
}

static inline int64_t pop(Heap *h) {
    int64_t top = h->key[0], key = h->key[--h->n], i = 0, child;
    while ((child = 2 * i + 1) < h->n) {
        if (child + 1 < h->n) child += h->key[child + 1] < h->key[child];
        if (key <= h->key[child]) break;
        h->key[i] = h->key[child];
        i = child;
    }
    h->key[i] = key;
    return top;
}

/* Play leaf r's matches up to tree[1]: the least key wins, the first on a tie. */
static inline void settle(int64_t *tree, int64_t n_tree, const int64_t *key, int64_t r) {
    for (int64_t k = (n_tree / 2 + r) / 2; k > 0; k /= 2) {
        int64_t a = tree[2 * k], b = tree[2 * k + 1], winner = a + (key[b] < key[a]) * (b - a);
        if ((tree[k] == winner) & (winner != r)) break;
        tree[k] = winner;
    }
}

/* Time of m steps, each longer than the one before. */
static inline int64_t run_ps(int64_t base, int64_t slope, int64_t m) {
    return m * base + slope * (m * (m - 1) / 2);
}

/* The least number of steps, at least 1, that take so long or longer. */
static inline int64_t n_steps_until(int64_t base, int64_t slope, int64_t time_ps) {
    double half = (double)base - (double)slope / 2, time = (double)time_ps;
    int64_t m = most((int64_t)(2 * time / (half + sqrt(half * half + 2.0 * slope * time))), 1);
    while (run_ps(base, slope, m) < time_ps) m++;
    while (m > 1 && run_ps(base, slope, m - 1) >= time_ps) m--;
    return m;
}

#define MOST_BUFFERS 32
typedef struct { Py_buffer view[MOST_BUFFERS]; int n; } Views;

/* The data of a writable array whose elements have that size; NULL with an error. */
static inline void *data_of(Views *views, PyObject *array, Py_ssize_t itemsize, int64_t *n) {
    Py_buffer *view = &views->view[views->n];
    if (!array || PyObject_GetBuffer(array, view, PyBUF_FORMAT | PyBUF_WRITABLE | PyBUF_ND))
        return NULL;
    views->n++;
    if (view->itemsize != itemsize) {
        PyErr_Format(PyExc_TypeError, "elements of %zd bytes, not %zd", view->itemsize, itemsize);
        return NULL;
    }
    if (n) *n = view->len / itemsize;
    return view->buf;
}

static inline void release(Views *views) {
    while (views->n) PyBuffer_Release(&views->view[--views->n]);
}

static inline PyObject *other_version(void) {
    PyErr_SetString(PyExc_ValueError, "this engine was built from another version: build again");
    return NULL;
}

PyObject *run_sessions(PyObject *self, PyObject *tables);

#endif
