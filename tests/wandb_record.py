"""Reads back what W&B's offline record holds."""

import json
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


@pytest.fixture
def read_records() -> Callable[[Path], list[list[Any]]]:
    """The protobufs of every offline run in a `wandb` folder, oldest first."""

    def read(folder: Path) -> list[list[Any]]:
        return [list(_records(path.read_bytes())) for path in sorted(folder.glob("offline-run-*/*.wandb"))]

    return read


@pytest.fixture
def summary_and_config() -> Callable[[list[Any]], tuple[dict[str, Any], dict[str, Any]]]:
    """What a run's summary and config hold at its end."""

    def gather(records: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        summary: dict[str, Any] = {}
        config: dict[str, Any] = {}
        for record in records:
            kind = record.WhichOneof("record_type")
            if kind == "summary":
                summary |= {i.key: json.loads(i.value_json) for i in record.summary.update}
            updates = {"config": record.config.update, "run": record.run.config.update}.get(kind, ())
            config |= {i.key: json.loads(i.value_json) for i in updates}
        return summary, config

    return gather


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
