import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "huge_image.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
@pytest.mark.parametrize("task", ["inpaint", "upscale", "derain"])
def test_many_megapixels_need_little_memory(task: str, inpaint_model: Path) -> None:
    words = [task, inpaint_model] if task == "inpaint" else [task]
    result = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
