"""How fast the serving simulator is, on this machine, in this process.

    python bench/bench_serving.py            # a minute
    python bench/bench_serving.py --million  # with 1,000,000 requests, and 10,000,000 on a fleet
    python bench/bench_serving.py --sweep    # and 1,000 simulations of 10,000 requests on all cores

Requests of about 1,000 tokens in and 200 out, Poisson, at 80 % of what the replica sustains. The
seconds are CPU seconds (one core; a busy machine disturbs them less than wall time), the best of
three calls of `simulate`, so they hold the checks and the conversion of the results, not only the
kernel; the kernel of Python and numba is listed apart. Numba's start-up is timed in fresh
processes: with an empty compiler cache, with a full one, and with a full one where Python may not
keep bytecode either (some containers forbid it). The sweep is wall time.
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from econ.scenario import Scenario
from econ.serving import Replica, StepCost, compiled, engine, simulate
from econ.sweeps import sweep
from tests.oracles.reference_engine import simulate_reference

COST = StepCost.affine(
    6e-3, 45e-6, per_ctx_token_s=45e-9, prefill_base_s=1e-3, prefill_per_pair_s=2e-10
)
RATE_PER_S = {"prefill_first": 12.0, "chunked_prefill": 12.0}


def requests(n: int, rate_per_s: float, seed: int = 1):
    """Arrivals and lengths: gamma with a coefficient of variation of one half around the means."""
    rng = np.random.default_rng(seed)
    arrival = np.cumsum(rng.exponential(1 / rate_per_s, n))
    lengths = [np.maximum(1, rng.gamma(4, mean / 4, n)).astype("int64") for mean in (1000, 200)]
    return arrival, *lengths


def replica(policy: str) -> Replica:
    """A replica of one large accelerator's size."""
    return Replica(cost=COST, kv_tokens=400_000, max_batch=256, policy=policy, token_budget=2048)


def best_s(load, target, kind: str, repeats: int = 3) -> tuple[float, float]:
    """Best CPU time of a call, and of the kernel inside it."""
    call, kernel = np.inf, np.inf
    homes = {"numba": (compiled, "run"), "python": (engine, "run_one")}
    home, name = homes.get(kind, (None, ""))
    run = simulate_reference if kind == "reference" else functools.partial(simulate, engine=kind)
    for _ in range(repeats):
        spent = []
        if name:
            plain = getattr(home, name)

            def timed(*arguments, plain=plain, spent=spent):
                start = time.process_time()
                plain(*arguments)
                spent.append(time.process_time() - start)

            setattr(home, name, timed)
        start = time.process_time()
        try:
            run(*load, target)
        finally:
            call = min(call, time.process_time() - start)
            if name:
                setattr(home, name, plain)
                kernel = min(kernel, sum(spent))
    return call, kernel


def start_up_s(cache: str, bytecode: str | None = None) -> float:
    """Seconds of the first numba simulation in a fresh process, the import of numba included."""
    code = (
        "import time; from econ.serving import compiled, warm_up; compiled.native = lambda: None; "
        "t = time.process_time(); warm_up(); print(time.process_time() - t)"
    )
    env = {**os.environ, "NUMBA_CACHE_DIR": cache, "PYTHONDONTWRITEBYTECODE": "1"}
    if bytecode:
        env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def fastest() -> str:
    """The engine in C where it was built, else numba."""
    return "numba" if compiled.native() is None else "c"


FLEETS = (1, 4, 64, 1000)
SIZES = (10_000, 100_000, 1_000_000)


def fleets() -> None:
    """Least-loaded routing: requests a second by replicas, and how flat the cost of an event is."""
    one, kind = 0.0, fastest()
    for n_replicas in FLEETS:
        fleet = replica("chunked_prefill").replace(n_replicas=n_replicas, routing="least_loaded")
        n = max(200_000, 200 * n_replicas)
        call = best_s(requests(n, 12.0 * n_replicas), fleet, kind)[0]
        one = one or n / call
        print(
            f"least loaded over {n_replicas:5,}, {kind}: {n / call:12,.0f} requests/s, "
            f"{n / call / one:.2f} of one replica's"
        )


def flatness(sizes: tuple[int, ...]) -> None:
    """CPU time of a call by event and by request, and memory, from small runs to large.

    A fleet's first requests come to empty replicas: events differ, so both ratios are shown.
    """
    for n_replicas in (1, 64):
        fleet = replica("chunked_prefill").replace(n_replicas=n_replicas, routing="least_loaded")
        first = (0.0, 0.0)
        for n in sizes:
            load = requests(n, 12.0 * n_replicas)
            n_events = simulate(*load, fleet, engine=fastest()).n_events
            spent_s = best_s(load, fleet, fastest(), 10 if n < 200_000 else 2)[0]
            first = first if first[0] else (spent_s / n_events, spent_s / n)
            print(
                f"{n_replicas:3} replicas, {n:10,} requests: an event costs "
                f"{spent_s / n_events / first[0]:.2f}, a request {spent_s / n / first[1]:.2f} "
                f"of the first's; {spent_s:.2f} s"
            )
    tracemalloc.start()
    simulate(*load, fleet, engine=fastest())
    print(f"{n:11,} requests: {tracemalloc.get_traced_memory()[1] / 1e9:.2f} GB at the peak")
    tracemalloc.stop()


def sweep_in_parallel() -> None:
    """Two policies, 50 rates, 10 seeds."""
    start = time.perf_counter()
    frame = sweep(
        simulate,
        Scenario.default(),
        policy=list(RATE_PER_S),
        rate_per_s=np.linspace(1, 20, 50),
        seed=range(10),
        n_jobs=-1,
        progress=True,
    )
    spent = time.perf_counter() - start
    print(f"sweep: {len(frame):,} simulations of 10,000 requests in {spent:.1f} s")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--million", action="store_true", help="also 1,000,000 requests")
    parser.add_argument("--sweep", action="store_true", help="also 1,000 simulations of 10,000")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first, cache, bytecode = (os.path.join(folder, name) for name in ("a", "b", "pyc"))
        start_up_s(first, bytecode)  # writes the bytecode, as installing packages does
        cold, cached = start_up_s(cache, bytecode), start_up_s(cache, bytecode)
        bare = start_up_s(cache, os.path.join(folder, "none"))
        print(
            f"JIT: cold {cold:.2f} s, cached {cached:.2f} s, cached without bytecode {bare:.2f} s"
        )
    simulate([0.0], [4], [2], replica("prefill_first"), engine="numba")
    sizes = {"reference": [1000, 10_000], "python": [1000, 10_000, 50_000]}
    sizes["numba"] = [1000, 10_000, 100_000] + ([1_000_000] if options.million else [])
    if compiled.native() is not None:
        sizes["c"] = sizes["numba"]
    print(f"{'policy':16} {'engine':10} {'requests':>9} {'call req/s':>12} {'kernel req/s':>13}")
    for policy, rate_per_s in RATE_PER_S.items():
        per_s = {}
        for kind, ns in sizes.items():
            for n in ns:
                load = requests(n, rate_per_s)
                repeats = 1 if kind == "reference" else 3
                call, kernel = best_s(load, replica(policy), kind, repeats)
                per_s[kind, n] = n / call
                shown = f"{n / kernel:13,.0f}" if np.isfinite(kernel) else f"{'':>13}"
                print(f"{policy:16} {kind:10} {n:9,} {n / call:12,.0f} {shown}")
        for n, beside in ((1000, 1000), (10_000, 10_000), (sizes["numba"][-1], 10_000)):
            ratio = per_s[fastest(), n] / per_s["reference", beside]
            print(
                f"{policy:16} {fastest()} at {n:,}: {ratio:,.0f} times the reference at {beside:,}"
            )
    fleets()
    flatness(SIZES + ((10_000_000,) if options.million else ()))
    if options.sweep:
        sweep_in_parallel()
    load = requests(100_000, RATE_PER_S["prefill_first"])
    tracemalloc.start()
    result = simulate(*load, replica("prefill_first"), engine=fastest())
    kept, peak = tracemalloc.get_traced_memory()
    per = len(load[0])
    print(f"memory: {peak / per:.0f} bytes a request at the peak, {kept / per:.0f} kept; {result}")


if __name__ == "__main__":
    main()
