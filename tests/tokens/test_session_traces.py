"""Logs of sessions: by session id, by hashes of blocks, and what contradicts itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from econ.tokens import read_sessions

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
