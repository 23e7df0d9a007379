"""Logs of sessions: by session id, by hashes of blocks, and what contradicts itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from econ.tokens import Replay, Sessions, read_sessions, session_load

HOME = Path(__file__).resolve().parents[2].parent / "shared" / "sources" / "mooncake"


def lines(*rows) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def asked(at, tokens, ids, out=10):
    return {"timestamp": at, "input_length": tokens, "output_length": out, "hash_ids": ids}


def test_prompts_share_what_their_ids_share():
    log = lines(asked(0, 1200, [1, 2, 3]), asked(5, 1536, [1, 2, 4]), asked(9, 1200, [1, 2, 3]))
    read = read_sessions(log, name="log.jsonl")
    assert read.known_tokens(512).tolist() == [0, 1024, 1024]
    np.testing.assert_allclose(read.start_s, [0, 0.005, 0.009])


def test_a_prompt_without_hashes_continues_its_session():
    log = (
        b"session_id,timestamp_ms,prompt_tokens,completion_tokens\n"
        b"a,0,1000,50\nb,10,500,5\na,2000,1200,60\na,9000,300,5\na,9500,400,5\n"
    )
    read = read_sessions(log, name="log.csv")
    assert read.known_tokens().tolist() == [0, 0, 1049, 0, 304]  # the fourth begins anew
    assert read.start_s.tolist() == [0, 0.01, 2, 9, 9.5]
    assert read.waits_for.tolist() == [0, 2, 3]


def test_a_wait_replaces_the_clock_within_a_session():
    log = b"session_id,arrival_s,input_tokens,output_tokens,wait_s\na,0,100,5,0\na,60,200,5,12\n"
    read = read_sessions(log, name="log.csv")
    assert read.wait_s.tolist() == [0, 12]
    assert read.start_s.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([asked(0, 1200, [1, 2])], "row 1, column hash_ids: 2 ids contradict a prompt of 1,200"),
        ([asked(0, 1000, [1, 2]), asked(1, 1000, [2, 1])], "row 2, .* id 2 follows None here"),
        ([asked(5, 100, [1]), asked(1, 100, [1])], "row 2, column timestamp: comes before"),
        ([asked(0, "many", [1])], "row 1, column input_length: 'many' is no finite number"),
        (
            [asked(0, 100, [1]) | {"cached_tokens": 160}],
            "row 1, column cached_tokens: 160 tokens from a cache contradict a prompt of 100",
        ),
        ([asked(0, 100, [1], out=0)], "row 1, column output_tokens: 0"),
        ([{"timestamp": 0, "input_length": 5, "output_length": 5}], "no column session_id or hash"),
        ([[1, 2]], "no rows that are records"),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_row(rows, words):
    with pytest.raises(ValueError, match=words):
        read_sessions(lines(*rows), name="log.jsonl")


@pytest.mark.skipif(not HOME.exists(), reason="the public trace is not here")
def test_a_public_trace_has_its_published_share():
    read = read_sessions(HOME / "conversation_trace.jsonl")
    assert read.n_turns == 12_031
    assert read.known_tokens(512).sum() / read.input_tokens.sum() == pytest.approx(0.373, abs=5e-4)


def rows_of(sessions: Sessions, k: int) -> list[tuple[int, int, float]]:
    mine = sessions.session == k
    return list(zip(sessions.input_tokens[mine].tolist(), sessions.output_tokens[mine].tolist(),
                    sessions.wait_s[mine].tolist(), strict=True))  # fmt: skip


@pytest.mark.parametrize("id", ["support", "research-agent", "task-agent"])
def test_each_drawn_session_is_one_of_the_log(id):
    log = session_load(id).draw(12, seed=2)
    again = Replay(log).draw(30, rate_per_s=1.0, seed=4)
    known = [rows_of(log, k) for k in range(12)]
    picks = [known.index(rows_of(again, k)) for k in range(30)]
    assert len(set(picks)) > 3
    assert again.solved.tolist() == log.solved[picks].tolist()
    # what a cache without limits serves: each copy of a session finds what the first did, apart
    # from the instructions, which only the first session of all has to bring
    served = np.bincount(log.session, log.known_tokens())
    expected = served[picks].sum()
    shared = 30 * session_load(id).system_tokens
    assert expected - shared <= again.known_tokens().sum() <= expected + shared
    faster = Replay(log).draw(30, rate_per_s=10.0, seed=4)
    np.testing.assert_array_equal(faster.input_tokens, again.input_tokens)
    first = np.diff(again.waits_at) == 0
    np.testing.assert_allclose(10 * faster.start_s[first], again.start_s[first])


def test_copies_of_a_session_share_nothing_but_what_sessions_share():
    log = Sessions.of(
        session=[0, 0, 1], branch=[1, 1, 2], input_tokens=[150, 200, 300], output_tokens=[10] * 3,
        wait_s=[0.0, 5.0, 0.0], start_s=[7.0, 0.0, 9.0], waits_for=[[], [0], []],
        branch_parent=[-1, 0, 0], branch_from_tokens=[0, 100, 100],
    )  # fmt: skip
    again = Replay(log).draw(50, rate_per_s=0.01, seed=1)
    known = again.known_tokens()
    assert known[0] == 0
    first = np.diff(again.waits_at) == 0
    assert set(known[first][1:]) == {100}
    assert (known[~first] == 159).all()
    assert again.start_s[first].min() > 0
    assert Replay(log).rate_per_s == pytest.approx(1.0)


def test_a_log_with_a_clock_keeps_its_pauses():
    log = read_sessions(
        b"session_id,arrival_s,input_tokens,output_tokens\na,0,100,5\nb,10,100,5\na,60,200,5\n",
        name="log.csv",
    )
    again = Replay(log).draw(20, seed=3)
    later = (
        again.start_s[np.diff(again.waits_at) > 0]
        - again.start_s[again.waits_for[again.waits_for >= 0]]
    )
    np.testing.assert_allclose(later, 60)


def test_what_cannot_be_drawn_is_refused():
    crossed = Sessions.of(
        session=[0, 1], branch=[0, 1], input_tokens=[10, 10], output_tokens=[5, 5],
        wait_s=[0.0, 0.0], waits_for=[[], [0]], branch_parent=[-1, -1], branch_from_tokens=[0, 0],
    )  # fmt: skip
    with pytest.raises(ValueError, match="row 2, column waits_for: waits for a turn of another"):
        Replay(crossed)
    with pytest.raises((TypeError, ValueError), match="log"):
        Replay(3)
