"""Environments of others are whole or not there, whoever made them at once and whoever was killed."""

import subprocess
import sys
from pathlib import Path

from cluster.layout import PROJECT
from tests.process.serving.server import eventually

_MAKE = """
import sys
from pathlib import Path
from tests import venvs
print(venvs.python(Path(sys.argv[1]), "others", cache=Path(sys.argv[2])))
"""


def making(requirements: Path, cache: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _MAKE, str(requirements), str(cache)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_an_environment_is_made_once_though_its_first_maker_was_killed(tmp_path: Path) -> None:
    requirements, cache = tmp_path / "requirements.txt", tmp_path / "cache"
    requirements.write_text("# nothing\n")
    with making(requirements, cache) as first:
        eventually(lambda: any(cache.glob("others-*/bin")))
        first.kill()
    left = not any(cache.glob("others-*/complete"))  # as good as always: it had a second's work to do
    others = [making(requirements, cache) for _ in range(2)]
    said = [other.communicate(timeout=120) for other in others]
    assert [other.returncode for other in others] == [0, 0]
    (path,) = {out.strip() for out, _ in said}
    assert sorted(words.count("installing requirements.txt") for _, words in said) == [0, int(left)]
    assert subprocess.run([path, "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"]).returncode == 0
    again = making(requirements, cache).communicate(timeout=60)
    assert again == (f"{path}\n", "")
