"""Settings of the operator process."""

import os

import pytest
from pydantic import ValidationError

from trimtab.controller.settings import Settings, table


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TRIMTAB_"):
            monkeypatch.delenv(name)


def test_every_setting_is_listed_with_its_meaning_and_default() -> None:
    told = table()
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"  TRIMTAB_{name.upper()}" in told
        assert field.description in told
        if field.default != "":
            assert f"TRIMTAB_{name.upper()} (default {field.default})" in told


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_WORKERS", "3")
    monkeypatch.setenv("TRIMTAB_STORE_CLAIM", "models")
    settings = Settings()
    assert (settings.workers, settings.store_claim, settings.operator_namespace) == (3, "models", "trimtab-system")


WRONG = [("WORKERS", "0"), ("WORKERS", "many"), ("LEASE_SECONDS", "1"), ("LOG_FORMAT", "xml"), ("HTTP_PORT", "70000")]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_setting_that_cannot_be_names_itself(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"TRIMTAB_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
