"""How many fields a protocol buffer holds, counted before a parser makes an object of each.

A field of two bytes becomes an object of 150: 16 MB of empty nodes took 1.2 GB and 3 s to parse.
"""

from __future__ import annotations

from typing import Any

MAX_FIELDS, MAX_DEPTH = 1 << 16, 32
FIXED = {1: 8, 5: 4}
"""Wire type -> bytes of a field of fixed size."""
INTEGERS_PER_FIELD = 16
"""Packed integers of a byte each grow to eight: as many of them count as a field."""


def check_fields(data: bytes, descriptor: Any) -> None:
    """Raise ValueError for a message of that type that is damaged or has more than MAX_FIELDS."""
    _count(memoryview(data), descriptor, 0, 0)


def _count(data: memoryview, descriptor: Any, before: int, depth: int) -> int:
    """Fields of a message and the messages in it, with those before it."""
    at, count = 0, before
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        size = 0
        if wire == 2:
            size, at = _varint(data, at)
        elif wire == 0:
            _, at = _varint(data, at)
        elif wire in FIXED:
            size = FIXED[wire]
        else:
            raise ValueError(f"the file must be a whole protocol buffer, got wire type {wire}")
        if at + size > len(data):
            raise ValueError("the file must be a whole protocol buffer, a field has no end")
        count += 1 + (
            size // INTEGERS_PER_FIELD if wire == 2 and _integers(descriptor, field) else 0
        )
        if count > MAX_FIELDS or depth > MAX_DEPTH:
            raise ValueError(f"the file must have at most {MAX_FIELDS:,} fields, {MAX_DEPTH} deep")
        inner = _message(descriptor, field) if wire == 2 else None
        if inner is not None:
            count = _count(data[at : at + size], inner, count, depth + 1)
        at += size
    return count


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """An integer of up to ten bytes, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        value, at = value | (byte & 127) << shift, at + 1
        if byte < 128:
            return value, at
    raise ValueError("the file must be a whole protocol buffer, a number has no end")


def _message(descriptor: Any, field: int) -> Any:
    """The type of the message in a field, None for what is none."""
    known = descriptor.fields_by_number.get(field)
    return None if known is None else known.message_type


def _integers(descriptor: Any, field: int) -> bool:
    """Whether a field holds integers, which may be packed."""
    known = descriptor.fields_by_number.get(field)
    return known is not None and known.cpp_type in (
        known.CPPTYPE_INT32, known.CPPTYPE_INT64, known.CPPTYPE_UINT32, known.CPPTYPE_UINT64,
        known.CPPTYPE_ENUM, known.CPPTYPE_BOOL)  # fmt: skip
