"""What servers are told and say: what is read, what is refused and in which words, and what is written to the byte."""

import dataclasses
import json

import numpy as np
import pytest

from trimtab.api.wire.base import Location, SchemaTooNewError, known, plain
from trimtab.api.wire.kinds import Digest, Wire
from trimtab.api.wire.models import FileEntry, Input, Manifest, Output, Parity, Signature
from trimtab.api.wire.profiles import profile_from_json, profile_to_json
from trimtab.api.wire.serving import Artifact, Serving, Snapshot
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import CategoryReference, NumberReference, Profile

DIGEST = f"sha256:{'0' * 64}"
SERVING = Serving(
    namespace="shop",
    deployment="late",
    model="late",
    version="7",
    artifact=Artifact(location=Location(uri="pvc://m/manifest.json", ca_bundle="x"), digest=DIGEST, format="ONNX"),
)
NUMBER = NumberReference("x", (0.5, 1.0), (3, 4, 5), 0.0, 3.0, 1, 0.25, "a reason")
TEXT = CategoryReference("city", ("ams",), (3, 4), ("ber",), 0, 0.0, "")


def test_serving_json_is_written_to_the_byte_as_ever_so_that_a_new_operator_rolls_out_nothing() -> None:
    assert SERVING.to_json() == (
        '{"schema":1,"namespace":"shop","deployment":"late","model":"late","version":"7","artifact":{"location":{"uri":'
        f'"pvc://m/manifest.json","caBundle":"x"}},"digest":"{DIGEST}","format":"ONNX"}},"allowPickle":false,'
        '"limits":{"bodyBytes":16777216,"rows":100000},"monitoring":{"windowSeconds":3600.0,"exclude":[]}}'
    )


def test_labels_keep_their_types_and_order() -> None:
    known = Signature(
        task="Classification",
        inputs=(Input(name="x", datatype="FP64"),),
        outputs=(Output(name="predict", datatype="FP64", shape=(-1,), labels=(True, 1, 2.0, "3", 1.0)),),
    )
    labels = Signature.from_json(known.to_json()).outputs[0].labels
    assert labels is not None
    assert [(type(label), label) for label in labels] == [(bool, True), (int, 1), (float, 2.0), (str, "3"), (float, 1.0)]


def test_a_snapshot_comes_back_as_it_was() -> None:
    snapshot = Snapshot(
        model="late",
        version="7",
        artifact_digest=DIGEST,
        pod="p",
        boot="b",
        started_at=12.0,
        seq=1,
        rows=3,
        features={"caBundle": FeatureCounts((1, 2), missing=1)},
    )
    assert Snapshot.from_json(snapshot.to_json()) == snapshot
    assert "score" not in json.loads(snapshot.to_json())


def test_members_that_a_later_release_adds_are_passed_over() -> None:
    later = {**plain(SERVING), "more": {"a": [1]}}
    assert Serving.from_json(json.dumps(later)) == SERVING


def changed(**members: object) -> str:
    return json.dumps({**plain(SERVING), **members})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(schema=2), "schema 2 is newer than 1"),
        (changed(version=7), r"Expected `str`, got `int` - at `\$.version`"),
        (changed(artifact={**plain(SERVING.artifact), "digest": f"{DIGEST}\n"}), r"at `\$.artifact.digest`"),
        (changed(artifact={**plain(SERVING.artifact), "format": "Pickle"}), r"Invalid enum value 'Pickle'"),
        (changed(limits={"rows": "5"}), r"Expected `int`, got `str` - at `\$.limits.rows`"),
        (changed(limits={"rows": 5.5}), r"Expected `int`, got `float` - at `\$.limits.rows`"),
        ("{}", "missing required field `namespace`"),
        ("", "truncated"),
        ('{"more": ' + "[" * 100_000, "nested too deep"),
        ('{"model": NaN}', "malformed"),
    ],
)
def test_what_cannot_be_read_is_a_value_error_that_names_the_member(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Serving.from_json(text)
    with pytest.raises(ValueError, match=r"."):
        Serving.from_json(text.encode() + b"\xff")


@pytest.mark.parametrize("name", ["../model", "a/b", ".hidden", "", "a\n", "a" * 201])
def test_a_manifest_names_no_file_outside_its_folder(name: str) -> None:
    good = Manifest(format="ONNX", files=(FileEntry(name="model.onnx", digest=DIGEST, bytes=1),)).to_json()
    assert Manifest.from_json(good).files[0].name == "model.onnx"
    with pytest.raises(ValueError, match=r"at `\$.files\[0\].name`"):
        Manifest.from_json(good.replace('"model.onnx"', json.dumps(name)))


def test_a_newer_schema_is_told_from_what_is_broken() -> None:
    with pytest.raises(SchemaTooNewError):
        known(2)
    assert known(1) == 1


class Carries(Wire):
    """A format that is a pydantic model, with parts that are none."""

    digest: Digest = DIGEST
    place: Location | None = None
    parity: Parity | None = None


def test_parts_of_a_run_are_read_checked_and_written_within_it() -> None:
    parity = Parity(rows=5, label_mismatches=0, max_difference=1e-9)
    whole = Carries(place=Location(uri="s3://b/k", region="eu"), parity=parity)
    assert json.loads(whole.to_json()) == {
        "digest": DIGEST,
        "place": {"uri": "s3://b/k", "region": "eu"},
        "parity": {"rows": 5, "labelMismatches": 0, "maxDifference": 1e-9},
    }
    assert Carries.from_json(whole.to_json()) == whole
    with pytest.raises(ValueError, match=r"Expected `str`, got `int` - at `\$.uri`"):
        Carries.from_json('{"place": {"uri": 5}}')
    with pytest.raises(ValueError, match="String should match pattern"):
        Carries.from_json(json.dumps({"digest": f"{DIGEST}\n"}))


def test_a_profile_comes_back_as_it_was_with_the_kind_of_each_reference() -> None:
    profile = Profile(12, (NUMBER, TEXT), TEXT, None)
    assert profile_from_json(profile_to_json(profile)) == profile
    assert profile_from_json(profile_to_json(Profile(12, (), NUMBER, NUMBER))) == Profile(12, (), NUMBER, NUMBER)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"schema":1', '"schema":2', "schema 2 is newer than 1"),
        ('"kind":"Number"', '"kind":"Words"', "Invalid enum value 'Words'"),
        ('"missing":1', '"missing":"1"', r"Expected `int`, got `str` - at `\$.missing`"),
        ('"rows":12', '"rows":null', r"Expected `int`, got `null` - at `\$.rows`"),
        ('"score":null,', "", "missing required field `score`"),
    ],
)
def test_a_profile_that_cannot_be_read_is_a_value_error(old: str, new: str, said: str) -> None:
    text = profile_to_json(Profile(12, (NUMBER,), TEXT, None)).decode()
    assert old in text
    with pytest.raises(ValueError, match=said):
        profile_from_json(text.replace(old, new))


def test_a_number_of_numpy_is_written_as_the_float_that_it_is() -> None:
    parity = Parity(rows=1, label_mismatches=0, max_difference=np.float64(0.25))
    assert parity.to_json() == '{"rows":1,"labelMismatches":0,"maxDifference":0.25}'
    tolerant = dataclasses.replace(NUMBER, tolerance=np.float64(0.25))
    assert profile_to_json(Profile(13, (tolerant,), None, None)) == profile_to_json(Profile(13, (NUMBER,), None, None))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="int64 has no place in JSON"):
        Parity(rows=np.int64(1), label_mismatches=0, max_difference=0.0).to_json()  # type: ignore[arg-type]
