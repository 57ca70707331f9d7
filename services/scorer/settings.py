"""What the scorer reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from shared.settings import ServiceSettings

NO_KEY = "none"  # servers without a key ignore it, and the client refuses an empty one
OPENAI = "https://api.openai.com/v1"


class Settings(ServiceSettings):
    """The feeds decide everything else."""

    feeds_file: Path = Field(description="the feed configuration, for example /etc/paperwire/feeds.toml")
    selection_deadline: float = Field(
        default=600.0,
        gt=0,
        le=86_400,
        description="seconds to wait for the last papers of a batch before the best of those that are there are taken",
    )
    embedding_model: str | None = Field(
        default=None,
        description="the model that compares papers with liked ones by meaning; without it their words are compared",
    )
    embedding_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+",
        description="its OpenAI-compatible endpoint; LLM_BASE_URL without one, with LLM_API_KEY",
    )
    embedding_api_key: SecretStr | None = Field(
        default=None, description="the key to it; servers without one need none"
    )
    embedding_timeout: float = Field(
        default=10.0, gt=0, le=600, description="seconds for one answer; a batch of papers waits 1.5 times that at most"
    )
    llm_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+",
        description="see EMBEDDING_BASE_URL; the scorer asks it for nothing else",
    )
    llm_api_key: SecretStr | None = Field(default=None, description="the key to LLM_BASE_URL, sent nowhere else")

    @property
    def embedding_endpoint(self) -> tuple[str, str]:
        """Where to ask for embeddings, and with what key; a key goes only where it belongs."""
        key = self.embedding_api_key or (None if self.embedding_base_url else self.llm_api_key)
        url = self.embedding_base_url or self.llm_base_url or OPENAI
        return url, key.get_secret_value() if key else NO_KEY

    @model_validator(mode="after")
    def _an_endpoint_is_known(self) -> Self:
        given = (self.embedding_base_url, self.llm_base_url, self.embedding_api_key, self.llm_api_key)
        if self.embedding_model and not any(given):
            raise PydanticCustomError(
                "embedding_model",
                "EMBEDDING_BASE_URL is missing: EMBEDDING_MODEL is set, so say where it is, or give LLM_BASE_URL",
            )
        return self
