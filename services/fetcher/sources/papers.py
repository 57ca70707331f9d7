"""Papers out of what a parser found: checked, and small enough for a message."""

from __future__ import annotations

from typing import Any

from shared.messages import Paper

LONG_ITEM = 50_000  # characters, from which an item's message is measured
MAX_PAPER = 240 * 1024  # bytes; a message may hold 256 KiB

# What `model_validate` calls, which takes a quarter of the time for itself.
_validated = Paper.__pydantic_validator__.validate_python


def checked(fields: dict[str, Any], size: int, name: str) -> Paper:
    """The paper with these fields, of about so many characters; `ValueError` when it is none, or too large."""
    paper: Paper = _validated(fields)
    if size > LONG_ITEM and len(paper.model_dump_json().encode()) > MAX_PAPER:
        raise ValueError(f"{name[:60]}: larger than {MAX_PAPER} bytes")
    return paper
