"""Papers that somebody has collected, read from the file that a reference manager exports."""

from shared.library.fields import bare_id, unversioned
from shared.library.reading import read_library
from shared.library.values import MAX_ENTRIES, MAX_LIBRARY, Library, LikedPaper

__all__ = ["MAX_ENTRIES", "MAX_LIBRARY", "Library", "LikedPaper", "bare_id", "read_library", "unversioned"]
