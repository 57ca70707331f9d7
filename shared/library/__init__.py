"""Papers that somebody has collected, read from the file that a reference manager exports."""

from shared.library.reading import MAX_ENTRIES, MAX_LIBRARY, Library, LikedPaper, read_library

__all__ = ["MAX_ENTRIES", "MAX_LIBRARY", "Library", "LikedPaper", "read_library"]
