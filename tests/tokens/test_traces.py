"""Other people's files: hostile, huge, wrongly encoded, in other units; refused with a remedy."""

from __future__ import annotations

import csv
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import reading
from econ.tokens import trace_rows
from econ.tokens.traces import check_trace, read_trace
from econ.tokens.workloads import Workload, workload

HEAD = b"arrival_s,input_tokens,output_tokens\n"


def lines(*rows: str, head: bytes = HEAD) -> bytes:
    return head + "\n".join(rows).encode() + b"\n"


def test_an_upload_is_read_like_a_file(tmp_path):
    trace = workload("chat").sample(300, 2)
    for ending in ("csv", "parquet"):
        path = tmp_path / f"log.{ending}"
        getattr(trace, f"to_{ending}")(path, index=False)
        got = read_trace(memoryview(path.read_bytes()), name=path.name)
        pd.testing.assert_frame_equal(got, trace)
        pd.testing.assert_frame_equal(read_trace(path), trace)


def test_marks_blank_lines_and_quotes_are_no_fault():
    text = "\ufeff" + 'note,arrival_s,input_tokens,output_tokens\n"a, ""b""\nc",0,5,6\n\nx,1,7,8\n'
    got = read_trace(text.encode(), name="t.csv")
    assert got.to_numpy().tolist() == [[0, 5, 6], [1, 7, 8]]


def test_columns_are_renamed_and_suggested():
    data = lines("1000,5,6", "2500,7,8", head=b"arrival_ms,prompt_tokens,completion_tokens\n")
    read = read_trace(data, name="log.csv")
    assert read["arrival_s"].tolist() == [0.0, 1.5]
    assert read.attrs["read"]["unit"] == "ms"
    with pytest.raises(ValueError, match=r"no column arrival_s; it has when.*columns=\{'…': 'arr"):
        read_trace(data.replace(b"arrival_ms", b"when"), name="log.csv")
    names = {"when": "arrival_s", "prompt_tokens": "input_tokens",
             "completion_tokens": "output_tokens"}  # fmt: skip
    data_of_when = data.replace(b"arrival_ms", b"when")
    got = read_trace(data_of_when, name="log.csv", columns=names, unit="ms")
    assert got["arrival_s"].tolist() == [0.0, 1.5]
    with pytest.raises(ValueError, match="unknown column of log"):
        read_trace(data, name="log.csv", columns={"arrivals": "arrival_s"})


def test_cached_tokens_are_kept_where_they_are_there():
    data = lines("0,10,5,4", "1,30,5,16", head=HEAD[:-1] + b",cached_tokens\n")
    trace = read_trace(data, name="t.csv")
    assert Workload.from_trace(trace).cached_frac == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"row 2, column cached_tokens: .* more than the prompt"):
        check_trace(trace.assign(cached_tokens=[4, 31]))


MS = [f"{1250 * i},10,5" for i in range(40)]
HOSTILE = {
    "formula": (lines("0,=cmd|' /C calc'!A0,5"), "row 1, column input_tokens: .*is a formula"),
    "plus": (lines("0,5,6", "1,+SUM(A1),5"), "row 2, column input_tokens: .*is a formula"),
    "code": (lines("0,__import__('os').getcwd(),5"), "row 1, column input_tokens.*not a finite"),
    "long bad cell": (lines("0," + "9" * 900 + "x,5"), "row 1, column input_tokens: '9{40}'…"),
    "megabyte cell": (lines("0,5,6", "1," + "7" * 1_000_001 + ",5"), "line 3: longer than 1 MB"),
    "wide cell": (lines("0,5,6", "1," + "7" * 200_000 + ",5"), "line 3: .*field limit.*leave out"),
    "open quote": (lines("0,5,6", '1,"7,5'), "not a .csv file: unexpected end of data"),
    "bytes after quote": (lines('0,"5"x,6'), "line 2: not a .csv file.*quote whole cells"),
    "latin-1": (HEAD + b"0,5,6\n\xe9,5,6\n", "line 3: not UTF-8 at byte 1: save it in UTF-8"),
    "utf-16": ("arrival_s,input_tokens".encode("utf-16"), "this is UTF-16: save it as CSV"),
    "workbook": (b"PK\x03\x04rest", "this is a workbook: save it as CSV"),
    "zero byte": (HEAD + b"0,5,\x006\n", "line 2: holds a zero byte"),
    "few cells": (lines("0,5,6", "1,7"), "row 2, column output_tokens: fewer cells than"),
    "many cells": (lines("0,5,6", "1,7,8,9"), "row 2, column output_tokens: more cells than"),
    "wide name": (b"x" * 200_000 + b"\n0\n", "line 1: .*field limit|no column arrival_s"),
    "open name": (b'arrival_s,input_tokens,"output_tokens\n0,5,6\n', "not a .csv file"),
    "no rows": (HEAD, "holds no rows"),
    "empty": (b"", "it is empty"),
    "other columns": (b"a,b\n1,2\n", "no column arrival_s, input_tokens, output_tokens; it has a"),
    "ms": (lines(*MS), r"row 2, column arrival_s: 1250 looks like milliseconds.*unit='ms'"),
    "infinite": (lines("0,5,6", "inf,5,6"), "row 2, column arrival_s: 'inf' is not a finite"),
    "negative": (lines("0,5,-6"), "row 1, column output_tokens.*below 1 token"),
    "twice": (b"arrival_s,input_tokens,input_tokens,output_tokens\n0,1,1,1\n", "there twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_row_and_remedy(case):
    data, says = HOSTILE[case]
    with pytest.raises(ValueError, match=says) as caught:
        read_trace(data, name="log.csv")
    assert len(str(caught.value)) < 500
    assert str(caught.value).startswith("log.csv")


def test_the_limit_on_cells_is_our_own_and_given_back():
    usual = csv.field_size_limit(10**9)
    try:
        with pytest.raises(ValueError, match="field limit"):
            read_trace(HOSTILE["wide cell"][0], name="log.csv")
        assert csv.field_size_limit() == 10**9
    finally:
        csv.field_size_limit(usual)


CELLS = st.sampled_from(
    ["0", "1", "7", "-1", "1e9", "nan", "", '"', "=1", "x", "1.5", "\n", "\ufeff"]
)


@given(st.one_of(
    st.binary(max_size=200),
    st.lists(CELLS, max_size=30).map(lambda cells: HEAD + ",".join(cells).encode()),
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8).map(
        lambda rows: HEAD + "\n".join(map(",".join, rows)).encode()),
))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_a_trace_or_a_value_error(data):
    for name in ("log.csv", "log.parquet"):
        said, trace = "", None
        try:
            trace = read_trace(data, name=name)
        except ValueError as error:
            said = str(error)
        if trace is None:
            assert said.startswith("log.")
        else:
            assert (trace["input_tokens"] >= 1).all()
            assert trace["arrival_s"].is_monotonic_increasing


def test_a_unit_that_is_given_is_believed():
    assert read_trace(lines(*MS), name="t.csv", unit="s")["arrival_s"].iloc[-1] == 1250 * 39
    in_ms = read_trace(lines(*MS), name="t.csv", unit="ms")
    assert in_ms["arrival_s"].iloc[-1] == pytest.approx(1.25 * 39)
    clock = read_trace(lines("1732400000.5,5,6", "1732400002,5,6"), name="t.csv", unit="s")
    assert clock["arrival_s"].tolist() == [0.0, 1.5]
    with pytest.raises(ValueError, match="unknown unit of arrivals 'min'"):
        read_trace(lines("0,1,1"), name="t.csv", unit="min")


def test_seconds_of_a_quiet_service_are_not_doubted_without_need():
    assert len(read_trace(lines(*[f"{20.5 * i},10,5" for i in range(40)]), name="t.csv")) == 40
    slow = lines(*[f"{90.5 * i},10,5" for i in range(40)])  # or milliseconds with decimals
    with pytest.raises(ValueError, match=r"milliseconds: decimals.*unit='s' if seconds"):
        read_trace(slow, name="t.csv")
    assert len(read_trace(slow, name="t.csv", unit="s")) == 40


def test_limits_on_size(monkeypatch, tmp_path):
    monkeypatch.setattr(trace_rows, "MOST_ROWS", 3)
    monkeypatch.setattr(reading, "ROWS_A_PIECE", 2)
    data = lines(*[f"{i},5,6" for i in range(4)])
    with pytest.raises(ValueError, match="more than 3 rows: take part of the day"):
        read_trace(data, name="t.csv")
    path = tmp_path / "t.parquet"
    pd.DataFrame({"arrival_s": range(4), "input_tokens": 1, "output_tokens": 1}).to_parquet(path)
    with pytest.raises(ValueError, match="more than 3 rows"):
        read_trace(path)
    monkeypatch.setattr(reading, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="at most 0 MB are read"):
        read_trace(data, name="t.csv")


def _log(n: int) -> bytes:
    rng = np.random.default_rng(0)
    columns = {"arrival_s": np.arange(n) / 7, "input_tokens": rng.integers(1, 999, n)}
    frame = pd.DataFrame(columns | {"output_tokens": 9, "prompt": "x" * 400})
    return frame.to_csv(index=False).encode()


def test_memory_follows_the_rows_not_their_text(monkeypatch):
    monkeypatch.setattr(reading, "ROWS_A_PIECE", 2_000)
    data = _log(40_000)  # 18 MB
    tracemalloc.start()
    trace = read_trace(data, name="log.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(trace) == 40_000
    assert peak < 8e6  # the frame is 1 MB, a piece of text rows 2


@pytest.mark.slow
def test_a_million_rows_are_read():
    data = _log(100_000).replace(b"x" * 400, b"")
    head, rows = data.split(b"\n", 1)
    steady = rows.splitlines()[0].replace(b"0.0,", b"5.5,")  # all at one moment
    trace = read_trace(head + b"\n" + (steady + b"\n") * 1_000_000, name="log.csv")
    assert len(trace) == 1_000_000
