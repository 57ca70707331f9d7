"""The texts in the object store that the summarizers read."""

from __future__ import annotations

from nats.js.api import ObjectMeta
from nats.js.errors import NotFoundError
from nats.js.object_store import ObjectStore

from services.fetcher.lease import AWAY
from shared.bus import Bus
from shared.errors import Unavailable
from shared.messages import Paper
from shared.provision import TEXTS_BUCKET
from shared.texts import FullText, text_name


class Texts:
    """`TEXTS`: one object for each version of a paper, gone after its time to live."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def find(self, paper: Paper) -> str | None:
        """The key of the paper's text, if it is stored."""
        name = text_name(paper)
        try:
            await (await self._store()).get_info(name)
        except NotFoundError:  # or deleted
            return None
        except AWAY as error:
            raise _unavailable(error) from error
        return name

    async def put(self, paper: Paper, text: FullText) -> str:
        """Store the text; its key."""
        name = text_name(paper)
        about = ObjectMeta(name=name, description=f"{text.source}, {text.license or 'no licence stated'}")
        try:
            await (await self._store()).put(name, text.packed(), about)
        except AWAY as error:
            raise _unavailable(error) from error
        return name

    async def _store(self) -> ObjectStore:
        return await self._bus.object_store(TEXTS_BUCKET)


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"the texts are out of reach: {error or type(error).__name__}")
