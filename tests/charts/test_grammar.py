"""Charts: described, drawn, and drawn again in the Vega-Lite that JupyterLab has."""

import base64

import pandas as pd
import pytest
import vl_convert

from econ.charts import grammar as charts
from econ.charts import render
from econ.latency import bound as envelope
from econ.latency.speculation import speculation_frame
from econ.lessons import chart_latency, chart_start, chart_tokens, latency_cases, token_cases
from econ.scenario import Scenario
from econ.tokens.count import compression_frame

SERVED = {
    "model": "llama-3.1-70b",
    "accelerator": "h100-sxm",
    "tp": 4,
    "precision": "fp8",
    "input_tokens": 1000,
}
CASES = {
    "reality": lambda: chart_start.reality_chart(envelope.reality_frame()),
    "tradeoff": lambda: chart_start.tradeoff_chart(
        envelope.batches_frame(Scenario.default()), guess=5.0
    ),
    "parts": lambda: chart_start.parts_chart(envelope.parts_frame(Scenario.default(), 50)),
    "ranges": lambda: chart_start.ranges_chart(envelope.ranges_frame(Scenario.default())),
    "languages": lambda: chart_tokens.compression_chart(compression_frame(), guess=3.0),
    "images": lambda: chart_tokens.images_chart(token_cases.images_frame()),
    "jobs": lambda: chart_tokens.jobs_chart(token_cases.jobs_frame("gpt-5.6-terra", "OpenAI")),
    "growth": lambda: chart_tokens.growth_chart(token_cases.growth_frame()),
    "anatomy": lambda: chart_latency.anatomy_chart(latency_cases.anatomy_frame(**SERVED)),
    "memory": lambda: chart_latency.memory_chart(
        latency_cases.memory_frame(
            "llama-3.1-70b", "h100-sxm", n_gpu=4, precision="fp8", context_tokens=5000, batch=50
        )
    ),
    "roof": lambda: chart_latency.roof_chart(
        latency_cases.roof_frame("llama-3.1-8b", "h100-sxm", precision="bf16", context_tokens=1000)
    ),
    "parity": lambda: chart_latency.parity_chart(latency_cases.parity_frame()),
    "touched": lambda: chart_latency.touched_chart(
        latency_cases.touched_frame(["mixtral-8x7b", "gpt-oss-120b"])
    ),
    "speculation": lambda: chart_latency.speculation_chart(
        {
            "half of all drafts": speculation_frame(
                Scenario.of(**SERVED, output_tokens=500), acceptance_frac=0.5
            )
        }
    ),
    "tasks": lambda: chart_tokens.tasks_chart(token_cases.tasks_frame()),
}


@pytest.fixture(params=CASES)
def chart(request):
    """Each chart of the notebooks."""
    return CASES[request.param]()


def _titles(node):
    """All axis titles in a specification."""
    if isinstance(node, dict):
        for channel in ("x", "y"):
            encoding = node.get(channel)
            if isinstance(encoding, dict) and encoding.get("type") == "quantitative":
                yield encoding.get("title")
        for value in node.values():
            yield from _titles(value)
    elif isinstance(node, list):
        for value in node:
            yield from _titles(value)


def test_every_chart_says_what_it_shows(chart):
    assert len(chart.description) > 60
    assert any(c.isdigit() for c in chart.description)
    assert chart.title.text


def test_quantities_have_titles(chart):
    titles = [t for t in _titles(chart.to_dict()) if t]
    assert titles


def test_every_chart_draws_in_the_vega_lite_of_jupyterlab(chart):
    svg = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version="5.8")
    assert svg.count("<path") >= 3


def test_a_guess_is_drawn_and_named():
    without = chart_start.tradeoff_chart(envelope.batches_frame(Scenario.default()))
    assert "your guess" not in vl_convert.vegalite_to_svg(without.to_dict())
    assert "your guess" in vl_convert.vegalite_to_svg(CASES["tradeoff"]().to_dict())


def test_a_chart_without_words_is_refused():
    frame = pd.DataFrame({"a": [1.0], "b": ["x"]})
    with pytest.raises(ValueError, match="needs a description"):
        charts.bars(frame, "a", "b", x_title="a", title="t", description="short")
    with pytest.raises(ValueError, match="without a description"):
        render.bundle_of({"mark": "bar"})


def test_the_bundle_for_a_reader_and_for_committing(monkeypatch):
    spec = CASES["parts"]().to_dict()
    monkeypatch.delenv("ECON_STATIC", raising=False)
    live, words = render.bundle_of(spec)
    assert live[render.V5_MIME]["$schema"] == render.V5_SCHEMA
    assert words["image/png"]["alt"] == spec["description"] == live["text/plain"]
    monkeypatch.setenv("ECON_STATIC", "1")
    still, _ = render.bundle_of(spec)
    assert set(still) == {"text/plain", "image/png"}
    assert base64.b64decode(still["image/png"]).startswith(b"\x89PNG")
    assert render.bundle_of(spec)[0] == still
