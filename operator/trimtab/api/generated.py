"""Writing generated files, or saying which of them are stale. Build time only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def stale(folder: Path, files: Mapping[str, str], pattern: str) -> list[Path]:
    """Files that are missing, differ, or (matching `pattern`) are no longer generated."""
    wanted = {folder / name: text for name, text in files.items()}
    differing = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    return sorted([*differing, *(path for path in folder.glob(pattern) if path not in wanted)])


def write(folder: Path, files: Mapping[str, str], pattern: str) -> None:
    """Makes the folder hold exactly these files among those that match `pattern`."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in stale(folder, files, pattern):
        if path.name in files:
            path.write_text(files[path.name], "utf-8")
        else:
            path.unlink()


def main(
    module: str, pattern: str, generate: Callable[[], Mapping[str, str]], arguments: list[str] | None = None
) -> int:
    """`python -m <module> FOLDER [--check]`: 0 when done or fresh, 1 when a file is stale."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("folder", type=Path, help="folder that holds the generated files")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files that are stale")
    options = parser.parse_args(arguments)
    files = generate()
    if not options.check:
        write(options.folder, files, pattern)
        return 0
    old = stale(options.folder, files, pattern)
    for path in old:
        print(f"{path} is stale: run python -m {module} {options.folder}", file=sys.stderr)
    return 1 if old else 0
