"""What a handler can say about its failure; the bus turns it into a verdict (`shared.verdict`)."""


class Transient(Exception):  # noqa: N818 - a verdict, read as one: `raise Transient("HTTP 503")`
    """Trying the same message again, a little later, may help."""


class Permanent(Exception):  # noqa: N818
    """No retry can mend this message; it becomes a dead letter at once."""


class Unavailable(Exception):  # noqa: N818
    """Something that every message needs is away (Postgres, NATS): not the message's fault.

    The message is held and tried again for as long as it takes; no attempt is counted.
    """


class Elsewhere(Exception):  # noqa: N818
    """Another replica has to handle this message: it goes back at once, and never becomes a dead letter for it."""
