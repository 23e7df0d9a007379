"""``econ site``: pages from a folder or an archive, and what is said where there are none."""

import contextlib
import socket
import threading
import urllib.error
import urllib.request
import zipfile

import pytest

from econ import cli, site_command

FILES = {"index.html": "<h1>first</h1>", "notebooks/00.html": "é", "_static/a b.js": "1"}


@pytest.fixture(params=["folder", "archive"])
def place(request, tmp_path):
    """A small site, either way."""
    folder = tmp_path / "pages"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "secret.txt").write_text("no")
    if request.param == "folder":
        return folder
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as box:
        for name in FILES:
            box.write(folder / name, name)
    return tmp_path / "site.zip"


@contextlib.contextmanager
def _running(place):
    with site_command._server(site_command.Pages(place)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_pages_come_with_their_type_and_nothing_else_comes(place):
    with _running(place) as base:
        for path, kind, text in (
            ("/", "text/html; charset=utf-8", "<h1>first</h1>"),
            ("/notebooks/00.html?q=1", "text/html; charset=utf-8", "é"),
            ("/_static/a%20b.js", "text/javascript; charset=utf-8", "1"),
        ):
            with urllib.request.urlopen(base + path) as answer:
                assert answer.headers["Content-Type"] == kind
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.read().decode() == text
        for path in ("/none.html", "/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(base + path)
        head = urllib.request.Request(base, method="HEAD")
        with urllib.request.urlopen(head) as answer:
            assert answer.headers["Content-Length"] == "14"
            assert answer.read() == b""


def test_it_listens_to_this_computer_alone(place):
    with site_command._server(site_command.Pages(place)) as server:
        assert server.server_address[0] == "127.0.0.1"


def _says(capsys, *words) -> str:
    assert cli.main(["site", "--no-browser", *map(str, words)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    return error


def test_what_cannot_be_shown_is_one_sentence(tmp_path, capsys, monkeypatch):
    (tmp_path / "file.zip").write_text("no archive")
    assert "neither a folder nor a .zip" in _says(capsys, tmp_path / "file.zip")
    assert "no index.html" in _says(capsys, tmp_path)
    assert "none.zip" in _says(capsys, tmp_path / "none.zip")
    (tmp_path / "index.html").write_text("x")
    assert "0 to 65535" in _says(capsys, tmp_path, "--port", 70000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "is taken" in _says(capsys, tmp_path, "--port", taken.getsockname()[1])
    inside = tmp_path / "econ" / "site_command.py"
    monkeypatch.setattr(site_command, "__file__", str(inside))
    assert "download site.zip of the release" in _says(capsys)
    (tmp_path / "Makefile").write_text("")
    assert "make site" in _says(capsys)


def test_the_pages_in_a_wheel_are_found(place, tmp_path, monkeypatch):
    if place.is_dir():
        pytest.skip("a wheel carries an archive")
    (tmp_path / "econ").mkdir()
    place.rename(tmp_path / "econ" / site_command.ARCHIVE)
    monkeypatch.setattr(site_command, "__file__", str(tmp_path / "econ" / "site_command.py"))
    assert site_command.Pages(site_command._prebuilt()).read("/")[1] == b"<h1>first</h1>"
