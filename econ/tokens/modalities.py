"""How many tokens a picture, a sound or a film is, by the rule of its provider.

Most rules are documentation, with their constants in ``data/modality_schemes.csv``; Mistral's are
counted by the encoders that ship in ``mistral-common``.

>>> image_tokens(1024, 1024, "openai-tile"), audio_tokens(60, "gemini-audio")
(765, 1920)
>>> image_tokens(640, 480, "gemini-audio")
Traceback (most recent call last):
    ...
ValueError: gemini-audio counts audio, not image; image schemes: claude-area, gemini-tile, \
openai-tile, pixtral
"""

from __future__ import annotations

import importlib
import math
from types import ModuleType, SimpleNamespace

import pandas as pd

from econ.catalog.guard import in_range, positive, unknown
from econ.catalog.tables import table
from econ.catalog.units import YEAR_S

MAX_SIDE_PX = 100_000
MAX_DURATION_S = YEAR_S


def mistral_common(name: str) -> ModuleType:
    """A module of mistral-common's tokenizers, or an error that says what to install."""
    try:
        return importlib.import_module(f"mistral_common.tokens.tokenizers.{name}")
    except ImportError:
        raise ImportError(
            "real tokenizers and encoders need mistral-common: "
            "pip install 'inference-economics[notebooks]'"
        ) from None


def schemes_frame() -> pd.DataFrame:
    """The counting rules: identifier, modality, provider, rule in words, source."""
    return table("modality_schemes")


def _scheme(id: str, modality: str) -> pd.Series:
    rows = table("modality_schemes")
    if id not in rows.index:
        raise unknown("scheme", id, rows.index)
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
    """Tokens of one image by a provider's rule (`schemes_frame`); ``detail="low"`` where offered.

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
    image = mistral_common("image")
    config = image.ImageConfig(int(rule.tile_px), int(rule.max_side_px))
    encoder = image.ImageEncoder(config, image.SpecialImageIDs(img=0, img_break=1, img_end=2))
    # the grid alone: the public call would also resize pixels that we do not have
    columns, rows = encoder._image_to_num_tokens(SimpleNamespace(size=(round(w), round(h))))
    return (columns + 1) * rows


def audio_tokens(duration_s: float, scheme: str) -> int:
    """Tokens of ``duration_s`` seconds of sound."""
    rule = _scheme(scheme, "audio")
    duration_s = float(positive("duration_s", duration_s, MAX_DURATION_S))
    if scheme == "voxtral":
        return _voxtral(duration_s, rule)
    return _ceil(duration_s * rule.tokens_per_s)


def _voxtral(duration_s: float, rule: pd.Series) -> int:
    """By mistral-common's own encoder: padded to whole chunks, then one token per frame."""
    audio = mistral_common("audio")
    spectrogram = audio.AudioSpectrogramConfig(num_mel_bins=128, hop_length=160, window_size=400)
    config = audio.AudioConfig(16_000, rule.tokens_per_s, spectrogram, chunk_length_s=rule.chunk_s)
    encoder = audio.AudioEncoder(config, audio.SpecialAudioIDs(*range(5)))
    samples = math.ceil(duration_s * config.sampling_rate)
    return config.num_audio_tokens(encoder.next_multiple_of_chunk_frames(samples, 16_000))


def video_tokens(duration_s: float, scheme: str) -> int:
    """Tokens of ``duration_s`` seconds of film."""
    rule = _scheme(scheme, "video")
    return _ceil(float(positive("duration_s", duration_s, MAX_DURATION_S)) * rule.tokens_per_s)
