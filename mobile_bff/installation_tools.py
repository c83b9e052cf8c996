"""``yibao migrate``, ``seed`` and ``keys``: what an installation is set up with."""

from __future__ import annotations

import argparse
import sys

from backend.infra.clock import SystemIds
from backend.infra.keys import make_keys, rotate_keys
from mobile_bff import console
from mobile_bff.start import make_folder, make_seal, migrate


def migrate_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao migrate`` be run."""
    parser.set_defaults(run=_migrate)


def seed_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao seed`` be run."""
    parser.set_defaults(run=_seed)


def keys_command(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``yibao keys``."""
    parser.add_argument("--rotate", action="store_true", help="new keys before the ones there are")
    parser.set_defaults(run=_keys)


def _migrate(_options: argparse.Namespace) -> int:
    with console.opened() as database:
        migrate(database)
    return 0


def _seed(_options: argparse.Namespace) -> int:
    from backend.sample_data.clinics import load_clinics  # other commands here need no sample
    from backend.sample_data.load import expect_empty, load_sample_data

    with console.opened() as database:
        make_folder(database)
        expect_empty(database.engine)
        migrate(database)
        terminals = database.write(load_sample_data)
        database.write(load_clinics)
    print(f"{len(terminals)} institutions with a terminal each, and the sample people")
    return 0


def _keys(options: argparse.Namespace) -> int:
    settings = console.settings()
    path, reporters = settings.resolved_keys_file, settings.resolved_reporters_keys_file
    if options.rotate:
        master, signing = rotate_keys(path, SystemIds())
        apart, _ = rotate_keys(reporters, SystemIds())
        print(f"new data is sealed with {master}, new tokens are signed with {signing}")
        print(f"who reports misuse is sealed with {apart}")
        print("restart the workers one after another; back both files up, in two places")
        return 0
    missing = [ring for ring in (path, reporters) if not ring.exists()]
    if not missing:
        print(f"there is a key ring at {path} already", file=sys.stderr)
        return 1
    for ring in missing:
        make_keys(ring, SystemIds())
        print(f"made {ring}; keep it safe and back it up, without it sealed data cannot be read")
    if reporters in missing:
        print("who reports misuse is sealed with the reporters' ring: keep its backup elsewhere")
    if not settings.resolved_seal_file.exists():
        make_seal(settings)
        print(f"made {settings.resolved_seal_file}, a seal for trials; a real one comes from a CA")
    return 0
