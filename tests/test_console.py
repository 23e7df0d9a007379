"""The command on other consoles: one without our characters, Ctrl-C, a reader that leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from econ.cli import main

OURS = "4 × h100 − “1” ≤ 2\u202f000 … €, ü"
COST = ["cost", "--model", "llama-3.1-8b", "--accelerator", "h100-sxm"]
ECON = [sys.executable, "-m", "econ"]


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"},
     {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
    ids=["PYTHONIOENCODING", "LC_ALL"],
)  # fmt: skip
def test_a_console_without_our_characters_gets_plain_ones(environment):
    code = "import sys; from econ.__main__ import main; import econ.cli; "
    code += f"econ.cli.main = lambda: print({OURS!a}) or 0; "
    code += "sys.exit(main())"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env={**env, **environment}, timeout=600
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.rstrip() == b'4 x h100 - "1" <= 2 000 ... EUR, ?'


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.5], ids=["at once", "libraries load", "at work"])
def test_ctrl_c_ends_in_one_line_and_leaves_nothing(after_s, tmp_path):
    page = tmp_path / "answer.html"
    words = ["econ", "decide", "--model", "llama-3.1-70b", "--out", str(page)]
    code = (  # it says so within `main`, as that begins
        "import gc, sys; from econ.__main__ import main\n"
        "gc.set_threshold = lambda *_: print('begun', flush=True)\n"
        "sys.exit(main())"
    )
    # a job in the background of a script inherits a Ctrl-C that is switched off
    ready = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{ready}; sys.argv = {words!r}; {code}"
    started = subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1,
                               start_new_session=True)  # fmt: skip
    assert started.stdout.readline() == b"begun\n"
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(after_s)  # it takes longer
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    out, err = started.communicate(timeout=600)
    assert (started.returncode, out, err) == (130, b"", b"econ: stopped\n")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_ends_it_in_silence():
    started = subprocess.Popen([*ECON, *COST], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    started.stdout.close()
    err = started.stderr.read()
    started.stderr.close()
    assert (started.wait(600), err) == (141, b"")


@pytest.mark.parametrize("command", ["plan", "decide", "usage"])
@pytest.mark.parametrize(
    ("name", "says"),
    [("nowhere/a{}", "folder 'nowhere' is not there"), ("there{}", "a free name: there-2"),
     ("a.xyz", "give a ")],
)  # fmt: skip
def test_a_file_that_cannot_be_written_is_said_before_the_work(
    command, name, says, tmp_path, monkeypatch, capsys
):
    ending = {"plan": ".csv", "decide": ".html", "usage": ".json"}[command]
    (tmp_path / f"there{ending}").touch()
    monkeypatch.chdir(tmp_path)
    for work in ("econ.cli.plan", "econ.decide_command.decide", "econ.usage_command.read_usage"):
        monkeypatch.setattr(work, lambda *_, **__: pytest.fail("it worked first"))
    words = {"plan": [], "decide": ["--model", "llama-3.1-8b"], "usage": ["bill.csv"]}[command]
    assert main([command, *words, "--out", name.format(ending)]) == 2
    assert says in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 1
