"""Retrieval-augmented generation, whole: index, search, reranking, and the passages that are read.

Retrieved passages are not only a longer prompt. Documents are embedded and stored once, every
question is embedded and searched, the best candidates are read by a reranker, and a passage that
was not found cannot be answered from. So neither cost nor quality equals that of another route.

>>> index = Retrieval(documents_tokens=10e6)
>>> index.n_vectors, round(index.index_bytes / 1e6)
(19532, 120)
>>> round(index.embedding_usd("text-embedding-3-large"), 2)
1.3
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from econ.catalog.guard import count, fraction, not_negative, one_of, positive
from econ.catalog.tables import table
from econ.catalog.units import MTOK

QUESTION_TOKENS = 30.0  # of a question that is embedded and handed to a reranker
PER_THOUSAND = 1000.0


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """A set of documents, how it is cut and stored, and how much of it is read for a question.

    Parameters
    ----------
    documents_tokens : float
        All text, e.g. 10e6.
    passage_tokens : int
        Of a piece, e.g. 512.
    n_dims : int
        Numbers a vector, e.g. 1,536.
    bytes_per_dim : float
        4 in fp32, 2 in fp16, 1 in int8.
    refreshed_per_year : float
        How often all of it is embedded anew, e.g. 2.
    n_candidates : int
        Passages that the search hands to the reranker, e.g. 50.
    n_passages : int
        Passages that go into the prompt, e.g. 4.
    """

    documents_tokens: float
    passage_tokens: int = 512
    n_dims: int = 1536
    bytes_per_dim: float = 4.0
    refreshed_per_year: float = 0.0
    n_candidates: int = 50
    n_passages: int = 4

    def __post_init__(self) -> None:
        positive("documents_tokens", self.documents_tokens, 1e15)
        count("passage_tokens", self.passage_tokens, 1, 1_000_000)
        count("n_dims", self.n_dims, 1, 100_000)
        positive("bytes_per_dim", self.bytes_per_dim, 8.0)
        not_negative("refreshed_per_year", self.refreshed_per_year, 1e4)
        count("n_candidates", self.n_candidates, 1, 100_000)
        count("n_passages", self.n_passages, 0, self.n_candidates)

    @property
    def n_vectors(self) -> int:
        """Passages, one vector each."""
        return math.ceil(self.documents_tokens / self.passage_tokens)

    @property
    def index_bytes(self) -> float:
        """Memory of the vectors; links of a graph index come on top."""
        return self.n_vectors * self.n_dims * self.bytes_per_dim

    @property
    def prompt_tokens(self) -> int:
        """What the passages add to a prompt."""
        return self.n_passages * self.passage_tokens

    def embedding_usd(self, embedding: str, years: float = 0.0) -> float:
        """USD to embed all documents once, and as often as they change over some years."""
        not_negative("years", years, 100.0)
        times = 1 + self.refreshed_per_year * years
        usd_per_mtok = float(_price(embedding, "embedding")["usd_per_mtok"])
        return self.documents_tokens * times * usd_per_mtok / MTOK

    def search_usd(self, embedding: str, reranker: str | None = None) -> float:
        """USD of one question's search: its embedding, and the reranker's reading.

        >>> index = Retrieval(documents_tokens=10e6)
        >>> f"{index.search_usd('text-embedding-3-large', 'voyage-rerank-3'):.5f}"
        '0.00136'
        """
        usd_per_mtok = float(_price(embedding, "embedding")["usd_per_mtok"])
        question = QUESTION_TOKENS * usd_per_mtok / MTOK
        if reranker is None:
            return question
        price = _price(reranker, "rerank")
        if pd.notna(price["usd_per_k_searches"]):
            return question + float(price["usd_per_k_searches"]) / PER_THOUSAND
        read = self.n_candidates * (self.passage_tokens + QUESTION_TOKENS)
        return question + read * float(price["usd_per_mtok"]) / MTOK


def _price(id: str, kind: str) -> pd.Series:
    rows = table("retrieval_prices")
    rows = rows[rows["stage"] == kind]
    return rows.loc[one_of(f"{kind} service", id, rows.index)]


def answered_right_frac(recall_frac: float, with_passage_frac: float, without_frac: float) -> float:
    """Share of right answers when a passage is found only sometimes.

    Parameters
    ----------
    recall_frac : float
        Share of the questions whose passage is among those in the prompt, e.g. 0.8.
    with_passage_frac, without_frac : float
        Share that the model answers right with the passage and without it.

    Notes
    -----
    right = recall · with + (1 − recall) · without: a reader cannot mend what the search lost.

    Examples
    --------
    >>> round(answered_right_frac(0.8, 0.9, 0.3), 2)
    0.78
    """
    recall = fraction("recall_frac", recall_frac)
    with_passage = fraction("with_passage_frac", with_passage_frac)
    return recall * with_passage + (1 - recall) * fraction("without_frac", without_frac)
