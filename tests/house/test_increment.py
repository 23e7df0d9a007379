"""A site built again: what changed shows up, what did not is left alone, a failure is not kept."""

import os
import shutil

import pytest

from tests.house.test_website import publish

increment = publish.increment
PAGES = {
    "index": "# Home\n\nWelcome.\n\n```{toctree}\none\ntwo\n```\n",
    "one": "# One\n\nThe first sentence.\n",
    "two": "# Two\n\nThe second sentence, see [one](one.md).\n",
}


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Build a site of these pages; for each its HTML, and which of them were written."""

    def write_sources(out, _):
        shutil.rmtree(out, ignore_errors=True)
        for name in ("_static", "_extra"):
            (out / name).mkdir(parents=True)
        for name, text in pages.items():
            (out / f"{name}.md").write_text(text, encoding="utf-8")
        (out / "_extra" / "data.js").write_text(f"{len(pages)}")
        for file in ("favicon.svg", "site.css", "copy.js"):
            shutil.copy(increment.HERE / "static" / file, out / "_static")
        shutil.copy(increment.HERE / "conf.py", out)

    monkeypatch.setattr(publish, "write_sources", write_sources)
    monkeypatch.setenv("PYTHONPATH", str(increment.ROOT))
    pages: dict[str, str] = {}
    seen: dict[str, int] = {}

    def run(given):
        pages.clear()
        pages.update(given)
        site = publish.build(tmp_path / "site", [])
        texts = {p.stem: p.read_text("utf-8") for p in site.glob("*.html")}
        times = {name: os.stat(site / f"{name}.html").st_mtime_ns for name in texts}
        fresh = {name for name in given if times[name] != seen.get(name)}
        seen.update(times)
        return texts, fresh

    return run


def test_what_changed_shows_up_and_nothing_else_is_written(build, tmp_path):
    texts, fresh = build(PAGES)
    assert fresh == set(PAGES)
    assert texts["one"].count('property="og:title"') == 1
    texts, fresh = build(PAGES | {"one": "# One\n\nAnother sentence.\n"})
    assert fresh == {"one", "index"}  # Sphinx writes again whoever lists a page
    assert "Another sentence." in texts["one"]
    assert texts["one"].count('property="og:title"') == 1
    texts, fresh = build(PAGES | {"one": "# First\n\nAnother sentence.\n"})
    assert fresh == set(PAGES)  # the sidebar of each has the title
    assert all("First" in texts[name] for name in PAGES)
    bad = PAGES | {"two": "# Two\n\n[none](none.md)\n"}
    for _ in range(2):  # a warning is not forgotten because its page was read once
        with pytest.raises(RuntimeError, match="Sphinx ended"):
            build(bad)
    less = {"index": PAGES["index"].replace("\ntwo", ""), "one": PAGES["one"]}
    texts, fresh = build(less)
    assert "two" not in texts
    assert (tmp_path / "site" / "data.js").read_text() == "2"


def test_only_what_differs_is_copied_and_what_is_gone_goes(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    for folder, files in ((new, {"a": "1", "b": "2"}), (old, {"a": "1", "b": "0", "sub/c": "3"})):
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    (old / ".kept").write_text("the builder's own")
    before = os.stat(old / "a").st_mtime_ns
    assert [str(name) for name in increment.mirror(new, old)] == ["sub/c"]
    assert os.stat(old / "a").st_mtime_ns == before
    assert (old / "b").read_text() == "2"
    assert (old / ".kept").exists()


def test_code_and_data_count_and_a_docstring_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(increment, "ROOT", tmp_path)
    monkeypatch.setattr(increment, "CODE", ((tmp_path / "econ", (".py",)),))
    monkeypatch.setattr(increment, "DATA", (tmp_path / "data", (".csv",)))
    monkeypatch.setattr(increment, "BEHAVIOUR", tmp_path / "build" / "behaviour")
    monkeypatch.setattr(increment, "content", increment.content.__wrapped__)
    for name in ("econ/a.py", "data/a.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x = 1\n")

    def now():
        return increment.behaviour.__wrapped__(), increment.content()

    first = now()
    assert now() == first  # kept, and read again
    (tmp_path / "econ/a.py").write_text('"""What it is."""\n\nx = 1  # one\n')
    second = now()
    assert second[0] == first[0]  # charts stay
    assert second[1] != first[1]  # pages of the API do not
    (tmp_path / "econ/a.py").write_text("x = 2\n")
    third = now()
    assert third[0] != second[0]
    (tmp_path / "data/a.csv").write_text("x\n")
    assert now()[0] != third[0]
    monkeypatch.setattr(increment, "_installed", lambda: "another pandas")
    assert now()[0] != third[0]


def test_bytecode_beside_the_sites_own_files_is_none_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(increment, "HERE", tmp_path)
    (tmp_path / "static" / "__pycache__").mkdir(parents=True)
    (tmp_path / "static" / "site.css").write_text("p {}\n")
    assert [path.name for path in increment.static_files()] == ["site.css"]
    assert increment.frame(tmp_path)
