"""Kubernetes Events on our objects: what happened, once. Repeats within ten minutes are not written again."""

import datetime
import hashlib
import logging
from collections import OrderedDict

from trimtab.api.meta import API_VERSION
from trimtab.controller.client import ApiError, Client, Object, Unreachable
from trimtab.controller.resources import EVENT
from trimtab.plan import conditions
from trimtab.plan.intent import Notice

log = logging.getLogger(__name__)
QUIET_SECONDS = 600.0
REMEMBERED = 5_000
MESSAGE_BYTES = 1_000


class Recorder:
    """Writes events of one operator process. An event that cannot be written is logged and forgotten: it is no state."""

    def __init__(self, client: Client, identity: str) -> None:
        self._client, self._identity = client, identity
        self._written: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def record(self, obj: Object, notice: Notice, now: float) -> None:
        """Write one event about an object, unless the same was written a short time ago. `now` in seconds since 1970."""
        key = (obj["metadata"]["uid"], notice.reason, notice.message)
        if now - self._written.get(key, 0.0) < QUIET_SECONDS:
            return
        self._written[key] = now
        self._written.move_to_end(key)
        if len(self._written) > REMEMBERED:
            self._written.popitem(last=False)
        try:
            await self._client.create(EVENT, self._event(obj, notice, now), field_manager="trimtab")
        except (ApiError, Unreachable) as error:
            log.info("event %s on %s/%s not written: %s", notice.reason, obj["kind"], obj["metadata"]["name"], error)

    def _event(self, obj: Object, notice: Notice, now: float) -> Object:
        meta, message = obj["metadata"], conditions.sentence(notice.message)
        time = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha256(f"{meta['uid']} {notice.reason} {message} {now}".encode()).hexdigest()[:16]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{meta['name']}.{digest}", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": obj["kind"],
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "type": notice.type,
            "reason": notice.reason,
            "message": message.encode()[:MESSAGE_BYTES].decode("utf-8", "ignore"),
            "source": {"component": "trimtab"},
            "reportingComponent": "trimtab.dev/operator",
            "reportingInstance": self._identity[:128],
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        }
