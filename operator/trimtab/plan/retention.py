"""What a Model removes by itself: old versions and ended runs. Never what is champion, pinned, in use, or the highest number."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from trimtab.api.model import ModelSpec
from trimtab.plan import promotion


def versions(
    spec: ModelSpec,
    all_versions: Sequence[Mapping[str, Any]],
    champion: Mapping[str, Any] | None,
    in_use: Collection[str],
) -> list[Mapping[str, Any]]:
    """ModelVersions beyond `retention.versions` that Trimtab made and nobody needs. `in_use`: names that deployments use."""
    ranked = sorted((v for v in all_versions if promotion.made_here(v)), key=promotion.number, reverse=True)
    keep = {champion["metadata"]["name"]} if champion else set()
    if all_versions:
        keep.add(max(all_versions, key=promotion.number)["metadata"]["name"])
    pin = spec.champion.version if spec.champion else None
    return [
        version
        for version in ranked[spec.retention.versions :]
        if version["metadata"]["name"] not in keep
        and version["metadata"]["name"] not in in_use
        and promotion.number(version) != pin
    ]


def in_use(model: str, deployments: Sequence[Mapping[str, Any]]) -> set[str]:
    """Names of a Model's versions that a deployment serves, tries, keeps as its fallback, or asks for."""
    told = (entry for d in deployments for entry in d.get("status", {}).get("versions", ()))
    asked = (d["spec"].get("modelRef", {}).get("version") for d in deployments)
    return {entry["name"] for entry in told if "name" in entry} | {f"{model}-{number}" for number in asked if number}


def runs(spec: ModelSpec, opened: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Ended TrainingJobs of this Model's own opening beyond `retention.runs`; `opened` is newest first."""
    succeeded = [run for run in opened if run.get("status", {}).get("stage") == "Succeeded"]
    failed = [run for run in opened if run.get("status", {}).get("stage") == "Failed"]
    return [*succeeded[spec.retention.runs.succeeded :], *failed[spec.retention.runs.failed :]]
