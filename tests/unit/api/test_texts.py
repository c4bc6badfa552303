"""Texts of a status are cut to fit; names and addresses are taken or refused whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from trimtab.api.storage import DATA, ENDPOINT, FILE, FOLDER
from trimtab.api.texts import LABEL, Image, LogTail, Message

MESSAGE: TypeAdapter[str] = TypeAdapter(Message)
LOG_TAIL: TypeAdapter[str] = TypeAdapter(LogTail)


@given(st.text(st.characters(), max_size=50), st.integers(0, 9_000))
def test_any_text_becomes_a_message(text: str, filler: int) -> None:
    message = MESSAGE.validate_python(text + "x" * filler + text)
    assert len(message) <= 4096
    assert MESSAGE.validate_python(message) == message
    message.encode("utf-8")


def test_a_message_keeps_its_start_and_a_log_its_end() -> None:
    text = "start" + "-" * 5_000 + "end"
    assert MESSAGE.validate_python(text).startswith("start-")
    assert MESSAGE.validate_python(text).endswith("-…")
    assert LOG_TAIL.validate_python(text).startswith("…-")
    assert LOG_TAIL.validate_python(text).endswith("-end")


def test_control_characters_go_and_lines_stay() -> None:
    assert LOG_TAIL.validate_python("\x1b[31mred\x00\r\nnext\tcolumn\u202e") == "[31mred\nnext\tcolumn"


def test_half_a_character_is_replaced() -> None:
    assert MESSAGE.validate_python("a\ud800b") == "a?b"


@pytest.mark.parametrize("name", ["a", "late-flights", "a1", "x" * 40])
def test_labels_are_names(name: str) -> None:
    assert re.fullmatch(LABEL, name)


@pytest.mark.parametrize("name", ["", "1a", "-a", "a-", "A", "a.b", "a_b", "é"])
def test_other_words_are_no_names(name: str) -> None:
    assert not re.fullmatch(LABEL, name)


@pytest.mark.parametrize(
    "uri",
    [
        "pvc://flights/2013-01.parquet",
        "pvc://flights",
        "s3://bucket/a b/*.csv",
        "gs://bucket/[ab]/x",
        "az://container/ä/ö",
        "https://host:8443/x?y=z",
    ],
)
def test_data_have_addresses(uri: str) -> None:
    assert re.fullmatch(DATA, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "flights",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://host/x",
        "s3:///x",
        "https://user:pw@host/x",
        "s3://b/\n",
        "S3://b/x",
    ],
)
def test_other_addresses_are_refused(uri: str) -> None:
    for pattern in (DATA, FOLDER, FILE):
        assert not re.fullmatch(pattern, uri)


def test_a_store_is_a_folder_that_can_be_written() -> None:
    assert re.fullmatch(FOLDER, "s3://models/late")
    assert not re.fullmatch(FOLDER, "https://host/models")
    assert not re.fullmatch(FOLDER, "s3://models/*")


def test_an_artifact_is_one_file() -> None:
    assert re.fullmatch(FILE, "s3://models/late/manifest.json")
    assert re.fullmatch(FILE, "https://host/model.onnx?version=3")
    assert not re.fullmatch(FILE, "s3://models/late/")
    assert not re.fullmatch(FILE, "s3://models/*.onnx")


def test_an_endpoint_is_an_address_without_a_password() -> None:
    assert re.fullmatch(ENDPOINT, "http://10.244.0.1:7070")
    assert not re.fullmatch(ENDPOINT, "https://key:secret@host")


def test_an_image_is_no_command_line() -> None:
    image: TypeAdapter[str] = TypeAdapter(Image)
    assert image.validate_python("registry.example.com:5000/a/b@sha256:" + "0" * 64)
    with pytest.raises(ValueError, match="pattern"):
        image.validate_python("image --privileged")
