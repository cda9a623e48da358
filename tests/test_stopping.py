import ast
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardpairs import __main__, stopping
from hardpairs.cli.commands import _conclude

STOPPING = """
import signal, sys, time
from pathlib import Path
from hardpairs import stopping
from hardpairs.files import whole_folder
stopping.listen()
try:
    with whole_folder(sys.argv[1]) as partial:
        for number in range(3000):
            (partial / str(number)).write_text("")
        print("filling", flush=True)
        time.sleep(60)
except stopping.Stopped as stopped:
    stopping.stop_listening()
    time.sleep(0.2)
    sys.exit(stopped.exit_code)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_pressed_again_and_again_nothing_is_left(tmp_path, number, code):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPING, str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout.readline() == "filling\n"
    while process.poll() is None:
        process.send_signal(number)
        time.sleep(0.01)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (code, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_its_code(sent, code, capsys, monkeypatch):
    monkeypatch.setattr(stopping._State, "stopped", None)
    monkeypatch.setattr(stopping._State, "stopped_at", float("-inf"))
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    try:
        signal.signal(sent, signal.SIG_DFL)  # What is ignored, as in the background, stays so.
        stopping.listen()
        with pytest.raises(stopping.Stopped) as stopped:
            signal.raise_signal(sent)
        assert _conclude(stopped.value) == code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err == "hardpairs: stopped; nothing half-written is left.\n"


def test_a_signal_before_the_commands_are_imported_ends_in_the_same_sentence(monkeypatch, capsys):
    for name in ("listen", "stop_listening"):
        monkeypatch.setattr(stopping, name, lambda: None)
    monkeypatch.setattr(stopping._State, "stopped", stopping.Stopped(signal.SIGINT))
    monkeypatch.setitem(sys.modules, "hardpairs.cli.commands", None)  # As if its import broke.
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "hardpairs: stopped; nothing half-written is left.\n"


def test_signals_are_heard_before_anything_slow_is_imported():
    tree = ast.parse(Path(__main__.__file__).read_text(encoding="utf-8"))
    imports = [ast.unparse(each) for each in tree.body if "import" in type(each).__name__.lower()]
    assert imports == ["import sys", "from hardpairs import stopping"]
