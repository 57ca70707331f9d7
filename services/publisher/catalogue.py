"""The feed configuration as the publisher needs it, read again when the file changes."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from shared import feeds
from shared.feeds import FeedConfig, FeedsError, FeedsFile

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Catalogue:
    """The configured feeds. A file that became wrong changes nothing until it is mended."""

    def __init__(self, path: Path, *, look_every: float = LOOK_SECONDS) -> None:
        self._path = path
        self._look_every = look_every
        self._looked = time.monotonic()
        self._stamp = _stamp(path)
        self._file = feeds.load(path)
        self._revision = 0

    @property
    def feeds(self) -> tuple[FeedConfig, ...]:
        """All feeds, in the order of the file."""
        return self._current().feeds

    @property
    def slugs(self) -> tuple[str, ...]:
        """Their names in addresses."""
        return tuple(feed.slug for feed in self.feeds)

    def get(self, slug: str) -> FeedConfig | None:
        """The feed of that name."""
        return next((feed for feed in self.feeds if feed.slug == slug), None)

    def version(self) -> int:
        """Changes when the file does."""
        self._current()
        return self._revision

    def _current(self) -> FeedsFile:
        if time.monotonic() - self._looked >= self._look_every:
            self._looked = time.monotonic()
            if (stamp := _stamp(self._path)) != self._stamp:
                self._stamp = stamp
                self._reload()
        return self._file

    def _reload(self) -> None:
        try:
            self._file = feeds.load(self._path)
        except (FeedsError, OSError) as error:
            log.error("feeds file is wrong, keeping the last good one", extra={"reason": str(error)})  # noqa: TRY400
            return
        self._revision += 1
        log.info("feeds file read again", extra={"feeds": len(self._file.feeds)})


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Tells one content from another without reading it; a ConfigMap swaps a link, which changes the inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
