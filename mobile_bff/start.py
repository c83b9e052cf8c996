"""Opens what a process needs: keys, clock, vault, and a migrated database."""

from __future__ import annotations

from backend.infra import audit
from backend.infra.clock import SystemClock, SystemIds
from backend.infra.database import Database, Resources
from backend.infra.keys import KeyFile, load_keys, make_keys
from backend.infra.sealing import Vault
from backend.infra.settings import Mode, Settings
from backend.infra.stamp import make_stamp
from backend.regions.library import area_name


def open_resources(settings: Settings) -> Resources:
    """Return the resources of a process. In development missing keys, and a seal, are made."""
    ids, clock = SystemIds(), SystemClock()
    path, reporters = settings.resolved_keys_file, settings.resolved_reporters_keys_file
    for ring in (path, reporters):
        if settings.mode is Mode.DEVELOPMENT and not ring.exists():
            make_keys(ring, ids)
    if settings.mode is Mode.DEVELOPMENT and not settings.resolved_seal_file.exists():
        make_seal(settings)
    vault, apart = (Vault(load_keys(ring), ids, KeyFile(ring)) for ring in (path, reporters))
    return Resources(settings, clock, ids, vault, apart)


def make_seal(settings: Settings) -> None:
    """Make a seal that vouches for itself. Raises ``FileExistsError`` where there is one."""
    name = f"{area_name(settings.region)}医疗保障局（示例印章）"
    make_stamp(settings.resolved_seal_file, name, SystemClock().now())


def make_folder(database: Database) -> None:
    """Make the folder that an embedded database lies in; a server keeps its own."""
    if database.engine.dialect.name == "sqlite":
        database.resources.settings.data_dir.mkdir(parents=True, exist_ok=True)


def migrate(database: Database) -> None:
    """Bring the database to the newest schema, its audit lanes with it."""
    from backend.migrations import upgrade  # what serves a migrated database needs no migrations

    make_folder(database)
    upgrade(database.engine)
    database.write(audit.open_lanes)
