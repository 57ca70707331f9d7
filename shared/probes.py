"""The probe port of every service: /healthz (the process lives), /readyz (it can work), /metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.metrics import Metrics


def probes(
    metrics: Metrics, reasons: Callable[[], Awaitable[list[str]]], notes: Callable[[], Sequence[str]] = tuple
) -> Starlette:
    """`reasons` lists why the service is not ready; nothing means ready. `notes` are told beside them."""

    async def healthz(request: Request) -> Response:
        del request
        return PlainTextResponse("alive\n")

    async def readyz(request: Request) -> Response:
        del request
        problems = await reasons()
        metrics.ready.labels(metrics.service).set(0 if problems else 1)
        body = {"service": metrics.service, "ready": not problems, "problems": problems, "notes": [*notes()]}
        return JSONResponse(body, status_code=503 if problems else 200)

    async def exposition(request: Request) -> Response:
        del request
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)])
