"""A server that speaks the OpenAI chat-completions protocol, with the faults of real ones."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SUMMARY = {
    "tldr": "Chopper characterises GPUs on several levels and finds memory to be the bottleneck.",
    "motivation": "Training large models efficiently requires understanding GPUs.",
    "method": "A tool that measures at kernel, operator and model level.",
    "result": "Memory is the bottleneck.",
    "conclusion": "Look at memory first.",
}
Request = dict[str, Any]
KNOWN_ERRORS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data/llm/errors.jsonl").read_text(encoding="utf-8").splitlines()
]
"""`{server, case, evidence, status, headers, body, reason, wait}`; the last two are what we make of it.

`evidence` says where the body is from: `wire` was measured, `read` is quoted from documentation or a bug report,
`adapted` is one of these with elided parts filled in or names changed.
"""


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire. `cut_after` closes the connection after so many bytes of the body;
    `drip` sends a byte every so many seconds; `hold` waits for `LlmServer.release()` first."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut_after: int | None = None
    drip: float | None = None
    hold: bool = False


Rule = Callable[[Request], Answer | None]


def reply(
    content: str | None = None,
    *,
    finish: str | None = "stop",
    model: str = "tiny",
    tokens: tuple[int, int] | None = (600, 150),
    hold: bool = False,
    drip: float | None = None,
    cut_after: int | None = None,
    **message: Any,
) -> Answer:
    """A completion; without content, the good summary."""
    text = json.dumps(SUMMARY) if content is None and not message else content
    payload: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text} | message}],
    }
    if tokens:
        payload["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return Answer(json.dumps(payload).encode(), hold=hold, drip=drip, cut_after=cut_after)


def embeddings(request: Request, *, hold: bool = False, **changes: Any) -> Answer:
    """A vector for each text, near those of texts with the same words; `changes` spoil the payload."""
    texts = request["input"]
    data = [{"object": "embedding", "index": n, "embedding": a_vector(text)} for n, text in enumerate(texts)]
    payload: dict[str, Any] = {"object": "list", "model": request["model"], "data": data}
    return Answer(json.dumps(payload | changes).encode(), hold=hold)


def a_vector(text: str, dimensions: int = 64) -> list[float]:
    """Each word counts in one dimension; all texts have something in common, as with real models."""
    vector = [0.5] * dimensions
    for word in text.lower().split():
        vector[hashlib.sha256(word.strip(".,:").encode()).digest()[0] % dimensions] += 1.0
    return vector


def error(status: int, body: Any, **headers: str) -> Answer:
    """An error answer; a `str` goes out as text/plain, anything else as JSON. `_` in header names becomes `-`."""
    names = {name.replace("_", "-").replace("llm-provider", "llm_provider"): value for name, value in headers.items()}
    if isinstance(body, str):
        return Answer(body.encode(), status, names, content_type="text/plain")
    return Answer(json.dumps(body).encode(), status, names)


def html(status: int = 200) -> Answer:
    """What a proxy or a captive portal sends."""
    return Answer(b"<!doctype html><html><body>Welcome to our Wi-Fi</body></html>", status, content_type="text/html")


def known_error(server: str, case: str) -> Answer:
    """How that server puts it; see `evidence` for how well we know."""
    sample = next(sample for sample in KNOWN_ERRORS if (sample["server"], sample["case"]) == (server, case))
    return Answer(sample["body"].encode(), sample["status"], sample["headers"])


class LlmServer:
    """`async with LlmServer() as server`: answers from `script` one by one, then by `rule`, then well."""

    def __init__(self, *script: Answer, rule: Rule = lambda _: None) -> None:
        self.script = deque(script)
        self.rule = rule
        self.requests: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self._gate = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The base URL to configure."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def release(self) -> None:
        """Let all held answers go."""
        self._gate.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer_one(reader, writer):
                    pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.headers.append(headers)
        if not head[0].startswith(("POST /v1/chat/completions ", "POST /v1/embeddings ")):
            return await self._send(writer, error(404, {"detail": "Not Found"}))
        request: Request = json.loads(body)
        self.requests.append(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._send(writer, self._choose(request))
        finally:
            self.at_once -= 1

    def _choose(self, request: Request) -> Answer:
        if self.script:
            return self.script.popleft()
        if answer := self.rule(request):
            return answer
        return embeddings(request) if "input" in request else reply(model=request["model"])

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        if answer.hold:
            await self._gate.wait()
        lines = [f"HTTP/1.1 {answer.status} Whatever", f"content-type: {answer.content_type}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [f"content-length: {len(answer.body)}", "", ""]
        writer.write("\r\n".join(lines).encode())
        body = answer.body[: answer.cut_after]
        if answer.drip is None:
            writer.write(body)
        else:
            await self._drip(writer, body, answer.drip)
        await writer.drain()
        return answer.cut_after is None

    async def _drip(self, writer: asyncio.StreamWriter, body: bytes, pause: float) -> None:
        for at in range(len(body)):
            writer.write(body[at : at + 1])
            await writer.drain()
            await asyncio.sleep(pause)
