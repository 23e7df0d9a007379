"""How many tokens: text by real tokenizers; images, sound and video by their provider's rule.

Vocabularies and encoders ship in ``mistral-common``; other rules are documentation of providers,
with their constants in ``data/tokens/modality_schemes.csv``.

>>> count_tokens("The model writes one token after another.", "tekken")
8
>>> image_tokens(1024, 1024, "openai-tile"), audio_tokens(60, "gemini-audio")
(765, 1920)
>>> image_tokens(640, 480, "gemini-audio")
Traceback (most recent call last):
    ...
ValueError: gemini-audio counts audio, not image; image schemes: claude-area, gemini-tile, \
openai-tile, pixtral
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import pandas as pd

from econ.catalog.guard import count, in_range, one_of, positive, unknown
from econ.catalog.tables import table
from econ.catalog.units import MEGA, YEAR_S

MAX_SIDE_PX = 100_000
MAX_DURATION_S = YEAR_S
# identifier -> the release inside mistral-common that carries the vocabulary file
TOKENIZERS = {"mistral-v1": "v1", "mistral-v3": "v3", "tekken": "v3"}


def _mistral_common(name: str) -> Any:
    """A module of mistral-common's tokenizers, or an error that says what to install."""
    try:
        return importlib.import_module(f"mistral_common.tokens.tokenizers.{name}")
    except ImportError:
        raise ImportError(
            "real tokenizers and encoders need mistral-common: "
            "pip install 'inference-economics[notebooks]'"
        ) from None


class Tokenizer(Protocol):
    """Anything that cuts text into pieces."""

    def pieces(self, text: str) -> list[str]:
        """The text, token by token."""


class _Shipped:
    """A tokenizer whose vocabulary ships with mistral-common; nothing is downloaded."""

    def __init__(self, id: str):
        shipped = _mistral_common("mistral").MistralTokenizer
        options = {"is_tekken": True} if id == "tekken" else {}
        tokenizer = getattr(shipped, TOKENIZERS[id])(**options)
        self._raw = tokenizer.instruct_tokenizer.tokenizer
        self.n_words = self._raw.n_words

    def _ids(self, text: str) -> list[int]:
        return list(self._raw.encode(text, bos=False, eos=False))

    def count(self, text: str) -> int:
        return len(self._ids(text))

    def pieces(self, text: str) -> list[str]:
        return [self._raw.id_to_piece(i).replace("▁", " ") for i in self._ids(text)]


class TrainedBpe:
    """A byte-pair encoding trained here and now; see `train_bpe`."""

    def __init__(self, raw: Any) -> None:
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
    """Train a byte-pair encoding: the commonest neighbouring pair becomes one token, repeatedly.

    Parameters
    ----------
    text : str
        What to learn from.
    vocab_size : int
        Tokens to stop at, e.g. 300; at least one more than the text has characters.

    Returns
    -------
    TrainedBpe
        With ``pieces`` and ``merges``.

    Examples
    --------
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
    one_of("tokenizer", id, TOKENIZERS)
    return _Shipped(id)


def tokens_of(text: str, tokenizer: str | Tokenizer) -> list[str]:
    """The pieces of a text: what the model sees, one position each.

    Parameters
    ----------
    text : str
        Any text.
    tokenizer : str or Tokenizer
        As in `count_tokens`.

    Examples
    --------
    >>> tokens_of("Tokens cost money", "tekken")
    ['Tokens', ' cost', ' money']
    """
    return _tokenizer(tokenizer).pieces(_text(text))


def count_tokens(text: str, tokenizer: str | Tokenizer = "tekken") -> int:
    """How many tokens a text has.

    Parameters
    ----------
    text : str
        Markers for its beginning or end and a chat template are not counted.
    tokenizer : str or Tokenizer
        ``"tekken"``, ``"mistral-v1"``, ``"mistral-v3"``, or one of your own (`train_bpe`).

    Returns
    -------
    int
        E.g. about 1.3 tokens per English word.

    Raises
    ------
    UnknownName
        For an unknown tokenizer.
    TypeError
        For what is no text.
    ImportError
        Without mistral-common, with what to install.
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


def schemes_frame() -> pd.DataFrame:
    """The counting rules: identifier, modality, provider, rule in words, source."""
    return table("modality_schemes")


def _scheme(id: str, modality: str) -> pd.Series:
    rows = table("modality_schemes")
    one_of("scheme", id, rows.index)
    if rows.loc[id, "modality"] != modality:
        able = ", ".join(sorted(rows.index[rows["modality"] == modality]))
        raise ValueError(
            f"{id} counts {rows.loc[id, 'modality']}, not {modality}; {modality} schemes: {able}"
        )
    return rows.loc[id]


def _ceil(x: float) -> int:
    """``x`` rounded up, at least 1; a rounding error of the scaling does not start a new tile."""
    return max(1, math.ceil(round(x, 6)))


def image_tokens(width_px: float, height_px: float, scheme: str, detail: str = "high") -> int:
    """Tokens of one image by a provider's rule.

    Parameters
    ----------
    width_px, height_px : float
        Size of the image, e.g. 1024.
    scheme : str
        A rule of `schemes_frame`: ``"openai-tile"``, ``"claude-area"``, ``"gemini-tile"`` or
        ``"pixtral"``.
    detail : str
        ``"high"``, or ``"low"`` where the provider offers it.

    Returns
    -------
    int
        Tokens, e.g. 765.

    Raises
    ------
    UnknownName
        For an unknown rule or detail.
    ValueError
        For a rule of another medium, or a size outside 1 to 100,000 pixels.

    Examples
    --------
    >>> image_tokens(2048, 4096, "openai-tile"), image_tokens(1000, 1000, "claude-area")
    (1105, 1334)
    """
    rule = _scheme(scheme, "image")
    w = float(in_range("width_px", width_px, 1, MAX_SIDE_PX))
    h = float(in_range("height_px", height_px, 1, MAX_SIDE_PX))
    if detail not in ("high", "low"):
        raise unknown("detail", detail, ["high", "low"])
    if detail == "low":
        if not rule.low_detail_tokens > 0:
            raise ValueError(f"{scheme} has no low detail")
        return int(rule.low_detail_tokens)
    count = {
        "openai-tile": _openai_tile,
        "claude-area": _claude_area,
        "gemini-tile": _gemini_tile,
        "pixtral": _pixtral,
    }[scheme]
    return count(w, h, rule)


def _openai_tile(w: float, h: float, rule: pd.Series) -> int:
    scale = min(1.0, rule.max_side_px / max(w, h))
    scale *= min(1.0, rule.short_side_px / (min(w, h) * scale))
    tiles = _ceil(w * scale / rule.tile_px) * _ceil(h * scale / rule.tile_px)
    return int(rule.base_tokens + rule.tokens_per_tile * tiles)


def _claude_area(w: float, h: float, rule: pd.Series) -> int:
    scale = min(1.0, rule.max_side_px / max(w, h))
    return min(_ceil(w * h * scale**2 / rule.px_per_token), int(rule.max_tokens))


def _gemini_tile(w: float, h: float, rule: pd.Series) -> int:
    if max(w, h) <= rule.short_side_px:
        return int(rule.tokens_per_tile)
    return int(_ceil(w / rule.tile_px) * _ceil(h / rule.tile_px) * rule.tokens_per_tile)


def _pixtral(w: float, h: float, rule: pd.Series) -> int:
    """By mistral-common's own encoder: patches in rows, one break or end token after each row."""
    image = _mistral_common("image")
    config = image.ImageConfig(int(rule.tile_px), int(rule.max_side_px))
    encoder = image.ImageEncoder(config, image.SpecialImageIDs(img=0, img_break=1, img_end=2))
    # the grid alone: the public call would also resize pixels that we do not have
    columns, rows = encoder._image_to_num_tokens(SimpleNamespace(size=(round(w), round(h))))
    return int((columns + 1) * rows)


def audio_tokens(duration_s: float, scheme: str) -> int:
    """Tokens of sound.

    Parameters
    ----------
    duration_s : float
        Length in seconds, e.g. 60.
    scheme : str
        ``"gemini-audio"`` or ``"voxtral"``.

    Returns
    -------
    int
        Tokens, e.g. 1,920.
    """
    rule = _scheme(scheme, "audio")
    duration_s = float(positive("duration_s", duration_s, MAX_DURATION_S))
    if scheme == "voxtral":
        return _voxtral(duration_s, rule)
    return _ceil(duration_s * rule.tokens_per_s)


def _voxtral(duration_s: float, rule: pd.Series) -> int:
    """By mistral-common's own encoder: padded to whole chunks, then one token per frame."""
    audio = _mistral_common("audio")
    spectrogram = audio.AudioSpectrogramConfig(num_mel_bins=128, hop_length=160, window_size=400)
    config = audio.AudioConfig(16_000, rule.tokens_per_s, spectrogram, chunk_length_s=rule.chunk_s)
    encoder = audio.AudioEncoder(config, audio.SpecialAudioIDs(*range(5)))
    samples = math.ceil(duration_s * config.sampling_rate)
    frames = encoder.next_multiple_of_chunk_frames(samples, 16_000)
    return int(config.num_audio_tokens(frames))


def video_tokens(duration_s: float, scheme: str) -> int:
    """Tokens of video.

    Parameters
    ----------
    duration_s : float
        Length in seconds, e.g. 60.
    scheme : str
        A rule of `schemes_frame` for video, e.g. ``"gemini-video"``.

    Returns
    -------
    int
        Tokens.
    """
    rule = _scheme(scheme, "video")
    return _ceil(float(positive("duration_s", duration_s, MAX_DURATION_S)) * rule.tokens_per_s)
