"""The house rules that no linter knows: names of modules, lengths of files, what the operator may do, and words in use."""

import ast
import operator
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab.api.meta import GROUP
from trimtab.api.model import RunCause
from trimtab.api.reasons import REASONS, CommonReason, Reason
from trimtab.controller.resources import CHILDREN, EVENT, LEASE, OURS, READ_ONLY, Resource
from trimtab.training import failures

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "operator" / "trimtab"
MODULES = sorted(path for path in HOUSE.rglob("*.py"))
LENGTH = 300


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


# ---------------------------------------------------------------- modules


def test_a_package_called_operator_would_hide_the_standard_librarys() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert operator.__file__ is not None
    assert ROOT not in Path(operator.__file__).parents


def test_every_module_says_what_it_is() -> None:
    assert [str(path.relative_to(HOUSE)) for path in MODULES if not ast.get_docstring(tree(path))] == []


def test_a_file_has_at_most_three_hundred_lines() -> None:
    assert [str(path.relative_to(HOUSE)) for path in MODULES if len(path.read_text().splitlines()) > LENGTH] == []


NAMESAKES = {"controller/http.py", "drift/profile.py"}
"""Modules with a name of the standard library's: the exact word for what they are. Nothing beside them imports the other."""


def test_no_other_module_is_named_like_one_of_the_standard_library() -> None:
    assert {str(path.relative_to(HOUSE)) for path in MODULES if path.stem in sys.stdlib_module_names} == NAMESAKES


@pytest.mark.parametrize("namesake", sorted(NAMESAKES))
def test_nothing_beside_a_namesake_means_the_standard_library(namesake: str) -> None:
    for path in (HOUSE / namesake).parent.glob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                assert Path(namesake).stem not in [alias.name.split(".")[0] for alias in node.names], path


# ---------------------------------------------------------------- what the operator may do

READ = {"get", "list", "watch"}
MAKE = {"create", "patch", "delete"}
MADE_OF_OURS = ("TrainingJob", "ModelVersion")
"""Kinds of ours that the operator itself makes."""
PARENTS = ("Dataset", "Model", "TrainingJob", "ModelDeployment")
"""Kinds that own children: an ownerReference that blocks deletion needs their finalizers."""


def documents(path: str) -> Iterator[dict[str, Any]]:
    yield from (entry for entry in yaml.safe_load_all((ROOT / path).read_text()) if entry)


def granted(kind: str) -> dict[str, set[str]]:
    """Verbs by `group/resource` of the one role of a kind that the operator has."""
    (role,) = [entry for entry in documents("manifests/operator/roles.yaml") if entry["kind"] == kind]
    found: dict[str, set[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault(f"{group}/{resource}", set()).update(rule["verbs"])
    return found


def address(resource: Resource, below: str = "") -> str:
    return f"{resource.group}/{resource.plural}{below}"


def test_the_cluster_role_covers_what_is_watched_and_made_and_nothing_else() -> None:
    needed: dict[str, set[str]] = {}
    for kind, resource in OURS.items():
        needed[address(resource)] = READ | (MAKE if kind in MADE_OF_OURS else set())
        needed[address(resource, "/status")] = {"patch"}
        if kind in PARENTS:
            needed[address(resource, "/finalizers")] = {"update"}
    needed |= {address(resource): READ | MAKE for resource in CHILDREN.values()}
    needed |= {address(resource): READ for resource in READ_ONLY.values()}
    assert granted("ClusterRole") == needed | {address(EVENT): {"create", "patch"}}


def test_leases_are_in_the_operators_own_namespace_only() -> None:
    assert granted("Role") == {address(LEASE): {"get", "create", "update"}}


def test_no_role_of_any_manifest_has_a_wildcard_or_reads_secrets() -> None:
    for path in (ROOT / "manifests").rglob("*.yaml"):
        for entry in documents(str(path.relative_to(ROOT))):
            if entry.get("kind") not in ("Role", "ClusterRole"):
                continue
            for rule in entry.get("rules") or ():
                assert "*" not in [*rule.get("apiGroups", ()), *rule.get("resources", ()), *rule["verbs"]], path
                assert not {"secrets", "pods/exec", "pods/log", "pods/attach"} & set(rule.get("resources", ())), path


def test_status_is_in_no_users_role() -> None:
    for entry in documents("manifests/operator/user-roles.yaml"):
        for rule in entry.get("rules", ()):
            if GROUP in rule["apiGroups"] and set(rule["verbs"]) - READ:
                assert not [resource for resource in rule["resources"] if "/status" in resource]


# ---------------------------------------------------------------- reasons

SAID_BY_VALUE = {cause.value for cause in RunCause} | {reason.value for reason in failures.Reason}
"""Reasons that come from elsewhere by their word: causes of runs, and what steps of a run say of themselves."""


ENUMS: tuple[type[Reason], ...] = (CommonReason, *REASONS.values())
def reasons_used(path: Path) -> Iterator[Reason]:
    """Every member of an enum of reasons that a module names, by whatever name it imported the enum."""
    enums = {kind.__name__: kind for kind in ENUMS}
    names = {
        alias.asname or alias.name: enums[alias.name]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "trimtab.api.reasons"
        for alias in node.names
        if alias.name in enums
    }
    for node in ast.walk(tree(path)) if names else ():
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            yield names[node.value.id][node.attr]


def test_every_reason_that_is_given_is_one_of_the_api() -> None:
    used = [reason for path in MODULES for reason in reasons_used(path)]
    assert len(used) > 100
    assert {reason.value for reason in used} <= {reason.value for kind in ENUMS for reason in kind}


def test_every_reason_of_the_api_is_given_somewhere() -> None:
    used = {(type(reason).__name__, reason.value) for path in MODULES for reason in reasons_used(path)}
    unused = {
        f"{kind.__name__}.{reason.name}"
        for kind in ENUMS
        for reason in kind
        if (kind.__name__, reason.value) not in used and reason.value not in SAID_BY_VALUE
    }
    assert unused == set()
