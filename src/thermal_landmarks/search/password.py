"""Keeps the password of `search.storage` out of everything that is written or printed.

PostgreSQL's client library reads PGPASSWORD and `~/.pgpass` itself, so the URL that travels needs none.
"""

import os

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from thermal_landmarks.errors import ConfigError


def hide_password(url: str) -> str:
    """Move the password of a URL into PGPASSWORD, for this process and those that it starts.

    Returns:
        The URL without password.

    Raises:
        ConfigError: If it is no URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "search.storage is no URL of a database. Expected sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE."
        ) from None
    password = parsed.password or parsed.query.get("password")
    if password:
        os.environ["PGPASSWORD"] = str(password)
    stripped = parsed._replace(password=None).difference_update_query(["password"])
    return stripped.render_as_string(hide_password=False)
