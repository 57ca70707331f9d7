"""Where the words of a reason stand, as far as this scorer can say."""

from __future__ import annotations

from importlib import import_module

from shared.feeds import FeedConfig
from shared.messages import Paper, Reason


def marked(paper: Paper, feed: FeedConfig, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """The reasons with their spans."""
    try:
        marking = import_module("services.scorer.marking")
    except ModuleNotFoundError:
        return reasons
    return tuple(marking.marked(paper, feed, reasons))
