"""`s3://`, `gs://` and `az://`: object stores. Without credentials the pod's own identity is used, else nothing is
signed (`AWS_SKIP_SIGNATURE: "false"` and the like among the credentials make the client ask the machine for an identity
instead)."""

import os
from typing import Any

from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from trimtab.api.wire import Location
from trimtab.store.places import RETRY, Environment, Scheme, client_options


def _names(environment: Environment, names: tuple[str, ...]) -> bool:
    """Whether the settings or the pod's own identity (variables that the cluster injects) can sign."""
    return any(name in environment or name in os.environ for name in names)


def _s3(location: Location, bucket: str, environment: Environment) -> ObjectStore:
    config: dict[str, Any] = dict(environment)
    if location.endpoint:
        config["AWS_ENDPOINT"] = location.endpoint
    if location.region:
        config["AWS_REGION"] = location.region
    if not _names(environment, ("AWS_REGION", "AWS_DEFAULT_REGION")) and not location.region:
        config["AWS_REGION"] = "us-east-1"
    signing = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not _names(environment, signing):
        config.setdefault("AWS_SKIP_SIGNATURE", "true")
    return S3Store(bucket, config=config, client_options=client_options(location), retry_config=RETRY)


def _google(location: Location, bucket: str, environment: Environment) -> ObjectStore:
    config: dict[str, Any] = dict(environment)
    signing = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS")
    if not _names(environment, signing):
        config.setdefault("GOOGLE_SKIP_SIGNATURE", "true")
    return GCSStore(bucket, config=config, client_options=client_options(location), retry_config=RETRY)


def _azure(location: Location, bucket: str, environment: Environment) -> ObjectStore:
    config: dict[str, Any] = dict(environment)
    signing = (
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_TOKEN",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
    )
    if not _names(environment, signing):
        config.setdefault("AZURE_SKIP_SIGNATURE", "true")
    return AzureStore(bucket, config=config, client_options=client_options(location), retry_config=RETRY)


S3 = Scheme(open=_s3, settings=("AWS_",))
GOOGLE = Scheme(open=_google, settings=("GOOGLE_",))
AZURE = Scheme(open=_azure, settings=("AZURE_",))
