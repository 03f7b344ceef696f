"""Vectors in files that other programs read."""

from .registry import FORMATS, ExportOptions, Written, export_vectors
from .selection import session_context, session_vectors
from .vectors import ExportContext, ExportVector

__all__ = [
    "FORMATS",
    "ExportContext",
    "ExportOptions",
    "ExportVector",
    "Written",
    "export_vectors",
    "session_context",
    "session_vectors",
]
