"""Run the summarizer: `python -m services.summarizer`."""

from __future__ import annotations

from services.summarizer.app import build
from services.summarizer.settings import Settings
from shared.service import main
from shared.settings import read

if __name__ == "__main__":
    settings = read(Settings)
    main("summarizer", lambda: build(settings), settings.log_level)
