"""A local server that answers like arXiv's hosts, from recorded documents, with faults on demand."""

from cli.local.arxiv.faults import (
    CUT,
    EMPTY,
    HTML,
    RATE_EXCEEDED,
    UNAVAILABLE,
    Fault,
    rate_limited,
    slow,
)
from cli.local.arxiv.replay import ANY, Asked, Replay, announcing, replay_app

__all__ = [
    "ANY",
    "CUT",
    "EMPTY",
    "HTML",
    "RATE_EXCEEDED",
    "UNAVAILABLE",
    "Asked",
    "Fault",
    "Replay",
    "announcing",
    "rate_limited",
    "replay_app",
    "slow",
]
