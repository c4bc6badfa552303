"""Artifact and data bytes: where a URI leads, and how bytes are fetched, verified and published. obstore does the
talking.

May import only `api` and `drift`. Credentials come from environment variables of the step alone; no message ever
holds one.
"""

from trimtab.store import claims, clouds, web
from trimtab.store.places import Scheme

SCHEMES: dict[str, Scheme] = {
    "pvc": claims.CLAIM,
    "s3": clouds.S3,
    "gs": clouds.GOOGLE,
    "az": clouds.AZURE,
    "https": web.HTTPS,
}
"""What stands before `://`, and how it is opened: one row per scheme."""
