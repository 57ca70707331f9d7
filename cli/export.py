"""Writing what the publisher serves as files."""

from __future__ import annotations

import re
from pathlib import Path

from cli import web
from cli.local.processes import LocalError

STATIC = re.compile(r'="(/static/[A-Za-z0-9._-]+)"')
FEEDS = {"RSS": ".rss", "Atom": ".atom", "JSON Feed": ".json", "Markdown": ".md"}


def slugs(feeds_file: Path) -> list[str]:
    """The feeds' names in addresses."""
    from shared.feeds import load

    return [feed.slug for feed in load(feeds_file).feeds]


def pages(feeds_file: Path) -> dict[str, str]:
    """File name and path of everything that a visitor of the site can read."""
    found = {"index.html": "/", "feeds.opml": "/feeds.opml", "status.html": "/status", "status.json": "/status.json"}
    for slug in slugs(feeds_file):
        found[f"{slug}.html"] = f"/feeds/{slug}"
        found |= {f"{slug}{suffix}": f"/feeds/{slug}{suffix}" for suffix in FEEDS.values()}
    return found


def prepare(out: Path) -> None:
    """Make the folder, or say why not, before any work is done for it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"--out: {out} cannot be made a folder: {error.strerror}") from None


def write(base: str, feeds_file: Path, out: Path) -> None:
    """Write all of it into the folder."""
    prepare(out)
    for name, path in pages(feeds_file).items():
        body = fetch(base, path)
        if name.endswith(".html"):
            body = with_own_files(base, body, out)
        save(out / name, body)


def with_own_files(base: str, page: bytes, out: Path) -> bytes:
    """The page with what it needs to look good beside it, so that it can be opened from the folder."""
    for path in sorted(set(STATIC.findall(page.decode()))):
        (out / "static").mkdir(exist_ok=True)
        save(out / path.removeprefix("/"), fetch(base, path))
    return page.replace(b'="/static/', b'="static/')


def fetch(base: str, path: str) -> bytes:
    """The body of a page that must be there."""
    code, body = web.get(f"{base}{path}", timeout=30)
    if code != 200:
        raise LocalError(f"{base}{path} answered {code}; not all files were written")
    return body


def save(path: Path, body: bytes) -> None:
    """A file is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(body)
    part.replace(path)
