"""The segments of a JPEG file, and what stands behind its picture: there makers of cameras put data of their own."""

import re
import struct

PICTURE, END = 0xDA, 0xD9  # markers: of the pixels, and of the end
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # among pixels only 00 and d0 to d7 may follow ff


def jpeg_segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """Marker and content of each segment before the pixels; a file cut short gives those that begin in it."""
    segments = []
    position = 2
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF and jpeg[position + 1] != PICTURE:
        (length,) = struct.unpack_from(">H", jpeg, position + 2)
        segments.append((jpeg[position + 1], jpeg[position + 4 : position + 2 + length]))
        position += 2 + length
    return segments


def behind_picture(jpeg: bytes) -> bytes:
    """What follows the end of the picture; nothing if that is missing."""
    position = 2 + sum(4 + len(content) for _, content in jpeg_segments(jpeg))
    while found := _MARKER.search(jpeg, position):
        if jpeg[found.start() + 1] == END:
            return jpeg[found.end() :]
        if len(jpeg) < found.end() + 2:
            break
        position = found.end() + struct.unpack_from(">H", jpeg, found.end())[0]
    return b""
