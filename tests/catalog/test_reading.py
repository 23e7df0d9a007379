"""Files that others wrote: bounded, strict, packed or plain; a refusal names where and why."""

import gzip

import pytest

from econ.catalog import documents, reading
from econ.catalog.documents import read_documents
from econ.catalog.reading import BadTable, opened, read_columns, read_rows

ROWS = b"name,power_w,note\na,1.5,x\nb,,\n"


def test_a_packed_file_reads_like_a_plain_one(tmp_path):
    for name, data in (("a.csv", ROWS), ("a.csv.gz", gzip.compress(ROWS))):
        (tmp_path / name).write_bytes(data)
        assert read_rows(tmp_path / name) == read_rows(ROWS, "a.csv")
    records = [{"a": 1}, {"a": 2}]
    lines = b'{"a": 1}\n{"a": 2}\n'
    for data, name in ((lines, "r.jsonl"), (gzip.compress(lines), "r.jsonl.gz")):
        assert read_documents(data, name, (".jsonl",)) == records
    assert read_documents(b'[{"a": 1}, {"a": 2}]', "r.json", (".json",)) == records


def test_columns_are_numbers_or_text_and_empty_is_missing():
    frame = read_columns(ROWS, ["power_w", "name", "note"], "a.csv")
    assert frame["power_w"].tolist()[0] == 1.5
    assert frame.isna().to_numpy().tolist() == [[False, False, False], [True, False, True]]
    assert frame["name"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (ROWS, "a.xlsx", r"a\.xlsx: give a \.csv file"),
        (b"not packed", "a.csv.gz", r"a\.csv\.gz: not a gzipped file"),
        (gzip.compress(ROWS, mtime=0)[:-9], "a.csv.gz", "not a gzipped file"),
        (b"a,b\n1,2\n3\n", "a.csv", r"a\.csv row 3, column b: fewer cells"),
        (b"a,b\n1,2,3\n", "a.csv", r"a\.csv row 2, column b: more cells"),
        (b"a\n\xff\n", "a.csv", r"a\.csv line 2: not UTF-8 at byte 1"),
        (3, "a.csv", "source = 3 is outside its range: a Path or a bytes"),
    ],
)
def test_what_is_no_table_is_refused(data, name, says):
    with pytest.raises(ValueError, match=says):
        read_rows(data, name)


def test_a_missing_column_is_named():
    with pytest.raises(BadTable, match=r"a\.csv: no column power"):
        read_columns(ROWS, ["name", "power"], "a.csv")


def test_the_limit_holds_for_what_is_unpacked(monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    bomb = gzip.compress(b"0" * 1_000_000)
    with (
        pytest.raises(BadTable, match="at most 0 MB are read: take a part of it"),
        opened(bomb, "a.csv.gz", (".csv",)),
    ):
        pass


@pytest.mark.parametrize("n_bytes", [1, 7, 64, 1 << 22])
def test_a_file_is_scanned_in_blocks_of_any_size(monkeypatch, n_bytes):
    monkeypatch.setattr(reading, "SCANNED_BYTES", n_bytes)
    monkeypatch.setattr(reading, "LONGEST_LINE_BYTES", 40)
    good = "name,n\nü€𝄞,1\n".encode() * 9
    assert len(reading.read_rows(good, "a.csv")[1]) == 17
    bad = {
        good + b"a,\x00\n": "line 19: holds a zero byte",
        good + b"a,\xe9b\n" + good: "line 19: not UTF-8 at byte 3",
        good + b"a" * 41 + b"\n": "line 19: longer than",
        good + "é".encode()[:1]: "line 19: not UTF-8 at byte 1",
        good + b"a" * 60: "line 19: longer than",
    }
    for data, says in bad.items():
        with pytest.raises(reading.BadTable, match=rf"^a\.csv {says}"):
            reading.read_rows(data, "a.csv")


def test_a_document_of_too_many_values_or_a_file_of_too_many_documents_is_refused(monkeypatch):
    monkeypatch.setattr(documents, "MOST_VALUES", 100)
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 100)
    with pytest.raises(reading.BadTable, match="one JSON document of more than"):
        read_documents(b"[" + b"1," * 200 + b"1]", "a.json", [".json"])
    with pytest.raises(reading.BadTable, match="more than 100 documents"):
        read_documents(b"{}\n" * 200, "a.json", [".json"])
