"""docs/ADDING-A-CONSUMER.md does what it says: its commands, in its order, in one shell, with the answers it shows."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

PAGE = ROOT / "docs/ADDING-A-CONSUMER.md"
FOLDER = ROOT / "extensions/hello"
ENDING = "--- end of the command: "


def commands():
    """(command, what the page shows of its answer) for each `$ ` of a console block; a command ends where its last line has no backslash."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), flags=re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            lines = part.splitlines()
            end = next(number for number, line in enumerate(lines) if not line.endswith("\\")) + 1
            found.append(("\n".join(lines[:end]), "\n".join(lines[end:]).strip()))
    return found


def pattern(shown):
    """What is shown, with … for anything; nothing shown says nothing."""
    return ".*".join(re.escape(piece) for piece in shown.split("…")) if shown else ".*"


def test_the_page_splits_into_its_commands():
    """Else a page that is written otherwise would pass by running nothing."""
    names = [command.split()[1] for command, _ in commands() if command.startswith("./quire")]
    assert names == ["up", "trace", "trace", "new-consumer", "test", "up", "trace", "scale", "tell-again"]
    assert len(commands()) == 16 and re.fullmatch(pattern("a…c"), "abc") and not re.fullmatch(pattern("a…c"), "abd")


@pytest.mark.timeout(900)  # it builds images twice, and the tests
def test_every_command_of_the_page(stack):
    assert not FOLDER.exists(), f"{FOLDER} is in the way: the page makes it"
    environment = {name: value for name, value in os.environ.items() if name != "QUIRE_EXTENSIONS"}
    script = "set -e\n" + "".join(f"{command}\necho; echo '{ENDING}{number}'\n" for number, (command, _) in enumerate(commands()))
    try:
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment, text=True, capture_output=True, timeout=900)
        answers = re.split(rf"\n?{ENDING}\d+\n", done.stdout)
        assert done.returncode == 0, f"{commands()[len(answers) - 1][0]}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        for (command, shown), answer in zip(commands(), answers):
            assert re.fullmatch(pattern(shown), answer.strip(), flags=re.S), f"$ {command}\n{answer}\nisn't as the page has it:\n{shown}"
    except BaseException:
        shutil.rmtree(FOLDER, ignore_errors=True)
        stack.quire("down", "--volumes")  # a rerun opens the page's account anew
        stack.quire("up")
        raise
    finally:
        # It would be stopped as an orphan, after the broker that it wants to leave.
        subprocess.run(["docker", "rm", "-f", *stack.containers("hello")], capture_output=True, check=False)
        shutil.rmtree(FOLDER, ignore_errors=True)
