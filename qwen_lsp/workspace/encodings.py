"""Bytes to text and back without a loss: byte order marks, UTF-8, UTF-16, and older encodings.

`decode` only ever answers with an encoding that gives back the same bytes.
"""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_HANZI = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe]")


def decode(data: bytes) -> tuple[str, str, bool] | None:
    """Text, encoding and whether a byte order mark was there; None when it is not text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _exact(data[len(mark) :], encoding)
            return None if text is None or "\0" in text else (text, encoding, True)
    if b"\0" in data:
        return None
    text = _exact(data, "utf-8")
    if text is not None:
        return text, "utf-8", False
    if _CONTROL.search(data):
        return None
    for encoding in ("gb18030", "cp1252", "latin-1") if _is_chinese(data) else ("cp1252", "latin-1"):
        text = _exact(data, encoding)
        if text is not None:
            return text, encoding, False
    return None


def mark_of(encoding: str) -> bytes:
    """The byte order mark of an encoding that `decode` found one of."""
    return next(mark for mark, name in _MARKS if name == encoding)


def _exact(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
        return text if encoding == "utf-8" or text.encode(encoding) == data else None
    except UnicodeError:
        return None


def _is_chinese(data: bytes) -> bool:
    # Bytes above 127 come in pairs in the ranges of common characters; in Western text they stand alone.
    high = len(data) - len(data.translate(None, bytes(range(0x80, 0x100))))
    return len(_HANZI.findall(data)) * 2 >= 0.95 * high
