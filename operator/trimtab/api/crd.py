"""The CustomResourceDefinitions, made from the classes of the kinds: `python -m trimtab.api.crd crds/ [--check]`.

Build time only; the one place of this package that knows YAML.
"""

from __future__ import annotations

import sys
from typing import Any

import yaml

from trimtab.api import generated
from trimtab.api.kinds import KINDS, KindRow
from trimtab.api.meta import CATEGORY, GROUP, UNSEEN, VERSION, PrinterColumn, Resource
from trimtab.api.structural import Schema, prose, structural
from trimtab.api.texts import LABEL

MODULE = "trimtab.api.crd"
HEADER = f"# Generated from operator/trimtab/api by `python -m {MODULE} crds/`. Do not edit.\n"
KUSTOMIZATION = "kustomization.yaml"


def definition(row: KindRow) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    resource = row.resource
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": subresources(resource),
        "additionalPrinterColumns": columns(resource),
        "schema": {"openAPIV3Schema": root_schema(resource)},
    }
    if resource.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in resource.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{row.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": row.kind,
                "listKind": f"{row.kind}List",
                "plural": row.plural,
                "singular": row.kind.lower(),
                "shortNames": [row.short_name],
                "categories": [CATEGORY],
            },
            "versions": [version],
        },
    }


def root_schema(resource: type[Resource]) -> Schema:
    """The schema of a whole object. Of the metadata only the name is ours to bound; the server knows the rest."""
    raw = resource.model_json_schema(by_alias=True)
    members, definitions = raw["properties"], raw.get("$defs", {})
    status = structural({**members["status"], "$defs": definitions}, defaults=False)
    schema: Schema = {
        "description": prose(resource.__doc__ or ""),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": resource.name_length, "pattern": LABEL}},
            },
            "spec": structural({**members["spec"], "$defs": definitions}),
            "status": status | {"default": {"observedGeneration": UNSEEN}},
        },
    }
    if resource.rules:
        schema["x-kubernetes-validations"] = [rule.as_schema() for rule in resource.rules]
    return schema


def subresources(resource: type[Resource]) -> dict[str, Any]:
    """`/status` for every kind, `/scale` for the one that has replicas."""
    if resource.scale is None:
        return {"status": {}}
    scale = {
        "specReplicasPath": resource.scale.spec_replicas,
        "statusReplicasPath": resource.scale.status_replicas,
        "labelSelectorPath": resource.scale.selector,
    }
    return {"status": {}, "scale": scale}


def columns(resource: type[Resource]) -> list[dict[str, Any]]:
    """READY, REASON, the kind's own, AGE."""
    ready = '.status.conditions[?(@.type=="Ready")]'
    shown = (
        PrinterColumn("Ready", "string", f"{ready}.status", "Whether the spec as written is in force"),
        PrinterColumn("Reason", "string", f"{ready}.reason", "Why it is or is not"),
        *resource.columns,
        PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Time since creation"),
    )
    return [column_schema(column) for column in shown]


def column_schema(column: PrinterColumn) -> dict[str, Any]:
    """A printer column as the API server reads it."""
    schema = {"name": column.name, "type": column.type, "description": column.description, "jsonPath": column.json_path}
    return schema | ({"priority": 1} if column.wide else {})


class _Dumper(yaml.SafeDumper):
    """Block style, lists indented, and no anchors: a file that people can read and diff."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def as_yaml(data: dict[str, Any]) -> str:
    """The text of a generated file."""
    return HEADER + yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def files() -> dict[str, str]:
    """All files by name."""
    crds = {f"{GROUP}_{row.plural}.yaml": as_yaml(definition(row)) for row in KINDS}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(crds),
    }
    return crds | {KUSTOMIZATION: as_yaml(kustomization)}


if __name__ == "__main__":
    sys.exit(generated.main(MODULE, "*.yaml", files))
