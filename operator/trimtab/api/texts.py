"""Text of the API: names, addresses, digests, and the texts of a status, which are cut to fit instead of refused.

A status text comes from outside (a server's error, a log); it must never keep the status itself from being written.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

MODEL_NAME_LENGTH = 40
RUN_NAME_LENGTH = 52
COLUMN_LENGTH = 256

Name = Annotated[str, Field(pattern=LABEL, min_length=1, max_length=MODEL_NAME_LENGTH)]
"""The name of a Dataset, Model or ModelDeployment: a DNS-1035 label of at most 40 characters."""

RunName = Annotated[str, Field(pattern=LABEL, min_length=1, max_length=RUN_NAME_LENGTH)]
"""The name of a TrainingJob or ModelVersion: a DNS-1035 label of at most 52 characters."""

ItemName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=40)]
"""What an item of a list is called: lower-case letters, digits and dashes."""

ObjectName = Annotated[str, Field(pattern=SUBDOMAIN, min_length=1, max_length=253)]
"""The name of an object of Kubernetes' own kinds: a DNS subdomain."""

Column = Annotated[str, Field(min_length=1, max_length=COLUMN_LENGTH)]
"""A column's name, taken literally: dots, spaces and any script are the user's."""

Level = Annotated[str, Field(max_length=256)]
"""One value of a category or a label, as text."""

MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", min_length=1, max_length=64)]
"""The name of a metric, as scikit-learn's scorers write it."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]
"""A SHA-256 in the form `sha256:` and 64 hexadecimal digits."""

Image = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", min_length=1, max_length=512)]
"""A container image, best with its digest."""

Uid = Annotated[str, Field(min_length=1, max_length=63)]
"""The uid the API server gave to an object."""

ReasonWord = Annotated[str, Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", min_length=1, max_length=128)]
"""A CamelCase word for machines."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clip(limit: int, *, keep: str = "start") -> BeforeValidator:
    """Makes any text fit: invalid and control characters go, and of what is longer the start or the end stays,
    marked by `…`."""

    def fit(text: object) -> object:
        if not isinstance(text, str):
            return text
        clean = CONTROL.sub("", text.encode("utf-8", "replace").decode("utf-8"))
        if len(clean) <= limit:
            return clean
        return clean[: limit - 1] + "…" if keep == "start" else "…" + clean[1 - limit :]

    return BeforeValidator(fit)


Message = Annotated[str, clip(4096), Field(max_length=4096)]
"""A sentence for people: what is so, and what to do next."""

LogTail = Annotated[str, clip(4096, keep="end"), Field(max_length=4096)]
"""The end of a log, without control characters."""
