"""Where bytes lie: addresses of data, stores and artifacts, and how to reach them. Nothing is opened here."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from trimtab.api.shape import Rule, Shape
from trimtab.api.texts import ObjectName

AUTHORITY = r"[^/@\x00-\x20\x7f]+"
DATA = rf"^(pvc|s3|gs|az|https)://{AUTHORITY}(/[^\x00-\x1f\x7f]*)?$"
FOLDER = rf"^(pvc|s3|gs|az)://{AUTHORITY}(/[^\x00-\x1f\x7f*?\[\]]*)?$"
FILE = rf"^((pvc|s3|gs|az)://{AUTHORITY}(/[^/\x00-\x1f\x7f*?\[\]]+)+|https://{AUTHORITY}/[^\x00-\x20\x7f]+)$"
ENDPOINT = r"^https?://[^/@\x00-\x20\x7f]+(/[^\x00-\x20\x7f]*)?$"


class SecretRef(Shape):
    """A Secret in the same namespace."""

    name: ObjectName
    """Name of the Secret."""


class Credentials(Shape):
    """How the containers that read or write this address, and no others, are let in."""

    secret_ref: SecretRef
    """Secret whose keys are the environment names of the store's own tools, in capitals: `AWS_ACCESS_KEY_ID` and
    `AWS_SECRET_ACCESS_KEY`, `GOOGLE_SERVICE_ACCOUNT_KEY`, `AZURE_STORAGE_ACCOUNT_NAME` and
    `AZURE_STORAGE_ACCOUNT_KEY`. One that has no such key is refused, unless it says `AWS_SKIP_SIGNATURE: "true"` (or
    that of the other store); white space around a value is none of it. The operator never reads it. Without
    credentials the pod's service account or anonymous access must do."""


class Location(Shape):
    """An address and how it is reached. A subclass says which addresses it takes."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(self.uri + '/').contains('/../')",
            "uri must not contain .. as a part of its path: write the path out",
            field="uri",
        ),
        Rule(
            "!has(self.endpoint) || self.uri.startsWith('s3://')",
            "endpoint is for s3:// addresses: remove it, or use s3://bucket/path",
            field="endpoint",
        ),
        Rule(
            "!has(self.region) || self.uri.startsWith('s3://')",
            "region is for s3:// addresses: remove it, or use s3://bucket/path",
            field="region",
        ),
        Rule(
            "!has(self.caBundle) || self.uri.startsWith('s3://') || self.uri.startsWith('https://')",
            "caBundle is for s3:// and https:// addresses: remove it",
            field="caBundle",
        ),
        Rule(
            "!has(self.credentials) || !(self.uri.startsWith('pvc://') || self.uri.startsWith('https://'))",
            "credentials are for s3://, gs:// and az:// addresses: remove them",
            field="credentials",
        ),
    )

    uri: str
    """The address."""
    endpoint: Annotated[str, Field(pattern=ENDPOINT, max_length=512)] | None = None
    """Address of an S3-compatible server, `https://s3.example.com`; default the cloud's own. Only with `s3://`.
    `http://` sends data and signatures in the clear."""
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_]*$", max_length=64)] | None = None
    """Region of the bucket. Only with `s3://`; default what the credentials or the store say."""
    ca_bundle: (
        Annotated[
            str,
            Field(max_length=65_536),
            Rule(
                "self.contains('-----BEGIN CERTIFICATE-----')",
                "must be certificates in PEM, from BEGIN to END CERTIFICATE",
            ),
        ]
        | None
    ) = None
    """Certificates in PEM that are trusted for this server instead of the usual ones, at most 65,536 characters.
    Only with `s3://` and `https://`."""
    credentials: Credentials | None = None
    """How to be let in. Only with `s3://`, `gs://` and `az://`."""


class Source(Location):
    """Where data is read."""

    uri: Annotated[str, Field(pattern=DATA, min_length=1, max_length=1024)]
    """A file, a folder or a glob: `pvc://claim/path`, `s3://bucket/path`, `gs://bucket/path` or
    `az://container/path`; or one file, `https://host/path`. A claim is in the same namespace. Below this address, a
    folder named `column=value` adds that column to its rows. A change has the data looked at again."""


class Store(Location):
    """Where artifacts are written."""

    uri: Annotated[str, Field(pattern=FOLDER, min_length=1, max_length=1024)]
    """A folder: `pvc://claim/path`, `s3://bucket/path`, `gs://bucket/path` or `az://container/path`. Versions go
    into folders of their own below it, `<namespace>/<model>/…`. A claim is in the same namespace. A change
    concerns later runs; what was written stays."""


class File(Location):
    """Where one file lies."""

    uri: Annotated[str, Field(pattern=FILE, min_length=1, max_length=1024)]
    """A file: `pvc://claim/path`, `s3://bucket/path`, `gs://bucket/path`, `az://container/path` or
    `https://host/path`; a `manifest.json` stands for all files that it names. A claim is in the same namespace."""
