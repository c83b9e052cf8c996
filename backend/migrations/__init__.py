"""The schema and its history. One head; every change of a table is a step here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

if TYPE_CHECKING:  # loaded where a database is migrated, and nowhere else
    from alembic.config import Config

_FOLDER = Path(__file__).parent


def configuration() -> Config:
    """Return the Alembic configuration without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def upgrade(engine: Engine) -> None:
    """Bring a database to the newest schema. Does nothing where it is there already."""
    from alembic import command

    config = configuration()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
