"""`s3://`, `gs://` and `az://`: object stores. Without credentials the pod's own identity is used, else nothing is
signed (`AWS_SKIP_SIGNATURE: "false"` and the like among the credentials make the client ask the machine for an identity
instead)."""

from typing import Any

from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from trimtab.api.wire.base import Location
from trimtab.store.places import RETRY, Environment, Scheme, client_options, signs, told


def _s3(location: Location, bucket: str, environment: Environment) -> ObjectStore:
    config: dict[str, Any] = dict(environment)
    if location.endpoint:
        config["AWS_ENDPOINT"] = location.endpoint
    if location.region:
        config["AWS_REGION"] = location.region
    if not told(environment, "AWS_REGION", "AWS_DEFAULT_REGION") and not location.region:
        config["AWS_REGION"] = "us-east-1"
    _unsigned(S3, config)
    return S3Store(bucket, config=config, client_options=client_options(location), retry_config=RETRY)


def _google(location: Location, bucket: str, environment: Environment) -> ObjectStore:
    config: dict[str, Any] = dict(environment)
    _unsigned(GOOGLE, config)
    return GCSStore(bucket, config=config, client_options=client_options(location), retry_config=RETRY)


def _azure(location: Location, bucket: str, environment: Environment) -> ObjectStore:
    config: dict[str, Any] = dict(environment)
    _unsigned(AZURE, config)
    return AzureStore(bucket, config=config, client_options=client_options(location), retry_config=RETRY)


def _unsigned(scheme: Scheme, config: dict[str, Any]) -> None:
    """Sign nothing where nothing can sign and nobody said otherwise."""
    if not signs(scheme, config):
        config.setdefault(scheme.unsigned, "true")


S3 = Scheme(
    open=_s3,
    settings=("AWS_",),
    signing=("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    unsigned="AWS_SKIP_SIGNATURE",
)
GOOGLE = Scheme(
    open=_google,
    settings=("GOOGLE_",),
    signing=("GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS"),
    unsigned="GOOGLE_SKIP_SIGNATURE",
)
AZURE = Scheme(
    open=_azure,
    settings=("AZURE_",),
    signing=(
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_TOKEN",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
    ),
    unsigned="AZURE_SKIP_SIGNATURE",
)
