"""Citations: a key gives text, link and Markdown; an unknown key lists the nearest."""

from __future__ import annotations

import pytest

from econ.catalog import Citation, UnknownName, cite, sources_frame


def test_a_citation_reads_as_text_and_as_a_link():
    source = cite("epoch-hardware")
    assert source.text.startswith("Epoch AI")
    assert str(source) == f"{source.text} {source.url}"
    assert source._repr_markdown_() == f"[{source.text}]({source.url})"


def test_without_an_address_there_is_no_link():
    source = Citation("note", "A note", "", "own", "2026-11-24")
    assert source._repr_markdown_() == str(source) == "A note"


def test_an_unknown_key_lists_the_nearest():
    with pytest.raises(UnknownName, match="unknown source 'epoch-hardwear'; nearest: epoch-hard"):
        cite("epoch-hardwear")


def test_every_source_can_be_cited():
    for key in sources_frame().index:
        assert cite(key).text
        assert cite(key).url.startswith("https://") or not cite(key).url
