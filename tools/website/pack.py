"""The site as one archive that ``econ site`` shows: ``python tools/website/pack.py``.

It is written beside the package's modules, so that the next wheel carries it. Notebooks lose their
outputs in it: their pages show them, and the wheel has them whole.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from econ.site_command import ARCHIVE, FIRST  # noqa: E402

MOST_BYTES = 10e6  # with the rest, a wheel of less than 15 MB


def pack(site: Path = ROOT / "build" / "site", out: Path = ROOT / "econ" / ARCHIVE) -> Path:
    """Write the archive of a built site, or say why not; nothing is left half-written."""
    if not (site / FIRST).exists():
        sys.exit(f"{site} holds no site: make site first")
    part = out.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as box:
        for file in sorted(p for p in site.rglob("*") if p.is_file()):
            name, content = file.relative_to(site).as_posix(), file.read_bytes()
            box.writestr(name, _bare(content) if file.suffix == ".ipynb" else content)
    if (size := part.stat().st_size) > MOST_BYTES:
        part.unlink()
        sys.exit(f"the archive has {size / 1e6:.1f} MB; a wheel has room for {MOST_BYTES / 1e6:g}")
    part.replace(out)
    return out


def _bare(notebook: bytes) -> bytes:
    """A notebook without what its cells showed."""
    book = json.loads(notebook)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(book, ensure_ascii=False).encode()


if __name__ == "__main__":
    print(pack())
