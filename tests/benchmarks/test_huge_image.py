import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "huge_image.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_100_megapixels_need_little_memory(inpaint_model: Path) -> None:
    result = subprocess.run([sys.executable, SCRIPT, inpaint_model], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
