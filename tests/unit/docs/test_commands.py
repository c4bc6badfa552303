"""Commands that the documentation names exist: targets of make, Python modules, verbs and kinds of kubectl, image stages."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, blocks, pages, words
from trimtab.api.kinds import KINDS
from trimtab.api.meta import CATEGORY
from trimtab.cli.__main__ import app
from trimtab.controller.resources import EVENT, LEASE, WATCHED

OURS = {name for row in KINDS for name in (row.plural, row.kind.lower(), row.short_name)}
THEIRS = {name for row in (*WATCHED.values(), LEASE, EVENT) for name in (row.plural, row.kind.lower())} | {"crd"}
OF_A_KIND = {"annotate", "delete", "describe", "explain", "get", "patch", "scale", "wait"}
VERBS = OF_A_KIND | {"apply", "create", "kustomize", "logs", "rollout", "top"}
VALUED = {"--namespace", "-n", "-l", "-o", "-f", "-k", "--patch-file", "--sort-by"}

every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


def commands(page: Path) -> Iterator[str]:
    """Lines of fenced blocks without a language, and code within text."""
    for block in blocks(""):
        if block.page == page:
            yield from (line.removeprefix("$ ") for line in block.text.splitlines())
    yield from (" ".join(word.split()) for word in words(page))


def called(page: Path, pattern: str) -> set[str]:
    return {match for command in commands(page) for match in re.findall(pattern, command)}


@every_page
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert called(page, r"^make ([a-z-]+)") <= targets


def runs(module: str) -> bool:
    """Whether `python -m` does something with a module; it is found and read, not run."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        return False
    if spec.submodule_search_locations:
        return any((Path(folder) / "__main__.py").exists() for folder in spec.submodule_search_locations)
    return spec.origin is not None and '__name__ == "__main__"' in Path(spec.origin).read_text()


@every_page
def test_modules_can_be_run(page: Path) -> None:
    assert [module for module in sorted(called(page, r"python3? -m ([\w.]+)")) if not runs(module)] == []


OWN_VERBS = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}


@every_page
def test_the_command_line_has_what_pages_call(page: Path) -> None:
    assert called(page, r"^trimtab ([a-z-]+)") <= OWN_VERBS


def unknown(command: str) -> Iterator[str]:
    """What kubectl would not understand of a command."""
    rest = shlex.split(command.split("kubectl ", 1)[1], comments=True)
    plain = []
    while rest:
        word = rest.pop(0)
        if word in VALUED and rest:
            rest.pop(0)
        elif not word.startswith("-"):
            plain.append(word)
    if plain[:1] == ["trimtab"]:
        if not set(plain[1:2]) & OWN_VERBS:
            yield f"verb {plain[1:2]} of trimtab"
    elif not plain or plain[0] not in VERBS:
        yield f"verb {plain[:1]}"
    elif plain[0] in OF_A_KIND and len(plain) > 1:
        kinds = [part.split("/")[0] for part in plain[1].split(".")[0].split(",")]
        yield from (f"kind {kind}" for kind in kinds if kind not in OURS | THEIRS | {CATEGORY})


@every_page
def test_kubectl_understands(page: Path) -> None:
    found = [command for command in commands(page) if re.match(r"(python3 -m cluster )?kubectl [a-z-]", command)]
    assert [(command, list(unknown(command))) for command in found if list(unknown(command))] == []


def test_what_kubectl_does_not_know_is_noticed() -> None:
    assert list(unknown("kubectl get mdeps -o wide")) == ["kind mdeps"]
    assert list(unknown("kubectl --namespace NS trimtab plan")) == ["verb ['plan'] of trimtab"]
    assert list(unknown("kubectl trimtabs drift")) == ["verb ['trimtabs']"]
    assert list(unknown("kubectl get tjob,mdlv,pods --all-namespaces")) == []


def test_stages_of_the_dockerfile_exist() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    named = called(ROOT / "README.md", r"--target (\S+)")
    assert named == {"operator", "server", "trainer"}
    assert named <= stages
