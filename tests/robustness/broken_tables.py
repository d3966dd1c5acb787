"""Tables of face boxes and of five points: good ones, and what is broken about each."""

from collections.abc import Iterator

from robustness.damage import damaged_text

BOXES = "image,box_x_min,box_y_min,box_x_max,box_y_max\na.png,1,2,30,40\nb.png,3,4,50,60\n"
FIVE_POINTS = (
    "image,x0,y0,x1,y1,x2,y2,x3,y3,x4,y4\n"
    "a.png,10,10,20,10,15,15,12,20,18,20\nb.png,11,10,21,10,16,15,13,20,19,20\nc.png,,,,,,,,,,\n"
)


def broken_tables(text: str, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """(what, content), made from a good one."""
    yield from damaged_text(text, seed=seed)
    header, first, *rest = text.splitlines()
    yield "no_header", "\n".join([first, *rest]).encode()
    yield "header_twice", "\n".join([header, *text.splitlines()]).encode()
    yield "long_cell", f"{header}\n{'x' * 200_000}{first}\n".encode()
    yield "open_quote", f'{header}\n"{first}\n'.encode()
    yield "zero_bytes", f"{header}\na\0.png{first[5:]}\n".encode()
    yield "short_line", f"{header}\na.png,1\n".encode()
    yield "long_line", f"{header}\n{first}{',7' * 1000}\n".encode()
    yield "twice", f"{header}\n{first}\n{first}\n".encode()
    yield "infinite", f"{header}\n{first.replace('10', '1e999').replace('30', 'inf')}\n".encode()
    yield "digits", f"{header}\n{first.replace('10', '1' * 5000).replace('30', '3' * 5000)}\n".encode()
    yield "semicolons", text.replace(",", ";").encode()
    yield "deep_name", f"{header}\n{'../' * 40_000}{first}\n".encode()
    yield "no_name", f"{header}\n{first[5:]}\n".encode()
    yield "surrogate", f"{header}\n\ud800{first}\n".encode("utf-8", "surrogatepass")
    yield "many_lines", (header + "\n" + "".join(f"{i}{first}\n" for i in range(3000))).encode()
