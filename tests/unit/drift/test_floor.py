"""What holds for the whole package: its examples are true, and the parts that serving imports need no scipy."""

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys

import pytest

import trimtab.drift

MODULES = sorted(module.name for module in pkgutil.iter_modules(trimtab.drift.__path__))

SERVING = ("profile", "counting", "references", "vectors", "windows", "archive", "budget", "pooling", "psi", "edges")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(f"trimtab.drift.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is(name: str) -> None:
    assert len((importlib.import_module(f"trimtab.drift.{name}").__doc__ or "").split()) >= 10


def printed(script: str) -> list[str]:
    """Words that a fresh interpreter with this one's path prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=environment
    ).stdout.split()


def test_counting_and_windows_import_neither_scipy_nor_pydantic() -> None:
    modules = ", ".join(f"trimtab.drift.{name}" for name in SERVING)
    assert printed(f"import sys, {modules}; print(*{{'scipy', 'pydantic', 'pandas'}} & sys.modules.keys())") == []


def test_the_package_itself_imports_nothing_heavy() -> None:
    assert printed("import sys, trimtab.drift; print('numpy' in sys.modules)") == ["False"]
