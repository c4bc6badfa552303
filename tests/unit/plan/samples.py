"""Values for every pattern of the CRDs, ordinary and extreme: what specs and statuses are generated from."""

from tests import make
from trimtab.api import quantities, storage, texts
from trimtab.api.pods import LABEL_KEY, LABEL_VALUE
from trimtab.plan import conditions

HIDDEN = "hunter2-is-a-secret"
"""Value of every environment variable: it must reach pods, and no status or Event."""
TEXTS = (
    "",
    "temp",
    "arr. delay ✈",
    "a\nb\x00c\u2028d\x1b[31m",
    "x'); DROP TABLE --",
    '{"reason": "Odd", "message": 1}',
)
"""Free text, as columns, levels and messages may be."""
ALL_DIGESTS = (make.JANUARY, make.FEBRUARY, *(make.digest(number) for number in (1, 2, 3, 7)))
TIMES = (
    *(make.ago(seconds) for seconds in (0, 30, 400, 3600, 3 * 86_400)),
    "2026-01-31T23:00:00.123456789+14:00",
    "1999-12-31T23:59:59-00:30",
    conditions.timestamp(make.NOW + 9999),
)
BY_PATTERN: dict[str, tuple[str, ...]] = {
    storage.DATA: (
        "pvc://flights/2013.parquet",
        "pvc://flights",
        "s3://b/*.csv",
        "https://h/a?b",
        "az://c/ü",
        "gs://b/",
    ),
    storage.FOLDER: ("pvc://models/late", "pvc://flights", "s3://models", "gs://m/x/"),
    storage.FILE: ("pvc://models/model.onnx", "s3://models/1/manifest.json", "https://h/model.onnx"),
    storage.ENDPOINT: ("http://10.0.0.1:7070", "https://s3.example.com/under"),
    r"^[A-Za-z0-9][-A-Za-z0-9_]*$": ("eu-west-1", "R_1"),
    texts.SUBDOMAIN: ("s3", "team.secret-1", "a" * 253),
    texts.LABEL: ("late", "flights", "x" * 40),
    quantities.DURATION: ("10s", "90s", "1h30m", "24h", "7d"),
    quantities.SHARE: ("0%", "0.5%", "100%"),
    quantities.PART: ("20%", "0.0001%", "99.9999%"),
    quantities.QUANTITY: ("1", "500m", "2Gi", "1e3", ".5"),
    quantities.INSTANT: TIMES,
    r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$": (
        "Ready",
        "Stalled",
        "Looking",
        "DataUnreadable",
        "Odd_1:x",
        "z" * 128,
    ),
    r"^sha256:[0-9a-f]{64}$": ALL_DIGESTS,
    r"^https?://[^\x00-\x20\x7f]+$": ("https://example.com/flights",),
    r"^[A-Z][A-Za-z0-9]*$": ("LogisticRegression", "Ridge2"),
    r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$": ("example.com/train:1", "a", "x" * 512),
    r"^[A-Za-z_][A-Za-z0-9_]*$": ("MODE", "HOME", "_x"),
    LABEL_VALUE: ("", "ssd", "v" * 63),
    LABEL_KEY: ("gpu", "example.com/gpu", "k" * 63),
    r"^[a-z][a-z0-9_]*$": ("roc_auc", "brier", "m" * 64),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": ("quality", "no-worse", "0", "n" * 40),
    r"^[A-Z][A-Za-z]*$": ("Model", "ModelDeployment"),
}
