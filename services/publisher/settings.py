"""What the publisher reads from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from shared.settings import ServiceSettings, read

DATABASE = "the Postgres database, for example postgresql://paperwire@postgres/paperwire"


class Settings(ServiceSettings):
    """The publisher's settings; the field names in capitals are the variables."""

    database_url: str = Field(description=DATABASE, pattern="^postgres(ql)?://")
    feeds_file: Path = Field(description="the feed configuration, for example /etc/paperwire/feeds.toml")
    web_host: str = Field(default="127.0.0.1", description="where the public pages and feeds listen")
    web_port: int = Field(default=8080, ge=0, le=65535, description="their port; 0 takes a free one")
    public_url: str = Field(
        default="",
        description="the site's address as readers see it, for example https://papers.example.org; "
        "default http://{WEB_HOST}:{WEB_PORT}",
    )
    entry_deadline: float = Field(
        default=1800, ge=0, description="seconds that an entry waits for its summaries before it appears without"
    )

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("it must start with http:// or https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _default_public_url(self) -> Self:
        if not self.public_url:
            host = f"[{self.web_host}]" if ":" in self.web_host else self.web_host
            object.__setattr__(self, "public_url", f"http://{host}:{self.web_port}")  # the model is frozen
        return self


class MigrateSettings(ServiceSettings):
    """What `python -m services.publisher.migrate` reads."""

    nats_url: str = ""
    database_url: str = Field(description=DATABASE, pattern="^postgres(ql)?://")


def database_url() -> str:
    """`DATABASE_URL`, or the end of the process with its name."""
    return read(MigrateSettings).database_url
