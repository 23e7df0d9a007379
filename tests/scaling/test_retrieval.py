"""Retrieval by hand: vectors, USD once and per question, and what a lost passage costs."""

import pytest

from econ.catalog.guard import UnknownName
from econ.scaling.retrieval import Retrieval, answered_right_frac

INDEX = Retrieval(documents_tokens=10e6, refreshed_per_year=2)


def test_the_index_by_hand():
    assert INDEX.n_vectors == 19_532  # 10e6 / 512, rounded up
    assert INDEX.index_bytes == 19_532 * 1536 * 4
    assert INDEX.prompt_tokens == 4 * 512
    once = 10e6 * 0.13 / 1e6
    assert INDEX.embedding_usd("text-embedding-3-large") == pytest.approx(once)
    assert INDEX.embedding_usd("text-embedding-3-large", years=3) == pytest.approx(7 * once)


def test_a_search_is_mostly_the_rerankers_reading():
    bare = INDEX.search_usd("text-embedding-3-large")
    assert bare == pytest.approx(30 * 0.13e-6)
    per_token = INDEX.search_usd("text-embedding-3-large", "voyage-rerank-3")
    assert per_token - bare == pytest.approx(50 * (512 + 30) * 0.05e-6)
    per_search = INDEX.search_usd("text-embedding-3-large", "cohere-rerank-v4-fast")
    assert per_search - bare == pytest.approx(0.002)
    assert per_token > 100 * bare


def test_what_was_not_found_is_answered_as_without_it():
    assert answered_right_frac(1, 0.9, 0.3) == 0.9
    assert answered_right_frac(0, 0.9, 0.3) == 0.3
    assert answered_right_frac(0.5, 0.9, 0.3) == pytest.approx(0.6)


def test_unknown_services_and_impossible_indices_are_refused():
    with pytest.raises(UnknownName, match="unknown embedding service 'voyage-rerank-3'"):
        INDEX.embedding_usd("voyage-rerank-3")
    with pytest.raises(ValueError, match="n_passages"):
        Retrieval(documents_tokens=1e6, n_candidates=3, n_passages=4)
