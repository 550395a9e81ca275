"""How is a file replaced as a whole, or not at all?"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a file to write, beside the target, and move it into its place at the end.

    So no reader ever sees half of it; and if writing fails, the target stays as it was.
    """
    target = Path(target)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
