"""The ledger: formulas in rows, three classes, models told from arithmetic, bad rows named."""

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
from econ.catalog.reading import BadTable
from econ.ledger import ledger
from econ.ledger.recompute import LOOKUPS, evaluate, functions_of, inputs_of

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS, QUESTIONS = ROOT / "notebooks", ROOT / "econ" / "lessons" / "questions"
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
    shown = ("econ.charts", "econ.lessons.questions", "econ.ledger", "econ.__main__")
    rooms = [importlib.import_module(n) for n in names if not n.startswith(shown)]
    ours = {
        name: thing
        for room in rooms
        for name, thing in vars(room).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__.startswith("econ.")
        and not thing.__module__.startswith(shown)
    }
    words, read = _notebook_words() | _question_words(), set()
    while new := (words & set(ours)) - read:
        read |= new
        words = words.union(*(_words(inspect.getsource(ours[name])) for name in new))
    return words


def _question_words() -> set[str]:
    """Names in the questions: what a lesson asks is computed there."""
    return _words("\n".join(p.read_text(encoding="utf-8") for p in QUESTIONS.glob("q*.py")))


@functools.cache
def _shown_topics() -> set[str]:
    """Topics whose rows a lesson puts before the reader."""
    books = "".join(p.read_text(encoding="utf-8") for p in NOTEBOOKS.glob("[0-9]*.ipynb"))
    return set(re.findall(r'ledger\.show\(\\?"([\w-]+)', books))


def _functions(id: str) -> list[str]:
    return functions_of(SOURCES.loc[id, "compute"], inputs_of(SOURCES["inputs"], id))


@pytest.mark.parametrize("name", sorted({n for id in SOURCES.index for n in _functions(id)}))
def test_a_model_row_calls_what_a_notebook_uses_or_shows(name):
    topics = set(SOURCES.loc[[id for id in SOURCES.index if name in _functions(id)], "topic"])
    assert name.split(".")[-1] in _reached() or topics & _shown_topics(), "no lesson uses it"


def test_the_two_sorts_are_counted_apart():
    frame = ledger.ledger_frame()
    assert set(frame["sort"]) == set(ledger.SORTS)
    for id in frame.index:
        computes = set(_functions(id)) - set(LOOKUPS)
        assert (frame.loc[id, "sort"] == "model") == bool(computes), id


def test_a_topic_holds_its_rows_and_all_hold_every_row():
    topics = [ledger.ledger_frame(topic) for topic in SOURCES["topic"].unique()]
    assert sum(map(len, topics)) == len(SOURCES) == len(ledger.ledger_frame())
    with pytest.raises(ValueError, match="unknown topic 'token'; nearest: tokens"):
        ledger.ledger_frame("token")


# -- three classes ---------------------------------------------------------------------------
def test_the_numbers_alone_decide_the_class():
    frame = ledger.ledger_frame()
    published_inside = frame["published"].between(frame["low"], frame["high"])
    banded = frame["tolerance_frac"].isna()
    met = frame["within"] & published_inside
    assert (frame["verdict"] == "reproduced").equals(met & ~banded)
    assert (frame["verdict"] == "inside a band").equals(met & banded)
    assert (frame["verdict"] == "we disagree").equals(~met)


def test_a_band_that_leaves_the_published_value_out_is_a_disagreement_with_a_reason():
    frame = ledger.ledger_frame()
    out = ~frame["published"].between(frame["low"], frame["high"])
    assert (frame.loc[out, "verdict"] == "we disagree").all()
    assert set(ledger.disagreements_frame().index) == set(frame.index[out & frame["asserted"]])
    because = frame.loc[out, "because"]
    assert (because.str.len() > 30).all()
    assert because.str.contains(r"\d").all()  # by how much, in figures


def test_only_the_first_two_classes_are_met():
    counts = ledger.counts_frame()
    assert (counts["met"] == counts["reproduced"] + counts["inside a band"]).all()
    assert (counts["rows"] - counts["met"] == counts["we disagree"]).all()
    assert counts["rows"].sum() == SOURCES["asserted"].sum()
    n = counts.sum()
    assert ledger.summary().startswith(f"{n['met']} of {n['rows']} published figures are met")


# -- second routes --------------------------------------------------------------------------------
def _ours(id: str, formula: str, **changes) -> float:
    """A formula on the inputs of a row, some of them changed."""
    return float(evaluate(formula, {**inputs_of(SOURCES["inputs"], id), **changes}))


def test_the_step_by_hand():
    """26 GB of weights and one cache of 6.7 GB through eight chips of 819 GB/s."""
    by_hand = (13_015_864_320 * 2 + 40 * 40 * 128 * 8192 * 4) / 6552e9
    assert ledger.recomputed("llama13b-step-1") == pytest.approx(by_hand, rel=1e-4)


@given(st.integers(1, 64), st.integers(1, 16_384))
def test_traffic_grows_by_one_cache_a_sequence(batch, context_tokens):
    more, less = (
        _ours("llama70b-memory-32", "read_bytes", batch=n, context_tokens=context_tokens)
        for n in (batch + 1, batch)
    )
    assert more - less == pytest.approx(context_tokens * 163_840, abs=1e-4 * more)


def test_the_largest_batch_is_the_closed_form():
    net, chip = model("llama-3.1-70b"), accelerator("tpu-v5e")
    free = 16 * chip.memory_bytes - 2 * net.n_params
    ours = ledger.recomputed("llama70b-caches-43")
    assert ours == int(free / (8192 * net.kv_bytes_per_token()))


def test_a_change_in_the_model_moves_the_figure(monkeypatch):
    fewer = replace(model("llama-2-13b"), head_dim=64)
    monkeypatch.setattr(econ.catalog, "model", lambda id: fewer)
    row = ledger.ledger_frame().loc["llama13b-step-240"]
    assert row.ours < row.published
    assert row.verdict == "we disagree"


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
        (
            {"compute": "econ.tco.cost_usd_per_mtoken"},
            "column compute: .*unknown public function 'econ.tco.cost_usd_per_mtoken'; nearest: "
            "econ.tco.cost_usd_per_mtok",
        ),
        ({"compute": "3.94 / 0"}, "column compute: 3.94 / 0: .*division by zero"),
        ({"compute": "new / old"}, "column compute: new / old: unknown input 'new'; known: none"),
        ({"compute": "new / (old"}, "column compute: .*is outside its range: a formula"),
        ({"compute": "open('x')"}, "column compute: .*unknown input 'open'; known: none"),
        ({"compute": "(1).__class__"}, "column compute: .*may not hold '__class__'"),
        ({"compute": "[n for n in 'ab']"}, "column compute: .*a formula may not hold"),
        ({"inputs": "new=1"}, "column inputs: Expecting value"),
        ({"inputs": "[1, 2]"}, "column inputs: .*is not an object with names"),
        ({"inputs": '{"as_in": "llama-chars"}'}, "column inputs: unknown row with inputs"),
        ({"compute": "x / 1", "inputs": '{"x": NaN}'}, "column compute: x / 1 is nan"),
        (
            {"compute": "econ.catalog.model('llama-2-13').n_params"},
            "column compute: .*unknown model 'llama-2-13'; nearest: llama-2-13b",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_column(monkeypatch, changes, says):
    with pytest.raises(BadTable, match=f"row 'llama3-chars-per-token', {says}"):
        _with(monkeypatch, **changes)()


# -- printed --------------------------------------------------------------------------------------
def test_the_command_prints_the_classes_and_what_is_not_asserted(capsys):
    ledger.main(["--topic", "tco"])
    printed = capsys.readouterr().out
    frame = ledger.ledger_frame("tco")
    assert ledger.summary(frame) in printed
    for id in frame.index[frame["asserted"] & (frame["verdict"] == "we disagree")]:
        assert f"we disagree on {id}, because " in printed
    assert "OUTSIDE" not in printed
    assert printed.count("not asserted") == (~frame["asserted"]).sum() + 1


def test_a_figure_outside_is_seen_in_print(monkeypatch, capsys):
    _with(monkeypatch, published=0.3)
    ledger.main([])
    printed = capsys.readouterr().out
    assert "OUTSIDE its tolerance or band: llama3-chars-per-token" in printed
    assert "0 of 1 published figures are met" in printed


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
