"""Writes the table of settings in docs/operations.md from the services' settings classes.

python -m tools.settings_table
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pydantic.fields import FieldInfo

from shared.provision import Settings as ProvisionSettings
from shared.settings import ServiceSettings

FILE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
BEGIN = "<!-- settings: written by `python -m tools.settings_table` -->\n"
END = "<!-- /settings -->\n"
SERVICES = ("fetcher", "scorer", "summarizer", "publisher")


def row(name: str, field: FieldInfo) -> str:
    """One setting as a line of a table."""
    default = "**required**" if field.is_required() else shown(field.default)
    return f"| `{name.upper()}` | {default} | {field.description or ''} |\n"


def shown(default: object) -> str:
    """A default as the environment would give it; nothing where there is none."""
    text = "" if default is None else str(default)
    return f"`{text}`" if text else ""


def table(title: str, settings: type[ServiceSettings]) -> str:
    """The settings that this class adds to those of every service."""
    common = ServiceSettings.model_fields if settings is not ServiceSettings else {}
    own = {name: field for name, field in settings.model_fields.items() if name not in common}
    rows = "".join(row(name, field) for name, field in own.items())
    return f"\n**{title}**\n\n| variable | default | meaning |\n|---|---|---|\n{rows}"


def tables() -> str:
    """All tables, those of every service first."""
    found = table("Every service", ServiceSettings)
    for name in SERVICES:
        found += table(f"The {name}", import_module(f"services.{name}.settings").Settings)
    return found + table("`python -m shared.provision`", ProvisionSettings) + "\n"


def replaced(document: str) -> str:
    """The document with current tables."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + tables() + END + after


if __name__ == "__main__":
    FILE.write_text(replaced(FILE.read_text(encoding="utf-8")), encoding="utf-8")
