"""Reads back what W&B's offline record holds."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BLOCK = 32768
FIRST, LAST, FULL = 2, 4, 1


@pytest.fixture
def read_record() -> Callable[[Path], list[Any]]:
    """The protobufs of the only offline run in a `wandb` folder."""

    def read(folder: Path) -> list[Any]:
        (path,) = folder.glob("offline-run-*/*.wandb")
        return list(_records(path.read_bytes()))

    return read


def _records(data: bytes) -> Iterator[Any]:
    """W&B's transaction log: LevelDB's log format (blocks of 32 KiB, chunks with a 7-byte header) of protobufs."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # protobuf makes it at run time

    position, message = 7, b""
    assert data[:4] == b":W&B"
    while position < len(data):
        if BLOCK - position % BLOCK < 7:  # no header fits: padding
            position += BLOCK - position % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        chunk = data[position + 7 : position + 7 + length]
        message = chunk if kind in (FULL, FIRST) else message + chunk
        position += 7 + length
        if kind in (FULL, LAST):
            record = Record()
            record.ParseFromString(message)
            yield record
