"""What a model server is told, and the counts that it hands out. See the package."""

from trimtab.api.wire.base import Digest, Document, Location, Wire
from trimtab.api.wire.models import Format
from trimtab.drift.counting import FeatureCounts


class Limits(Wire, frozen=True, kw_only=True):
    """What a model server refuses to go beyond."""

    body_bytes: int = 16 << 20
    rows: int = 100_000


class Monitoring(Wire, frozen=True, kw_only=True):
    """What a model server counts: all features of the profile but those in `exclude`."""

    window_seconds: float = 3600.0
    exclude: tuple[str, ...] = ()


class Artifact(Wire, frozen=True, kw_only=True):
    """What is served, named by its digest: of the manifest when the URI ends in `manifest.json`, else of the one file."""

    location: Location
    digest: Digest
    format: Format


class Serving(Document, frozen=True, kw_only=True):
    """`serving.json`: all that a model server is told."""

    namespace: str
    deployment: str
    model: str
    """Name in the V2 paths: the ModelDeployment's."""
    version: str
    artifact: Artifact
    allow_pickle: bool = False
    limits: Limits = Limits()
    monitoring: Monitoring = Monitoring()


class Requests(Wire, frozen=True, kw_only=True):
    """Requests answered since boot."""

    ok: int = 0
    client_error: int = 0
    server_error: int = 0


class Latency(Wire, frozen=True, kw_only=True):
    """Histogram of seconds per request; `counts` has one more entry than `edges`."""

    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


class Snapshot(Document, frozen=True, kw_only=True):
    """Integers counted since boot; adding two snapshots of different boots is adding the numbers."""

    model: str
    version: str
    artifact_digest: Digest
    profile_digest: Digest | None = None
    pod: str
    """uid of the pod."""
    boot: str
    """Random per process start."""
    started_at: float
    seq: int
    rows: int
    requests: Requests = Requests()
    latency: Latency = Latency()
    features: dict[str, FeatureCounts] = {}
    predictions: FeatureCounts | None = None
    score: FeatureCounts | None = None
