"""A local server that answers like arXiv's hosts, from recorded documents, with faults on demand."""

from cli.local.arxiv.faults import (
    ANY,
    CUT,
    EMPTY,
    EXPIRED,
    HTML,
    RATE_EXCEEDED,
    UNAVAILABLE,
    Fault,
    protocol_error,
    rate_limited,
    slow,
)
from cli.local.arxiv.replay import Asked, Replay, replay_app

__all__ = [
    "ANY",
    "CUT",
    "EMPTY",
    "EXPIRED",
    "HTML",
    "RATE_EXCEEDED",
    "UNAVAILABLE",
    "Asked",
    "Fault",
    "Replay",
    "protocol_error",
    "rate_limited",
    "replay_app",
    "slow",
]
