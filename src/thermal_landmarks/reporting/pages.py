"""Pages from `templates/`: HTML, where all text is escaped, and Markdown."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_ENVIRONMENT = Environment(
    loader=PackageLoader("thermal_landmarks.reporting"),
    autoescape=lambda name: name is not None and name.endswith(".html.j2"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, *, finalize: Callable[[Any], Any] | None = None, **facts: Any) -> str:
    """The page of a template; `finalize` is applied to every value that is filled in."""
    environment = _ENVIRONMENT.overlay(finalize=finalize) if finalize else _ENVIRONMENT
    return environment.get_template(template).render(facts)
