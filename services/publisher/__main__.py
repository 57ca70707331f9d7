"""`python -m services.publisher`: run the publisher with settings from the environment."""

from __future__ import annotations

from services.publisher.app import NAME, build
from services.publisher.settings import Settings
from shared.service import main
from shared.settings import read

if __name__ == "__main__":
    settings = read(Settings)
    main(NAME, lambda: build(settings), settings.log_level)
