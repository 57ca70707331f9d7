"""What the summarizer reads from its environment."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from shared.settings import ServiceSettings

OPENAI = "https://api.openai.com/v1"
NO_KEY = "none"  # servers without a key ignore it, and the client refuses an empty one


class Settings(ServiceSettings):
    """Without LLM_BASE_URL and LLM_API_KEY, summaries are extracted and no model is asked."""

    llm_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+",
        description="an OpenAI-compatible endpoint, for example http://ollama:11434/v1; "
        f"{OPENAI} if only LLM_API_KEY is given",
    )
    llm_api_key: SecretStr | None = Field(default=None, description="the key to it; servers without one need none")
    llm_model: str | None = Field(default=None, description="the model's name at that endpoint")
    llm_fallback_model: str | None = Field(
        default=None, description="the model to ask when LLM_MODEL cannot answer, at the same endpoint"
    )
    llm_timeout: float = Field(default=120.0, gt=0, le=3600, description="seconds for one answer of the model")
    llm_max_tokens: int = Field(default=2000, ge=64, le=1_000_000, description="tokens for one answer of the model")
    llm_temperature: float | None = Field(
        default=0.2, ge=0, le=2, description="0 to 2; not sent again to a server that refuses it"
    )
    llm_text_chars: int = Field(
        default=60_000,
        ge=2_000,
        le=1_000_000,
        description='characters of a full text that a model is given, for feeds with text = "full"',
    )
    lanes: int = Field(default=4, ge=1, le=256, description="how many summaries this process makes at once")

    @property
    def has_model(self) -> bool:
        """Whether a model is configured at all."""
        return self.llm_base_url is not None or self.llm_api_key is not None

    @property
    def base_url(self) -> str:
        """The endpoint to ask."""
        return self.llm_base_url or OPENAI

    @property
    def api_key(self) -> str:
        """The key to send."""
        return self.llm_api_key.get_secret_value() if self.llm_api_key else NO_KEY

    @property
    def models(self) -> tuple[str, ...]:
        """The models to ask, in order; none where summaries are extracted."""
        names = (self.llm_model, self.llm_fallback_model) if self.has_model else ()
        return tuple(dict.fromkeys(name for name in names if name))

    @model_validator(mode="after")
    def _a_model_is_named(self) -> Self:
        if self.has_model and not self.llm_model:
            given = "LLM_BASE_URL" if self.llm_base_url else "LLM_API_KEY"
            raise PydanticCustomError(
                "llm_model",
                "LLM_MODEL is missing: {given} is set, so name the model to ask, "
                "or unset {given} to have summaries extracted",
                {"given": given},
            )
        return self
