"""The palette as others see it."""

import itertools

import altair as alt
import pytest

from econ.charts import theme
from tests.oracles import colour_vision as eyes_of

JUST_APART = 10.0  # ΔE*ab; about four times what is just visible side by side


@pytest.mark.parametrize("eyes", [None, *eyes_of.DEFICIENCY])
def test_neighbouring_categories_can_be_told_apart(eyes):
    pairs = itertools.combinations(theme.CATEGORIES[:4], 2)
    assert min(eyes_of.difference(a, b, eyes) for a, b in pairs) > JUST_APART


@pytest.mark.parametrize("eyes", [None, *eyes_of.DEFICIENCY])
def test_all_six_differ(eyes):
    pairs = itertools.combinations(theme.CATEGORIES, 2)
    assert min(eyes_of.difference(a, b, eyes) for a, b in pairs) > JUST_APART


def test_a_bad_palette_fails_the_same_test():
    # red and green of one lightness: the pair every colour-blind reader knows
    assert eyes_of.difference("#d62728", "#6b8e23", "deuteranopia") < 35
    assert eyes_of.difference("#d62728", "#6b8e23") > 80


def test_text_is_legible_on_the_ground():
    assert eyes_of.contrast(theme.INK, theme.GROUND) > 7
    for name, colour in theme.PALETTE.items():  # WCAG 2.2, 1.4.11: bars, lines and points
        assert eyes_of.contrast(colour, theme.GROUND) >= 3, name
    assert (
        eyes_of.contrast(theme.PALETTE["vermilion"], theme.GROUND) >= 4.5
    )  # "your guess", in words


def test_the_theme_is_on():
    assert alt.theme.active == "econ"
