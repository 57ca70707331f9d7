"""What the scorer reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """The feeds decide everything else."""

    feeds_file: Path = Field(description="the feed configuration, for example /etc/paperwire/feeds.toml")
    selection_deadline: float = Field(
        default=600.0,
        gt=0,
        le=86_400,
        description="seconds to wait for the last papers of a batch before the best of those that are there are taken",
    )
