"""Settings come from the environment, are read once, and stop the process at start when they are wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

EX_CONFIG = 78  # sysexits.h: configuration error
S = TypeVar("S", bound="ServiceSettings")


class FileSource(PydanticBaseSettingsSource):
    """`NAME_FILE=/run/secrets/name` gives NAME the file's content, for secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        path = os.environ.get(f"{field_name.upper()}_FILE")
        if field_name == "feeds_file" or not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise SystemExit(f"{field_name.upper()}_FILE: cannot read {path}: {error.strerror}") from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class ServiceSettings(BaseSettings):
    """What every service reads."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    nats_url: str = Field(description="the NATS server, for example nats://nats:4222")
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )
    probe_host: str = Field(default="127.0.0.1", description="where /healthz, /readyz and /metrics listen")
    probe_port: int = Field(default=9100, ge=0, le=65535, description="their port; 0 takes a free one")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, FileSource(settings_cls)


def read(settings: type[S]) -> S:
    """The settings from the environment. A missing or illegal one ends the process with its name (exit code 78)."""
    try:
        return settings()
    except ValidationError as error:
        stop([explain(settings, dict(problem)) for problem in error.errors()])


def explain(settings: type[ServiceSettings], problem: dict[str, Any]) -> str:
    """One line for one problem: the variable, what is wrong, what it should be. Values may be secret: not shown."""
    name = str(problem["loc"][0]) if problem["loc"] else ""
    field = settings.model_fields.get(name)
    wrong = {"missing": "is missing", "string_pattern_mismatch": "is illegal"}.get(
        problem["type"], f"is illegal: {problem['msg']}"
    )
    meaning = f" ({field.description})" if field and field.description else ""
    return f"{name.upper()} {wrong}{meaning}" if name else str(problem["msg"])


def stop(problems: list[str]) -> NoReturn:
    """End the process for reasons that a person has to mend."""
    for problem in problems:
        sys.stderr.write(f"paperwire: {problem}\n")
    raise SystemExit(EX_CONFIG)
