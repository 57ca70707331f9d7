"""What a request to a model server looks like, and how it changes after the server refused a part of it.

Pure: what a server accepts is learnt from its answers, never from its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Message = Mapping[str, str]
Format = Literal["json_schema", "json_object", "plain"]
FORMATS: tuple[Format, ...] = ("json_schema", "json_object", "plain")
_LIMIT = re.compile(
    r"max_model_len\D{0,3}(\d+)|valid range of max_tokens is \[\d+, ?(\d+)\]|supports at most (\d+)|"
    r"(?:less than or equal to|at most|<=) ?(\d+)",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"(?:maximum context length is(?: only)?|context length is(?: only)?|available context size \()\s*(\d+)"
)
_ASKED = re.compile(r"request \((\d+) tokens\)|(\d+) in the messages|n_prompt_tokens\"?: ?(\d+)")
_LEAST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """The optional fields of a request: as few as possible."""

    max_tokens: int
    temperature: float | None
    format: Format = "json_schema"
    limit_field: Literal["max_tokens", "max_completion_tokens"] | None = "max_tokens"

    def fields(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The fields beside `model` and `messages`."""
        fields: dict[str, Any] = {}
        if self.limit_field:
            fields[self.limit_field] = self.max_tokens
        if self.temperature is not None:
            fields["temperature"] = self.temperature
        if self.format == "json_object":
            fields["response_format"] = {"type": "json_object"}
        elif self.format == "json_schema":
            described = {"name": "summary", "strict": True, "schema": dict(schema)}
            fields["response_format"] = {"type": "json_schema", "json_schema": described}
        return fields

    def one_rung_down(self) -> Plan | None:
        """Asking for JSON in the next weaker way; None where there is none."""
        rung = FORMATS.index(self.format) + 1
        return replace(self, format=FORMATS[rung]) if rung < len(FORMATS) else None

    def without(self, refusal: str) -> Plan | None:
        """Without the parameter that the server refused, or with a smaller value; None if it names none of ours."""
        if "temperature" in refusal and self.temperature is not None:
            return replace(self, temperature=None)
        if self.limit_field is None or not re.search(r"max_(?:completion_)?tokens|max_model_len", refusal):
            return None
        return self._fewer_tokens(refusal) or self._other_limit_field(refusal)

    def _fewer_tokens(self, refusal: str) -> Plan | None:
        found = _LIMIT.search(refusal)
        limit = int(next(filter(None, found.groups()))[:9]) if found else 0
        return (
            replace(self, max_tokens=limit // 2)
            if 1 < limit < self.max_tokens * 2 and limit // 2 < self.max_tokens
            else None
        )

    def _other_limit_field(self, refusal: str) -> Plan:
        wanted = self.limit_field == "max_tokens" and "max_completion_tokens" in refusal
        return replace(self, limit_field="max_completion_tokens" if wanted else None)

    def within(self, refusal: str) -> Plan | None:
        """With fewer tokens for the answer, where they take more than half of the context that the server names."""
        found = _WINDOW.search(refusal)
        window = int(found[1][:9]) if found else 0
        return replace(self, max_tokens=window // 4) if 4 <= window < self.max_tokens * 2 else None


def share_to_keep(refusal: str) -> float:
    """How much of a text that is too long may stay."""
    window, asked = _WINDOW.search(refusal), _ASKED.search(refusal)
    if not window or not asked:
        return 0.5
    share = int(window[1][:9]) / max(1, int(next(filter(None, asked.groups()))[:9]))
    return min(0.5, share * 0.8)


def shorter(messages: Sequence[Message], share: float) -> list[Message] | None:
    """The longest message of the user without its middle; its start and its end, which fence it in, stay."""
    longest = max(
        (index for index, message in enumerate(messages) if message["role"] == "user"),
        key=lambda index: len(messages[index]["content"]),
    )
    content = messages[longest]["content"]
    keep = int(len(content) * share)
    if keep < _LEAST_TEXT:
        return None
    tail = min(keep // 2, 500)
    cut = f"{content[: keep - tail]} […] {content[-tail:]}"
    return [*messages[:longest], {**messages[longest], "content": cut}, *messages[longest + 1 :]]
