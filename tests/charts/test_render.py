"""What leaves the kernel for a chart: picture, words, and for a reader the live specification."""

import base64
import io

import pandas as pd
import pytest
from PIL import Image

from econ.charts import figure, render

FRAME = pd.DataFrame({"chip": ["A", "B"], "power_w": [700.0, 1000.0]})
WORDS = "Bars of power: A 700 W, B 1000 W."


@pytest.fixture
def spec():
    """A small chart's specification."""
    chart = figure(FRAME, "power_w", "chip", kind="bar", finding="B", says=WORDS)
    return chart.to_dict()


def test_words_are_the_text_and_the_alternative_text(spec):
    bundle, metadata = render.bundle_of(spec)
    assert bundle["text/plain"] == WORDS
    assert metadata["image/png"]["alt"] == WORDS


def test_lab_draws_no_menu_without_a_name_and_no_door_to_another_host(spec, monkeypatch):
    monkeypatch.delenv("ECON_STATIC", raising=False)
    bundle, metadata = render.bundle_of(spec)
    assert bundle[render.V5_MIME]["$schema"].endswith("vega-lite/v5.json")
    assert metadata[render.V5_MIME]["embed_options"]["actions"] is False
    assert spec["$schema"] != bundle[render.V5_MIME]["$schema"]  # the chart itself is untouched


def test_committed_outputs_are_the_same_bytes_each_time(spec, monkeypatch):
    monkeypatch.setenv("ECON_STATIC", "1")
    first, metadata = render.bundle_of(spec)
    assert set(first) == {"text/plain", "image/png"}
    assert set(metadata) == {"image/png"}
    assert render.bundle_of(spec)[0] == first


def test_the_picture_is_a_picture(spec):
    picture = Image.open(io.BytesIO(base64.b64decode(render.png_of(spec))))
    assert picture.format == "PNG"
    assert picture.width > 500
    assert len(picture.convert("RGB").getcolors(1 << 16)) > 4  # drawn, not blank


def test_a_chart_without_words_is_not_shown(spec):
    with pytest.raises(ValueError, match="without a description"):
        render.bundle_of({**spec, "description": ""})


def test_on_a_page_ink_and_ground_are_the_pages_and_data_keep_theirs():
    frame = pd.DataFrame({"part": ["a", "b"], "usd": [1.0, 2.0], "ink": ["#1f2328", "#ffffff"]})
    spec = figure(frame, "usd", "part", kind="bar", finding="b leads").to_dict()
    page = render.themed(spec)
    assert page["config"]["background"] == "transparent"
    assert page["config"]["axis"]["labelColor"] == "currentColor"
    assert page["datasets"] == spec["datasets"]
