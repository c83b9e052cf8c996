"""Opens what a process needs: keys, clock, vault, and a migrated database."""

from __future__ import annotations

from backend.infra import audit
from backend.infra.clock import SystemClock, SystemIds
from backend.infra.database import Database, Resources
from backend.infra.keys import KeyFile, load_keys, make_keys
from backend.infra.sealing import Vault
from backend.infra.settings import Mode, Settings
from backend.migrations import upgrade


def open_resources(settings: Settings) -> Resources:
    """Return the resources of a process. In development missing keys are made."""
    ids = SystemIds()
    path = settings.resolved_keys_file
    if settings.mode is Mode.DEVELOPMENT and not path.exists():
        make_keys(path, ids)
    return Resources(settings, SystemClock(), ids, Vault(load_keys(path), ids, KeyFile(path)))


def migrate(database: Database) -> None:
    """Bring the database to the newest schema, its audit lanes with it."""
    if database.engine.dialect.name == "sqlite":
        database.resources.settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(database.engine)
    database.write(audit.open_lanes)
