"""The ledger: registered recomputations, models told from arithmetic, bad rows named."""

import ast
import functools
import importlib
import inspect
import json
import pkgutil
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.catalog import accelerator, model, table
from econ.catalog.tables import BadTable
from econ.ledger import latency, ledger
from econ.ledger import recompute as published

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS, VIEWS = ROOT / "notebooks", ROOT / "econ" / "lessons"
MODELS = sorted(name for name, called in published.SPEAKS_FOR.items() if called)
SOURCES = table("published_figures")


def _words(code: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", code))


def _notebook_words() -> set[str]:
    cells = (
        cell
        for path in NOTEBOOKS.glob("[0-9]*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    )
    return _words("\n".join("".join(cell["source"]) for cell in cells))


@functools.cache
def _reached() -> set[str]:
    """Names that the notebooks use, and those that the models they call use in turn."""
    names = [room.name for room in pkgutil.walk_packages(econ.__path__, "econ.")]
    shown = ("econ.charts", "econ.lessons.exercises", "econ.ledger", "econ.__main__")
    rooms = [importlib.import_module(n) for n in names if not n.startswith(shown)]
    ours = {
        name: thing
        for room in rooms
        for name, thing in vars(room).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__.startswith("econ.")
        and not thing.__module__.startswith(shown)
    }
    words, read = _notebook_words() | _view_words(), set()
    while new := (words & set(ours)) - read:
        read |= new
        words = words.union(*(_words(inspect.getsource(ours[name])) for name in new))
    return words


def _view_words() -> set[str]:
    """Names in the views: a panel calls its model there."""
    return _words("\n".join(p.read_text(encoding="utf-8") for p in VIEWS.glob("chart_*.py")))


@functools.cache
def _shown_topics() -> set[str]:
    """Topics whose rows a lesson puts before the reader."""
    books = "".join(p.read_text(encoding="utf-8") for p in NOTEBOOKS.glob("[0-9]*.ipynb"))
    return set(re.findall(r'ledger\.show\(\\?"([\w-]+)', books))


def _calls(function) -> set[str]:
    """Names that a recomputation calls or reads, through private helpers beside it too."""
    tree = ast.parse(inspect.getsource(function))
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    beside = {n: function.__globals__.get(n) for n in names if n.startswith("_")}
    helpers = [f for f in beside.values() if inspect.isfunction(f)]
    return names.union(*map(_calls, helpers))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_row_calls_what_a_notebook_uses(name):
    speaks_for = set(published.SPEAKS_FOR[name])
    assert speaks_for <= _calls(published.RECOMPUTE[name])
    topics = set(SOURCES.loc[SOURCES["compute"] == name, "topic"])
    assert speaks_for <= _reached() or topics & _shown_topics(), "no lesson uses or shows it"


def test_the_two_sorts_are_counted_apart():
    frame = ledger.ledger_frame()
    model_rows = frame["sort"] == "model"
    assert set(frame["sort"]) == {"model", "arithmetic"}
    assert set(SOURCES.loc[frame.index[model_rows], "compute"]) <= set(MODELS)
    assert not set(SOURCES.loc[frame.index[~model_rows], "compute"]) & set(MODELS)


def test_every_registered_recomputation_is_used():
    assert set(SOURCES["compute"]) == set(published.RECOMPUTE)


def test_a_topic_holds_its_rows_and_all_hold_every_row():
    topics = [ledger.ledger_frame(topic) for topic in SOURCES["topic"].unique()]
    assert sum(map(len, topics)) == len(SOURCES) == len(ledger.ledger_frame())
    with pytest.raises(ValueError, match="unknown topic 'token'; nearest: tokens"):
        ledger.ledger_frame("token")


# -- second routes --------------------------------------------------------------------------------
def test_the_step_by_hand():
    """26 GB of weights and one cache of 6.7 GB through eight chips of 819 GB/s."""
    ours = latency.streaming_s(
        "llama-2-13b", "tpu-v5e", n_gpu=8, bytes_per_param=2, kv_tokens=8192, batch=1
    )
    assert ours == pytest.approx((13_015_864_320 * 2 + 40 * 40 * 128 * 8192 * 4) / 6552e9, rel=1e-4)


@given(st.integers(1, 64), st.integers(1, 16_384))
def test_traffic_grows_by_one_cache_a_sequence(batch, kv_tokens):
    held = {"kv_tokens": kv_tokens, "bytes_per_param": 1, "bytes_per_element": 1}
    more, less = (
        latency.serving_bytes("llama-3.1-70b", batch=b, **held) for b in (batch + 1, batch)
    )
    assert more - less == pytest.approx(kv_tokens * 163_840, abs=1e-4 * more)


def test_the_largest_batch_is_the_closed_form():
    net, chip = model("llama-3.1-70b"), accelerator("tpu-v5e")
    room = 16 * chip.memory_bytes - 2 * net.n_params
    ours = latency.requests_that_fit(
        id=net.id, chip=chip.id, n_gpu=16, precision="bf16", context_tokens=8192
    )
    assert ours == int(room / (8192.5 * net.kv_bytes_per_token()))
    alone = {"id": "llama-3.1-405b", "chip": "l4", "n_gpu": 1}
    assert latency.requests_that_fit(**alone, precision="fp8", context_tokens=1) == 0


def test_a_change_in_the_model_moves_the_figure(monkeypatch):
    fewer = replace(model("llama-2-13b"), n_kv_heads=8)
    monkeypatch.setattr(latency, "model", lambda id: fewer)
    row = ledger.ledger_frame().loc["llama13b-kv-8k"]
    assert row.ours == pytest.approx(row.published / 5, rel=0.01)
    assert not row.within


# -- what a row may say ---------------------------------------------------------------------------
def _with(monkeypatch, **changes):
    """The first row with some cells changed, as the whole table."""
    row = SOURCES.loc[["llama3-chars-per-token"]].assign(**changes)
    monkeypatch.setattr(ledger, "table", lambda name: row)
    return ledger.ledger_frame


@pytest.mark.parametrize(
    ("low", "high", "within"),
    [(0.2, 0.3, True), (0.25, 0.3, False), (0.2, None, True), (0.25, None, False),
     (None, 0.24, False), (None, 0.25, True)],
)  # fmt: skip
def test_a_band_holds_from_either_side(monkeypatch, low, high, within):
    frame = _with(monkeypatch, tolerance_frac=None, low=low, high=high)()
    assert frame["within"].tolist() == [within]


@given(st.floats(1e-6, 1e12), st.floats(0, 0.5), st.floats(0.2, 2))
def test_a_tolerance_is_symmetric_around_the_published_value(published, tolerance_frac, times):
    rows = SOURCES.iloc[:1].assign(published=published, tolerance_frac=tolerance_frac)
    low, high = (side.item() for side in ledger._limits(rows))
    assert low <= published <= high
    gap = abs(times - 1)
    if abs(gap - tolerance_frac) > 1e-9:
        assert (low <= published * times <= high) == (gap < tolerance_frac)


@pytest.mark.parametrize("changes", [{"low": 0.2}, {"tolerance_frac": None}])
def test_a_row_has_either_a_tolerance_or_a_band(monkeypatch, changes):
    with pytest.raises(BadTable, match=r"row 'llama3-chars-per-token'.*either a tolerance or a b"):
        _with(monkeypatch, **changes)()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"compute": "ratios"}, "column compute: unknown recomputation 'ratios'; nearest: ratio"),
        ({"inputs": '{"new": 1, "old": 0}'}, "column inputs: more_by.*division by zero"),
        ({"inputs": '{"new": 1}'}, "column inputs: more_by.*missing 1 required"),
        ({"inputs": "new=1"}, "column inputs: more_by.*Expecting value"),
        ({"inputs": "[1, 2]"}, "column inputs: more_by.*must be a mapping"),
        ({"inputs": '{"new": NaN, "old": 1}'}, "column inputs: more_by.* is nan"),
        (
            {"compute": "parameters", "inputs": '{"id": "llama-2-13"}'},
            "column inputs: parameters.*unknown model 'llama-2-13'; nearest: llama-2-13b",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_column(monkeypatch, changes, says):
    with pytest.raises(BadTable, match=f"row 'llama3-chars-per-token', {says}"):
        _with(monkeypatch, **changes)()


def test_a_name_is_registered_once():
    assert set(published.SPEAKS_FOR) == set(published.RECOMPUTE)
    with pytest.raises(ValueError, match="'ratio' is registered twice"):
        published.recompute()(published.ratio)


# -- printed --------------------------------------------------------------------------------------
def test_the_command_prints_ours_beside_published_and_what_is_not_asserted(capsys):
    ledger.main(["--topic", "tokens"])
    printed = capsys.readouterr().out
    held = ledger.ledger_frame("tokens").query("asserted")["sort"].value_counts()
    for sort, n in held.items():
        assert f"{sort}: {n} of {n} within their tolerance or band" in printed
    assert "1,590" in printed
    assert (
        printed.count("not asserted") == (~SOURCES.query("topic == 'tokens'")["asserted"]).sum() + 1
    )


def test_a_figure_outside_is_seen_in_print(monkeypatch, capsys):
    _with(monkeypatch, published=0.3)
    ledger.main([])
    printed = capsys.readouterr().out
    assert re.search(r"llama3-herd +NO", printed)
    assert "arithmetic: 0 of 1 within" in printed


def test_an_unknown_topic_on_the_command_line_lists_the_topics(capsys):
    with pytest.raises(SystemExit) as stop:
        ledger.main(["--topic", "token"])
    assert stop.value.code == 2
    assert "latency-throughput" in capsys.readouterr().err


def test_misses_say_why_largest_first():
    far, frame = ledger.misses_frame(), ledger.ledger_frame()
    gaps = far["gap"].str.rstrip("%").astype(float).abs()
    assert gaps.is_monotonic_decreasing
    assert (far["why"].str.len() > 5).all()
    assert set(far.index) == set(frame.index[frame["gap"].abs() > 0.01])
