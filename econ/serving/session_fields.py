"""Fields and names of numbers in the tables of the session engine.

Tables are flat: field F of row i of a table with N fields stands at i·N + F.
"""

from __future__ import annotations

IDLE, QUEUED, LOADING, READING, WRITING, DONE, DROPPED = range(7)  # status of a turn
OFF, STARTING, ON, DRAINING, FAILED = range(5)  # state of a replica
ROUND_ROBIN, RANDOM, LEAST_LOADED, PREFIX_AWARE = range(4)
ARRIVAL, LOADED, PATIENCE, CONTROL = range(4)  # events: kind · n + turn; the last kind: control

# turns: what they are, then what becomes of them
BRANCH, PROMPT, OUT, WAIT, DEPS, NEXT_AT, NEXT_END, PRIORITY, PATIENT, FAILURES = range(10)
LOT, START, STATUS, ASKED, ADMITTED, FIRST, ENDED, REPLICA, HBM_READ, LOAD_READ = range(10, 20)
COMPUTED, ATTEMPTS, UNREAD, PRIVATE, FOLLOW, READY, LAST_ASKED, N_TURN = range(20, 28)
# replicas: the run under way, what runs and waits, and sums of time
STATE, BEGAN, RUN_STEPS, BASE, SLOPE, ALONE, ALONE_SLOPE, N_FRESH, TAKE = range(9)
N_DECODED, CONTEXT, BATCH, RUNNING, WAITING, LOAD, HEAD, TAIL = range(9, 17)
WRITE_PS, READ_PS, SINCE, ON_PS, N_REP = range(17, 22)
# entries of a cache, one a branch: blocks, last use, neighbours in the list, turns that read it
BLOCKS, LAST, BEFORE, AFTER, PINS, N_ENTRY = range(6)
USED, LOOSE, ROOM, TTL, EVICTED, WRITTEN, READ, N_CACHE = range(8)  # caches, in blocks
PARENT, FROM, N_TREE = range(3)  # branches
# numbers: the next replica of a round, turns left, moments, first and last of those without a
# replica, whether a limit stopped the run; the pause before a retry, most moments, the last moment
ROUND, LEFT, MOMENTS, LIMBO, LIMBO_END, STOPPED, BACKOFF, MOST, UNTIL = range(9)
# settings, and per tier whether it is shared, its latency and its time a token
CACHED, MAX_BATCH, BUDGET, BLOCK, PRE_BASE, PRE_PAIR, REPLICAS, RULE, SLACK, TIERS = range(10)
PRIORITIES, BRANCHES, TURNS, OF_TIERS = range(10, 14)
LEAST, UP, DOWN, COLD, LOOK = range(5)  # autoscaler
