"""Run the fetcher: `python -m services.fetcher`."""

from __future__ import annotations

from services.fetcher.app import build
from services.fetcher.settings import Settings
from shared.service import main
from shared.settings import read

if __name__ == "__main__":
    settings = read(Settings)
    main("fetcher", lambda: build(settings), settings.log_level)
