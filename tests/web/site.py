"""A small site of rendered pages on 127.0.0.1, with the headers that the publisher sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from services.publisher.feed import Entry
from services.publisher.page import STATIC, day_page, feeds_page, not_found_page, paper_page, status_page
from shared.messages import Reason, Span
from tests.builders import a_paper
from tests.entries import NASTY, a_batch, a_day, a_summary, an_entry

FEEDS = [("gpu", "GPUs & more"), ("llm", "Language models"), ("nasty", "W" * 90)]
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
CROWD = tuple(f"Author{'w' * 50} Number{number}" for number in range(3303))
NASTY_PAGES = ("/nasty", "/papers/nasty", "/subscribe", "/status", "/missing")


def pages(public_url: str) -> dict[str, tuple[bytes, str]]:
    """Address to content and content type."""
    documents = {
        "/": day_page(a_day(*_entries()), FEEDS, public_url=public_url),
        "/nasty": day_page(a_day(*_nasty(), slug=None), FEEDS, public_url=public_url, notice="n" * 200),
        "/papers/nasty": paper_page(_nasty()[0].paper, _nasty(), FEEDS, public_url=public_url),
        "/subscribe": feeds_page([("nasty", "W" * 90, "d" * 300), ("gpu", "GPUs", "")], public_url=public_url),
        "/status": status_page([a_batch(announced=10**9), a_batch(waiting=3)], FEEDS, public_url=public_url),
        "/missing": not_found_page("x" * 300, FEEDS, public_url=public_url),
    }
    found = {path: (content, "text/html; charset=utf-8") for path, content in documents.items()}
    return found | {f"/static/{name}": (file.content, file.content_type) for name, file in STATIC.items()}


def _entries() -> list[Entry]:
    unsummarised = an_entry(3, summary=None, no_summary="the model refused")
    return [an_entry(1), an_entry(2), unsummarised]


def _nasty() -> list[Entry]:
    word = "Donaudampfschifffahrtsgesellschaft" * 12
    paper = a_paper(
        title=f"{word} {NASTY}", abstract=f"{word} {NASTY} $x_{{{word}}}$", authors=CROWD, categories=(word,)
    )
    summary = a_summary(tldr=word, method=word, result=f"{NASTY} {word}", model=word)
    found = (Span(field="title", start=0, end=len(word)), Span(field="abstract", start=0, end=len(word)))
    author = Span(field="authors", start=1, end=2)
    reasons = (
        Reason(term=word, field="title", weight=1.0, spans=found),
        Reason(term="Number1", field="authors", weight=1.0, spans=(author,)),
    )
    return [an_entry(1, paper=paper, summary=summary, reasons=reasons)]


@contextmanager
def served() -> Iterator[str]:
    """The site's address while it is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    server.RequestHandlerClass = _handler(pages(address))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(content: Mapping[str, tuple[bytes, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, content_type = content.get(self.path.split("?")[0], (b"", "text/plain"))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
