"""How many tokens: text by real tokenizers; the one door to counts and bills of all kinds.

Pictures, sound and film are counted in `econ.tokens.modalities`, bills in
`econ.tokens.bill`; their names are offered here too.

>>> count_tokens("The model writes one token after another.", "tekken")
8
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Protocol

import pandas as pd

from econ.catalog.guard import count, unknown
from econ.catalog.tables import table
from econ.catalog.units import MEGA
from econ.tokens.bill import TokenBill, agent_loop_tokens, conversation_tokens, token_bill
from econ.tokens.modalities import (
    audio_tokens,
    image_tokens,
    mistral_common,
    schemes_frame,
    video_tokens,
)

__all__ = [
    "TOKENIZERS",
    "TokenBill",
    "TrainedBpe",
    "agent_loop_tokens",
    "audio_tokens",
    "compression_frame",
    "conversation_tokens",
    "count_tokens",
    "image_tokens",
    "schemes_frame",
    "token_bill",
    "tokenizers_frame",
    "tokens_of",
    "train_bpe",
    "video_tokens",
]

# identifier -> the release inside mistral-common that carries the vocabulary file
TOKENIZERS = {"mistral-v1": "v1", "mistral-v3": "v3", "tekken": "v3"}


class Tokenizer(Protocol):
    """Anything that cuts text into pieces."""

    def pieces(self, text: str) -> list[str]:
        """The text, token by token."""


class _Shipped:
    """A tokenizer whose vocabulary ships with mistral-common; nothing is downloaded."""

    def __init__(self, id: str):
        shipped = mistral_common("mistral").MistralTokenizer
        options = {"is_tekken": True} if id == "tekken" else {}
        whole = getattr(shipped, TOKENIZERS[id])(**options)
        self._raw = whole.instruct_tokenizer.tokenizer
        self.n_words = self._raw.n_words

    def _ids(self, text: str) -> list[int]:
        return self._raw.encode(text, bos=False, eos=False)

    def count(self, text: str) -> int:
        return len(self._ids(text))

    def pieces(self, text: str) -> list[str]:
        return [self._raw.id_to_piece(i).replace("▁", " ") for i in self._ids(text)]


class TrainedBpe:
    """A byte-pair encoding trained here and now; see `train_bpe`."""

    def __init__(self, raw):
        self._raw = raw
        self.n_words = raw.get_vocab_size()

    def pieces(self, text: str) -> list[str]:
        """The text, token by token."""
        code = self._raw.encode(text)
        return [text[start:end] for start, end in code.offsets]

    @property
    def merges(self) -> list[str]:
        """Tokens of more than one character, in the order in which they were learned."""
        by_id = sorted(self._raw.get_vocab().items(), key=lambda item: item[1])
        return [word for word, _ in by_id if len(word) > 1 and not word.startswith("[")]


def train_bpe(text: str, vocab_size: int) -> TrainedBpe:
    """Train a byte-pair encoding on ``text`` until it has ``vocab_size`` tokens.

    The commonest neighbouring pair becomes one token, again and again.

    >>> bpe = train_bpe("low lower lowest low low", 12)
    >>> bpe.pieces("low lowest")
    ['low', ' ', 'lowe', 's', 't']
    """
    try:
        from tokenizers import Tokenizer as Raw
        from tokenizers import models, pre_tokenizers, trainers
    except ImportError:
        raise ImportError(
            "training needs tokenizers: pip install 'inference-economics[notebooks]'"
        ) from None
    vocab_size = count("vocab_size", vocab_size, len(set(_text(text))) + 1, MEGA)
    raw = Raw(models.BPE(unk_token="[?]"))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(" ", "isolated"), pre_tokenizers.Punctuation()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=["[?]"], show_progress=False
    )
    raw.train_from_iterator([text], trainer)
    return TrainedBpe(raw)


@functools.cache
def _shipped(id: str) -> _Shipped:
    if id not in TOKENIZERS:
        raise unknown("tokenizer", id, TOKENIZERS)
    return _Shipped(id)


def tokens_of(text: str, tokenizer: str | Tokenizer) -> list[str]:
    """The pieces of ``text``: what the model sees, one position each.

    >>> tokens_of("Tokens cost money", "tekken")
    ['Tokens', ' cost', ' money']
    """
    return _tokenizer(tokenizer).pieces(_text(text))


def count_tokens(text: str, tokenizer: str | Tokenizer = "tekken") -> int:
    """How many tokens ``text`` has under a tokenizer (an identifier, or a trained one).

    Markers for the beginning or end and the chat template are not counted.
    """
    cutter = _tokenizer(tokenizer)
    if isinstance(cutter, _Shipped):
        return cutter.count(_text(text))
    return len(cutter.pieces(_text(text)))


def _tokenizer(tokenizer: str | Tokenizer) -> Tokenizer:
    return _shipped(tokenizer) if isinstance(tokenizer, str) else tokenizer


def _text(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"text is a {type(text).__name__}, not a str")
    return text


def tokenizers_frame() -> pd.DataFrame:
    """The tokenizers that ship offline: identifier, kind, size of the vocabulary."""
    rows = [
        {
            "tokenizer": id,
            "kind": "byte-level BPE" if id == "tekken" else "SentencePiece BPE",
            "vocabulary_tokens": _shipped(id).n_words,
        }
        for id in TOKENIZERS
    ]
    return pd.DataFrame(rows)


def compression_frame(tokenizers: Sequence[str] = ("mistral-v1", "tekken")) -> pd.DataFrame:
    """The same paragraph in many languages, cut by real tokenizers.

    One row per text and tokenizer: ``tokens``, ``chars``, ``bytes``, ``tokens_per_char`` and
    ``relative`` (tokens divided by those of the English paragraph).
    """
    rows = []
    for cutter in tokenizers:
        english = count_tokens(table("parallel_text").loc["en", "text"], cutter)
        for row in table("parallel_text").itertuples():
            n = count_tokens(row.text, cutter)
            rows.append(
                {
                    "id": row.id,
                    "name": row.name,
                    "script": row.script,
                    "group": row.group,
                    "tokenizer": cutter,
                    "tokens": n,
                    "chars": len(row.text),
                    "bytes": len(row.text.encode()),
                    "tokens_per_char": n / len(row.text),
                    "relative": n / english,
                }
            )
    return pd.DataFrame(rows)
