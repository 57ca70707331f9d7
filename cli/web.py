"""Asking the services over HTTP, in few lines and without heavy imports."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PUBLISHED = re.compile(r'^paperwire_published_total\{[^}]*subject="([^"]+)"[^}]*\} ([0-9.e+]+)$', re.MULTILINE)


def get(url: str, timeout: float = 5) -> tuple[int, bytes]:
    """Status and body; OSError when nobody answers. A proxy is not asked about this machine's own addresses."""
    address = urllib.parse.urlsplit(url)
    if address.scheme not in ("http", "https"):
        raise ValueError(f"{url} is not an http address")
    proxies: Mapping[str, str] | None = {} if address.hostname in LOOPBACK else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(dict(proxies) if proxies is not None else None))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def get_json(url: str, timeout: float = 5) -> Any:
    """The decoded answer; OSError when nobody answers or the answer is something else."""
    status, body = get(url, timeout)
    try:
        return json.loads(body)
    except ValueError:
        raise OSError(f"{url} answered {status}, not JSON") from None


def published(metrics_url: str) -> dict[str, int]:
    """How many messages a service has published on each subject, from its metrics."""
    _, body = get(metrics_url)
    return {subject: int(float(count)) for subject, count in PUBLISHED.findall(body.decode())}
