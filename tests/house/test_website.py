"""The static site: grids of panels, pages of notebooks, and all of it in Chromium."""

import doctest
import json
import re
import sys
from pathlib import Path

import ipywidgets as widgets
import nbformat
import pandas as pd
import pytest

from econ.charts import choice, figure, panel, slider, switch
from econ.site_command import Pages

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "website")]

import api  # noqa: E402
import grid  # noqa: E402
import lite  # noqa: E402
import notebook_names  # noqa: E402
import pack  # noqa: E402
import pages  # noqa: E402
import place  # noqa: E402
import publish  # noqa: E402
import replay  # noqa: E402
import slides  # noqa: E402

WORDS = "A line that ends at {:g}, nothing more."


def _panel(model=None, presets=None, **controls):
    def rows(**values):
        n = values.get("n", 1)
        if n > 400:
            raise ValueError("n is too much")
        return pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, n / 3], "unseen": ["a", "b"]})

    def chart(frame):
        top = frame["y"].max()
        return figure(frame, "x", "y", finding=f"To {top:g}", says=WORDS.format(top))

    return panel(model or rows, chart, presets=presets or {}, **controls)


def test_a_grid_holds_the_default_the_presets_and_both_ends():
    log = slider(1, 200, value=20, log=True)
    made = grid.tabulate(_panel(n=log, presets={"five": {"n": 5}}))
    (control,) = made["controls"]
    assert {1, 5, 20, 200} <= set(control["values"])
    assert control["values"][control["first"]] == 20
    assert len(made["states"]) == len(control["values"])


@pytest.mark.parametrize("n", [1, 2, 4, 6, 8])
def test_a_grid_is_bounded_whatever_the_controls(n):
    many = {f"c{i}": choice(list("abcde")) for i in range(n - 1)}
    axes = grid.axes(_panel(n=slider(1, 300, value=20), **many, model=_steep))
    states = 1
    for axis in axes:
        states *= len(axis["values"])
        assert axis["kind"] == ("fixed" if len(axis["values"]) == 1 else axis["kind"])
    assert 1 <= states <= grid.MOST_STATES
    assert len(axes[0]["values"]) >= 3  # the slider stays one


def _steep(n, **_):
    return pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, n], "unseen": ["a", "b"]})


def test_states_say_what_the_panel_says_and_leave_out_what_is_not_drawn():
    panel = _panel(n=slider(1, 500, value=20, log=True))
    made = json.loads(json.dumps(grid.tabulate(panel), allow_nan=False))
    assert made["columns"] == ["x", "y"]
    values = made["controls"][0]["values"]
    for i, n in enumerate(values):
        spec, title, words, rows = made["states"][str(i)]
        panel.set(n=n)
        assert words == panel.readout
        if n > 400:
            assert spec is None
            assert rows == []
        else:
            assert title == panel.drawn({"n": n}).title.text
            assert made["rows"][rows[1]][1] == pytest.approx(n / 3, rel=1e-3)
    assert values[-1] == 500  # and that one was refused


def test_a_row_that_states_share_is_kept_once():
    made = grid.tabulate(_panel(n=slider(1, 50, value=20, log=True)))
    assert made["rows"].count((0.0, 0.0)) == 1
    assert all(state[3][0] == made["rows"].index((0.0, 0.0)) for state in made["states"].values())


def test_a_slider_between_stops_and_a_box_to_tick():
    odd = slider(1.0, 4.0, value=3.85, step=0.05)
    axes = grid.axes(_panel(n=odd, on=switch(value=True), model=_steep))
    assert axes[0]["values"][axes[0]["first"]] == 3.85
    assert axes[1]["words"][axes[1]["first"]] == "yes"
    assert isinstance(odd, widgets.FloatSlider)


def _write(path: Path, *cells):
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return path


CHART = """import pandas as pd
from econ.charts import figure
f = pd.DataFrame({"chip": ["A", "B"], "w": [700.0, 1000.0]})
figure(f, "w", "chip", kind="bar", finding="B", says="Bars of power: A 700 W, B 1000 W.")"""


def _cell(words: str):
    out = nbformat.v4.new_output("execute_result", {"image/png": "", "text/plain": words})
    out["execution_count"] = 1
    return nbformat.v4.new_code_cell(CHART, outputs=[out])


def test_a_page_that_differs_from_its_notebook_is_not_built(tmp_path):
    good = _write(tmp_path / "good.ipynb", _cell("Bars of power: A 700 W, B 1000 W."))
    (chart,) = replay.shown(good).values()
    assert chart.title.text == "B"
    bad = _write(tmp_path / "bad.ipynb", _cell("Bars of power: A 701 W, B 1000 W."))
    with pytest.raises(ValueError, match=r"bad\.ipynb.*now says.*make execute NOTEBOOK=bad"):
        replay.shown(bad)


def test_only_cells_that_a_chart_rests_on_are_run(tmp_path):
    frame, drawing = CHART.splitlines()[2:]
    table = nbformat.v4.new_output("execute_result", {"text/html": "<table>"}, execution_count=1)
    cells = [
        nbformat.v4.new_code_cell("watts = {}"),
        nbformat.v4.new_code_cell("import pandas as pd\nfrom econ.charts import figure"),
        nbformat.v4.new_code_cell("watts['B'] = 1000.0"),  # changes what the chart uses
        nbformat.v4.new_code_cell("raise RuntimeError('a table takes long')", outputs=[table]),
        _cell("Bars of power: A 700 W, B 1000 W."),
    ]
    cells[-1].source = frame.replace("1000.0", "watts['B']") + f"\n{drawing}"
    (chart,) = replay.shown(_write(tmp_path / "some.ipynb", *cells)).values()
    assert chart.data["w"].tolist() == [700.0, 1000.0]


def test_a_name_that_no_notebook_has_lists_the_nearest(capsys):
    with pytest.raises(SystemExit, match="unknown notebook '01_token'; nearest: 01_tokens"):
        publish.build(names=["01_token"])
    with pytest.raises(SystemExit) as help:
        lite.build(names=["--help"])
    assert help.value.code == 0
    assert "Notebooks: 00_start_here" in capsys.readouterr().out


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test."""
    monkeypatch.setattr(pages, "CACHE", tmp_path / "cache")


def test_a_changed_sentence_computes_no_chart_again(tmp_path, cache, monkeypatch):
    for folder in ("notebooks", "_extra"):
        (tmp_path / folder).mkdir()
    words = "Bars of power: A 700 W, B 1000 W."
    chart = _cell(words)
    for prose, calls in (("# One", 1), ("# Another", 0)):
        runs = []
        monkeypatch.setattr(
            pages, "shown", lambda path, r=runs: r.append(path) or replay.shown(path)
        )
        path = _write(tmp_path / "09_demo.ipynb", nbformat.v4.new_markdown_cell(prose), chart)
        pages.write_notebook(path, tmp_path, set())
        assert len(runs) == calls
        assert words in (tmp_path / "notebooks" / "09_demo.md").read_text()
        assert len(list((tmp_path / "_extra").glob("09_demo-*.svg"))) == 2  # light and dark


def test_buttons_follow_the_one_address(monkeypatch):
    monkeypatch.delenv("ECON_REPOSITORY", raising=False)
    assert place.buttons("x.ipynb") == {} or place.repository()
    monkeypatch.setenv("ECON_REPOSITORY", "https://github.com/owner/name/")
    links = place.buttons("x.ipynb")
    assert links["Open in Colab"].endswith("/github/owner/name/blob/main/notebooks/x.ipynb")
    assert place.site() == "https://owner.github.io/name/"
    assert all(url.startswith("https://") and "owner/name" in url for url in links.values())


def test_the_api_lists_what_each_package_offers(tmp_path):
    (tmp_path / "api").mkdir()
    api.write(tmp_path)
    page = (tmp_path / "api" / "econ.latency.md").read_text()
    for name in ("predict", "predict_frame", "users_within"):
        assert f"autofunction:: econ.latency.{name}\n" in page
    assert "<code>n_gpu</code>" in (tmp_path / "api" / "econ.md").read_text()  # with its unit
    index = (tmp_path / "api" / "index.md").read_text()
    assert index.index("econ.catalog") < index.index("econ.latency") < index.index("econ.plan")


def test_a_page_has_prose_code_words_and_numbers(tmp_path, cache):
    for folder in ("notebooks", "_extra"):
        (tmp_path / folder).mkdir()
    words = "Bars of power: A 700 W, B 1000 W."
    cells = [
        nbformat.v4.new_markdown_cell(
            "# Why?\n\n*7 minutes* see [01](01_tokens.ipynb), [99](99_none.ipynb)"
        ),
        nbformat.v4.new_markdown_cell(
            "```mermaid\nflowchart LR\n  accDescr: A to B.\n  A-->B\n```"
        ),
        _cell(words),
    ]
    path = _write(tmp_path / "09_demo.ipynb", *cells)
    book = pages.write_notebook(path, tmp_path, {"01_tokens"})
    text = (tmp_path / "notebooks" / "09_demo.md").read_text()
    assert book == {
        "stem": "09_demo",
        "title": "Why?",
        "minutes": "7",
        "name": "09 Demo",
        "panel": "",
    }
    assert "[01](01_tokens.md), 99" in text  # what is not there yet is no link
    assert 'alt="A to B."' in text
    assert f'alt="{words}"' in text
    assert "The chart&#x27;s numbers (2 rows)" in text
    assert "mermaid" not in text


@pytest.mark.parametrize(
    "module", [api, grid, notebook_names, pages, place, lite, slides], ids=lambda m: m.__name__
)
def test_the_tools_examples_run(module):
    done = doctest.testmod(module)
    assert done.attempted
    assert not done.failed


def test_the_archive_of_the_site_fits_a_wheel_or_is_not_written(tmp_path, monkeypatch):
    site, out = tmp_path / "site", tmp_path / "site.zip"
    with pytest.raises(SystemExit, match="make site first"):
        pack.pack(site, out)
    site.mkdir()
    (site / "index.html").write_text("<h1>first</h1>")
    _write(site / "a.ipynb", _cell("words that only an output has"))
    shown = Pages(pack.pack(site, out))
    assert shown.read("/")[1] == b"<h1>first</h1>"
    book = shown.read("/a.ipynb")[1].decode()
    assert "import pandas" in book
    assert "words that only an output has" not in book
    out.unlink()
    monkeypatch.setattr(pack, "MOST_BYTES", 100)
    with pytest.raises(SystemExit, match="a wheel has room for"):
        pack.pack(site, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["site"]


def test_the_pages_script_is_the_live_charts_own():
    text = publish.script()
    assert "window.econLive" in text
    assert not re.search(r"\bexport\s*[{d]", text[-500:])
