"""Vectors in files that other programs read."""

from .certificate import RECEIPT, Check, Exported, Written, read_receipt, write_receipts
from .registry import FORMATS, ExportFormat, ExportOptions, export_vectors, find_format, write_exports
from .selection import rack_vectors, session_context, session_vectors
from .vectors import ExportContext, ExportVector

__all__ = [
    "FORMATS",
    "RECEIPT",
    "Check",
    "ExportContext",
    "ExportFormat",
    "ExportOptions",
    "ExportVector",
    "Exported",
    "Written",
    "export_vectors",
    "find_format",
    "rack_vectors",
    "read_receipt",
    "session_context",
    "session_vectors",
    "write_exports",
    "write_receipts",
]
