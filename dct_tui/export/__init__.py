"""Vectors in files that other programs read."""

from .certificate import RECEIPT, Check, Exported, Written, read_receipt, write_receipts
from .registry import (
    FORMATS,
    ExportFormat,
    ExportOptions,
    export_vectors,
    exporting,
    find_format,
    lay_out,
    write_exports,
    written_exports,
)
from .selection import rack_vectors, selected_vectors, session_context, session_vectors
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
    "exporting",
    "find_format",
    "lay_out",
    "rack_vectors",
    "read_receipt",
    "selected_vectors",
    "session_context",
    "session_vectors",
    "write_exports",
    "write_receipts",
    "written_exports",
]
