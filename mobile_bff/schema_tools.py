"""``yibao schema`` and ``documents``: the files that the app is built from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mobile_bff import documents
from mobile_bff.desk.schema import DESK_DOCUMENTS, DESK_SDL, make_desk_schema
from mobile_bff.schema import make_schema
from mobile_bff.trusted import digest

ROOT = Path(__file__).parent.parent


def schema_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao schema`` be run."""
    parser.set_defaults(run=_schema)


def documents_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao documents`` be run."""
    parser.set_defaults(run=_documents)


def _schema(_options: argparse.Namespace) -> int:
    (ROOT / "schema.graphql").write_text(make_schema().as_str() + "\n", encoding="utf-8")
    DESK_SDL.write_text(make_desk_schema().as_str() + "\n", encoding="utf-8")
    return 0


def _documents(_options: argparse.Namespace) -> int:
    for folder in (documents.FOLDER, DESK_DOCUMENTS):
        names = documents.names(folder)
        manifest = {digest(documents.document(name, folder)): name for name in names}
        text = json.dumps(dict(sorted(manifest.items(), key=lambda item: item[1])), indent=2)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return 0
