"""A hook of mkdocs: links from pages into the source tree, which a site doesn't have, become plain text."""

import re
from typing import Any


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Keep the words of a link that leads out of `docs/`."""
    return re.sub(r"(?<!!)\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", markdown)
