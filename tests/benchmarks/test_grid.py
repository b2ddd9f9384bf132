import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "grid.py"


@pytest.mark.slow
def test_wgan_gp_finds_the_modes_of_the_grid() -> None:
    result = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    found = re.search(r"seed 0: (\d+) of 25 modes, ([\d.]+)% of", result.stdout)
    assert found, result.stdout + result.stderr
    assert int(found[1]) >= 24
    assert float(found[2]) >= 80
