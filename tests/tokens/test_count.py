"""Counts of tokens: real tokenizers, and every provider's rule against its published examples."""

import math
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import table
from econ.tokens import count as tokens


@pytest.mark.parametrize("tokenizer", tokens.TOKENIZERS)
def test_pieces_are_the_text(tokenizer):
    text = "The price of a token, and the token of a price."
    pieces = tokens.tokens_of(text, tokenizer)
    assert "".join(pieces).strip() == text
    assert len(pieces) == tokens.count_tokens(text, tokenizer)


def test_empty_text_has_no_tokens():
    assert tokens.count_tokens("", "tekken") == 0


def test_unknown_tokenizer_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown tokenizer 'teken'; nearest: tekken"):
        tokens.count_tokens("a", "teken")


def test_text_must_be_text():
    with pytest.raises(TypeError, match="text = 3"):
        tokens.count_tokens(3, "tekken")


@settings(deadline=None, max_examples=30)
@given(st.text(st.characters(codec="utf-8", exclude_characters="▁"), max_size=60))
def test_never_more_tokens_than_bytes(text):
    assert tokens.count_tokens(text, "tekken") <= max(len(text.encode()), 0)


def test_a_larger_trained_vocabulary_never_cuts_finer():
    text = table("parallel_text").loc["en", "text"]
    counts = [tokens.count_tokens(text, tokens.train_bpe(text, n)) for n in (40, 60, 90, 150)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_training_needs_room_for_the_alphabet():
    with pytest.raises(ValueError, match="vocab_size = 2"):
        tokens.train_bpe("abcdef", 2)
    with pytest.raises(ValueError, match=r"vocab_size = 12\.5"):
        tokens.train_bpe("abcdef", 12.5)


def test_trained_pieces_are_the_text():
    text = "low lower lowest"
    assert "".join(tokens.train_bpe(text, 15).pieces(text)) == text


def test_compression_is_relative_to_english():
    frame = tokens.compression_frame()
    english = frame[frame["id"] == "en"]
    assert (english["relative"] == 1).all()
    assert frame["id"].nunique() >= 24
    assert (frame["tokens"] <= frame["bytes"]).all()


PUBLISHED = [
    (1024, 1024, "openai-tile", 765),
    (2048, 4096, "openai-tile", 1105),
    (4096, 2048, "openai-tile", 1105),
    (200, 200, "claude-area", 54),
    (1000, 1000, "claude-area", 1334),
    (1092, 1092, "claude-area", 1590),
    (384, 384, "gemini-tile", 258),
    (385, 384, "gemini-tile", 258),
    (769, 768, "gemini-tile", 516),
]


@pytest.mark.parametrize(("w", "h", "scheme", "n"), PUBLISHED)
def test_published_examples(w, h, scheme, n):
    assert tokens.image_tokens(w, h, scheme) == n


def test_pixtral_by_hand():
    # 1024 px: 64 patches of 16 px a row and one break token, 64 rows
    assert tokens.image_tokens(1024, 1024, "pixtral") == 65 * 64
    assert tokens.image_tokens(512, 256, "pixtral") == 33 * 16


def test_low_detail_only_where_offered():
    assert tokens.image_tokens(3000, 2000, "openai-tile", detail="low") == 85
    with pytest.raises(ValueError, match="claude-area has no low detail"):
        tokens.image_tokens(100, 100, "claude-area", detail="low")


IMAGE_SCHEMES = ["openai-tile", "claude-area", "gemini-tile", "pixtral"]


@given(st.integers(1, 8000), st.integers(1, 8000), st.sampled_from(IMAGE_SCHEMES))
def test_images_turn_and_are_counted_whole(w, h, scheme):
    n = tokens.image_tokens(w, h, scheme)
    assert isinstance(n, int)
    assert n >= 1
    if scheme != "pixtral":  # a row's end token makes tall pictures a little dearer
        assert n == tokens.image_tokens(h, w, scheme)


@pytest.mark.parametrize("bad", [0, 0.4, -5, math.nan, math.inf, 1e9, "100"])
def test_absurd_pictures_are_refused(bad):
    with pytest.raises(ValueError, match="width_px"):
        tokens.image_tokens(bad, 100, "openai-tile")


def test_sound_and_film():
    assert tokens.audio_tokens(60, "gemini-audio") == 1920
    assert tokens.audio_tokens(1, "voxtral") == 375  # padded to 30 s at 12.5 per second
    assert tokens.audio_tokens(31, "voxtral") == 750
    assert tokens.video_tokens(10, "gemini-video") == 2630
    with pytest.raises(ValueError, match="duration_s"):
        tokens.audio_tokens(-1, "gemini-audio")


def test_the_shortest_sound_is_a_token():
    assert tokens.audio_tokens(1e-9, "gemini-audio") == 1
    assert tokens.video_tokens(1e-9, "gemini-video") == 1


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("image", lambda: tokens.image_tokens(64, 64, "pixtral")),
        ("audio", lambda: tokens.audio_tokens(5, "voxtral")),
        ("mistral", lambda: tokens._Shipped("tekken")),
    ],
)
def test_a_missing_extra_says_what_to_install(monkeypatch, module, call):
    monkeypatch.setitem(sys.modules, f"mistral_common.tokens.tokenizers.{module}", None)
    with pytest.raises(ImportError, match=r"pip install 'inference-economics\[notebooks\]'"):
        call()


def test_a_scheme_of_another_modality_lists_what_exists():
    with pytest.raises(ValueError, match=r"video schemes: gemini-video"):
        tokens.video_tokens(5, "gemini-audio")
    with pytest.raises(ValueError, match="nearest: gemini-audio"):
        tokens.audio_tokens(5, "gemini-adio")
