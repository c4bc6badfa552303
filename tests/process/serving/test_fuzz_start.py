"""Model files that are cut short or have other bits than they had: the server says why it ends, or is as it ever was."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.process.serving import siege
from tests.process.serving.server import run, running
from tests.unit.serving import make


def ended(folder: Path, content: bytes, digest: str) -> str:
    """Why a server of this model did not start."""
    serving = make.single(folder / "model", content)
    artifact = replace(serving.artifact, digest=digest)
    (folder / "serving.json").write_text(replace(serving, artifact=artifact).to_json())
    code, said = run(folder)
    assert code == 1
    assert said is not None
    assert "Traceback" not in said["message"]
    return said["reason"]


def test_a_model_that_is_cut_short_is_not_served(tmp_path: Path) -> None:
    """Even if what is left has the digest that is asked for."""
    chance, graph = siege.chance("cut"), make.graph()
    for i in range(siege.tries(4)):
        content = graph[: chance.choice([0, 1, len(graph) - 1, chance.randrange(len(graph))])]
        folder = tmp_path / f"{i}"
        assert ended(folder, content, make.digest(content)) == "LoadFailed"


def test_a_model_with_another_bit_is_not_served(tmp_path: Path) -> None:
    chance, graph = siege.chance("bits"), make.graph()
    for i in range(siege.tries(2)):
        content = bytearray(graph)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        assert ended(tmp_path / f"{i}", bytes(content), make.digest(graph)) == "DigestMismatch"


def test_a_model_with_other_bits_and_their_digest_is_served_or_not(tmp_path: Path) -> None:
    """It is another model, which may be a good one: a server that starts answers, if only that the model fails."""
    chance, graph = siege.chance("other bits"), make.graph()
    for i in range(siege.tries(3)):
        content = bytearray(graph)
        for _ in range(chance.randrange(1, 30)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        folder = tmp_path / f"{i}"
        (folder / "model").mkdir(parents=True)
        serving = make.single(folder / "model", bytes(content))
        (folder / "serving.json").write_text(serving.to_json())
        started(folder)


def started(folder: Path) -> bool:
    """Whether a server starts, which then answers; one that does not says why, and it is the artifact's fault."""
    try:
        with running(folder) as server:
            assert server.infer(make.request(1))[0] in (200, 400, 500)
            assert server.process.poll() is None
            return True
    except AssertionError as error:
        if "the server ended" not in str(error):
            raise
    code, said = run(folder)
    assert code == 1
    assert said is not None
    assert said["reason"] != "InternalError", said
    return False


@pytest.mark.parametrize("name", ["serving.json", "manifest.json", "signature.json", "profile.json"])
def test_other_files_that_are_broken(name: str, tmp_path: Path) -> None:
    """With digests that fit: whoever writes the artifact may write anything."""
    chance = siege.chance(name)
    for i in range(siege.tries(2)):
        folder = tmp_path / f"{i}"
        serving = make.folder(folder / "model", reference=make.profile())
        (folder / "serving.json").write_text(serving.to_json())
        path = folder / name if name == "serving.json" else folder / "model" / name
        before = path.read_bytes()
        place = chance.randrange(len(before))
        rest = before[place + chance.randrange(1, 40) :]
        after = before[:place] + chance.choice([b"", b"\xff", b"null", b"{", b"[" * 2000]) + rest
        path.write_bytes(after)
        manifest = folder / "model" / "manifest.json"
        told = manifest.read_bytes()
        manifest.write_bytes(told.replace(make.digest(before).encode(), make.digest(after).encode()))
        if name != "serving.json":
            wanted = (folder / "serving.json").read_text()
            (folder / "serving.json").write_text(wanted.replace(serving.artifact.digest, make.digest(manifest.read_bytes())))
        started(folder)
