"""`https://`: single files from a web server, read only. Never plain HTTP, not even after a redirect."""

from obstore.store import HTTPStore, ObjectStore

from trimtab.api.wire.base import Location
from trimtab.store.faults import Reason, StoreError, clean
from trimtab.store.places import RETRY, Environment, Scheme, client_options


def _https(location: Location, host: str, environment: Environment) -> ObjectStore:
    if location.endpoint:
        raise StoreError(Reason.UNSUPPORTED, f"{clean(location.uri)} takes no endpoint: the address names its host")
    if "?" in location.uri:
        raise StoreError(
            Reason.UNSUPPORTED,
            f"{clean(location.uri)} must not have a query (?…): signed addresses expire and show up in logs, "
            "so name the store itself (s3://, gs://, az://) with credentials",
        )
    return HTTPStore(f"https://{host}", client_options=client_options(location), retry_config=RETRY)


HTTPS = Scheme(open=_https, listable=False, writable=False)
