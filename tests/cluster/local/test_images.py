"""The project's images: built from its Dockerfile, loaded into the cluster, run as pods must run them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster import images, node, pipsettings
from tests.cluster.local.machine import cluster, run_job

LOOK = """
import json, os, pathlib, sys
import trimtab, {imports}
cached = pathlib.Path(trimtab.__cached__).exists()
def writable(path):
    try:
        pathlib.Path(path, "probe").write_text("")
    except OSError:
        return False
    return True
settings = [name for name in os.environ if name.startswith(("PIP_", "SSL_", "REQUESTS_", "TRIMTAB_"))]
left = [str(p) for p in (pathlib.Path("/run/secrets"), pathlib.Path("/etc/pip.conf")) if p.is_file() or p.is_dir() and any(
    x.name != "kubernetes.io" for x in p.iterdir())]
seen = dict(uid=os.getuid(), gid=os.getgid(), home=os.environ["HOME"], root=writable("/opt/trimtab"), tmp=writable("/tmp"),
    unbuffered=os.environ["PYTHONUNBUFFERED"], bytecode=cached, settings=settings, left=left, python=sys.version_info[:2])
pathlib.Path("/scratch/message").write_text(json.dumps(seen))
"""
IMPORTS = {
    "operator": "kopf, kubernetes",
    "server": "onnxruntime, uvicorn",
    "trainer": "sklearn, skl2onnx, uvicorn, xgboost, lightgbm",
}


@pytest.fixture(scope="module")
def references(shared: None) -> dict[str, str]:
    """{name: reference} of the images of the sources as they are."""
    found: dict[str, str] = json.loads(cluster("images").stdout)
    return found


def layers(reference: str) -> list[str]:
    """An image's layers, lowest first."""
    manifest: dict[str, Any] = {}
    for line in node.ctr("image", "ls", f"name=={reference}").splitlines()[1:]:
        manifest = json.loads(node.ctr("content", "get", line.split()[2]))
    return [layer["digest"] for layer in manifest["layers"]]


@pytest.mark.parametrize("name", images.TARGETS)
def test_an_image_runs_restricted_and_keeps_nothing_of_its_builder(references: dict[str, str], name: str) -> None:
    script = ["python", "-c", LOOK.format(imports=IMPORTS[name])]
    seen = json.loads(run_job(f"look-{name}", "", image=references[name], command=script))
    assert seen == {
        "uid": 65532,
        "gid": 65532,
        "home": "/tmp",
        "root": False,
        "tmp": True,
        "unbuffered": "1",
        "bytecode": True,
        "settings": [],
        "left": [],
        "python": [3, 13],
    }


def test_the_trainer_stands_on_the_servers_layers(references: dict[str, str]) -> None:
    server, trainer = layers(references["server"]), layers(references["trainer"])
    assert trainer[: len(server) - 1] == server[:-1]
    assert len(trainer) > len(server)


def test_images_of_unchanged_sources_are_neither_built_nor_loaded(references: dict[str, str]) -> None:
    again = cluster("images")
    if json.loads(again.stdout) == references:  # nobody edited the sources in between
        assert again.stderr == ""
    assert set(json.loads(again.stdout)) == {"operator", "server", "trainer"}


def test_an_unknown_image_is_refused(shared: None) -> None:
    said = cluster("images", "nosuch", ok=False)
    assert said.returncode == 1
    assert "there are operator, server, trainer" in said.stderr


def test_the_builders_pip_settings_pass_as_secrets_without_local_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "pip.ini"
    config.write_text(
        "[global]\nindex-url = https://index.test/simple\nfind-links = /opt/wheels\n[install]\nretries = 7\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    monkeypatch.setenv("PIP_RETRIES", "9")
    (tmp_path / "secrets").mkdir()
    options = pipsettings.secrets(tmp_path / "secrets")
    written = (tmp_path / "secrets" / "pip.conf").read_text()
    assert "index-url = https://index.test/simple" in written
    assert "retries = 9" in written
    assert "wheels" not in written
    assert options[-1] == f"id=pip.conf,src={tmp_path}/secrets/pip.conf"
    assert (tmp_path / "secrets" / "pip.conf").stat().st_mode & 0o077 == 0
