"""Run the scorer: `python -m services.scorer`."""

from __future__ import annotations

from services.scorer.app import build
from services.scorer.settings import Settings
from shared.feeds import FeedsError
from shared.service import main
from shared.settings import read, stop

if __name__ == "__main__":
    settings = read(Settings)
    try:
        main("scorer", lambda: build(settings), settings.log_level)
    except FeedsError as error:
        stop(list(error.problems))
