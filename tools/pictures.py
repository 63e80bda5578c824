"""Replaces the committed pictures by those that the tests in real editors have just taken.

`python -m tools.pictures FOLDER` looks for a picture of the same name for each one in `docs/images` and
`editors/vscode/images`; others there are left alone. A new one begins as an empty file of its name.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ROOT / "docs" / "images", ROOT / "editors" / "vscode" / "images"
LARGEST = 150_000
"""Bytes of one picture at most: a clone of the repository brings all of them."""


def main() -> int:
    """Copy what is there; the exit status is 1 when a picture is too large."""
    taken = Path(sys.argv[1])
    status = 0
    for picture in sorted(file for folder in FOLDERS for file in folder.glob("*.png")):
        new = taken / picture.name
        if not new.exists():
            continue
        size = new.stat().st_size
        if size > LARGEST:
            print(f"{picture.relative_to(ROOT)}: {size:,} bytes, {LARGEST:,} at most")
            status = 1
        elif new.read_bytes() != picture.read_bytes():
            shutil.copyfile(new, picture)
            print(f"{picture.relative_to(ROOT)}: {size:,} bytes")
    return status


if __name__ == "__main__":
    sys.exit(main())
