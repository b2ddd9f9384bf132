"""How much memory there is left to take."""

import contextlib
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available() -> int | None:
    """Bytes free for this process, in the machine and in its control group (Linux); None where nothing tells."""
    known = []
    with contextlib.suppress(OSError, KeyError):
        known.append(_numbers(Path("/proc/meminfo"))["MemAvailable:"] * 1024)
    with contextlib.suppress(OSError, KeyError, ValueError):  # no control group, or "max" for no limit
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text()) - _numbers(_CGROUP / "memory.stat")["file"]
        known.append(max(0, limit - used))
    return min(known, default=None)


def _numbers(path: Path) -> dict[str, int]:
    """First and second word of each line."""
    return {words[0]: int(words[1]) for words in map(str.split, path.read_text().splitlines())}
