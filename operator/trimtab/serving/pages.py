"""The public application: the routes of port 8080. V2 metadata and health, probes, metrics; infer is `inference`."""

from collections.abc import Callable
from typing import Any

import orjson
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import trimtab
from trimtab.serving import answers, metrics
from trimtab.serving.bodies import Bodies, GoneError
from trimtab.serving.inference import FAILED, Inferences, check_model
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.refusal import RefusedError, client

FIXED = "what is served here is decided by its ModelDeployment: models are neither loaded nor unloaded"
_DOCUMENT_BYTES = 64 << 10
"""The largest body of what is no inference. JSON may take thirty times as much memory."""
_MODEL = "/v2/models/{name}"
_VERSION = "/v2/models/{name}/versions/{version}"


def application(inferences: Inferences, lifecycle: Lifecycle) -> Starlette:
    """All public routes. Every error is JSON: `{"error": "…"}`."""
    served = inferences.served
    documents = Bodies(_DOCUMENT_BYTES)
    registry = metrics.registry(served.serving, inferences.figures)
    about = answers.dumps(answers.server(trimtab.__version__))
    described = answers.dumps(answers.model(served.serving, served.signature))

    def ready(request: Request) -> Response:
        if request.path_params:
            check_model(served.serving, **request.path_params)
        lifecycle.check_ready()
        return json(answers.dumps({**request.path_params, "ready": True}))

    def metadata(request: Request) -> Response:
        check_model(served.serving, **request.path_params)
        return json(described)

    def scrape(request: Request) -> Response:
        try:
            encode, media = choose_encoder(request.headers.get("accept", ""))
        except (TypeError, ValueError):  # what the library cannot read: an answer of any form will do
            encode, media = choose_encoder("")
        return Response(encode(registry), headers={"content-type": media})

    async def index(request: Request) -> Response:
        wanted = await _document(request, documents)
        ready = not lifecycle.draining
        only = isinstance(wanted, dict) and wanted.get("ready") is True
        return json(answers.dumps(answers.index(served.serving, ready=ready) if ready or not only else []))

    def fixed(request: Request) -> Response:
        raise client(FIXED)

    routes = [Route(f"{prefix}/infer", inferences, methods=["POST"]) for prefix in (_MODEL, _VERSION)]
    for prefix in (_MODEL, _VERSION):
        routes.append(Route(prefix, _async(metadata), methods=["GET"]))
        routes.append(Route(f"{prefix}/ready", _async(ready), methods=["GET"]))
    alive = _async(lambda request: json(b'{"live":true}'))
    routes += [
        Route("/v2", _async(lambda request: json(about)), methods=["GET"]),
        Route("/v2/repository/index", index, methods=["POST"]),
        Route("/v2/repository/models/{name}/load", _async(fixed), methods=["POST"]),
        Route("/v2/repository/models/{name}/unload", _async(fixed), methods=["POST"]),
        Route("/v2/health/live", alive, methods=["GET"]),
        Route("/v2/health/ready", _async(ready), methods=["GET"]),
        Route("/healthz", alive, methods=["GET"]),
        Route("/readyz", _async(ready), methods=["GET"]),
        Route("/metrics", _async(scrape), methods=["GET"]),
    ]
    return bare(routes)


def bare(routes: list[Route]) -> Starlette:
    """An application of these routes whose errors are JSON and which redirects nobody."""
    handlers: Any = {HTTPException: _http_error, RefusedError: _refused, Exception: _failed}
    application = Starlette(routes=routes, exception_handlers=handlers)
    application.router.redirect_slashes = False
    return application


def json(content: bytes, status: int = 200) -> Response:
    """A JSON response of bytes that are ready."""
    return Response(content, status, media_type="application/json")


def _async(page: Callable[[Request], Response]) -> Any:
    """As a coroutine: Starlette runs plain functions in threads, which costs more than any of these pages."""

    async def endpoint(request: Request) -> Response:
        return page(request)

    return endpoint


async def _document(request: Request, bodies: Bodies) -> Any:
    """What the body of a request says, which may be nothing. Raises `RefusedError` (400, 408, 413, 503)."""
    try:
        content = await bodies.read(request.receive)
    except GoneError:
        raise client("the body is not complete") from None
    bodies.release(len(content))
    try:
        return orjson.loads(content) if content else {}
    except orjson.JSONDecodeError as error:
        raise client(f"the body is not JSON: {error}") from error


async def _http_error(request: Request, error: HTTPException) -> Response:
    words = {
        404: f"there is nothing at {request.url.path!r}",
        405: f"{request.method} is not allowed at {request.url.path!r}",
    }
    response = json(answers.error(words.get(error.status_code, error.detail)), error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _refused(request: Request, error: RefusedError) -> Response:
    response = json(answers.error(error.message), error.status)
    if error.status == 408:  # what is still to come of the body is nobody's
        response.headers["connection"] = "close"
    return response


async def _failed(request: Request, error: Exception) -> Response:
    return json(answers.error(FAILED), 500)
