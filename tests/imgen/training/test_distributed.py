"""Two gloo processes against one on the same global batches."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import imgen
from imgen.training.checkpoint import path_in

WORKER = """
import importlib.util, sys
from pathlib import Path

import torch

spec = importlib.util.spec_from_file_location("toy", sys.argv[1])
toy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(toy)
from imgen.training import distributed
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer

distributed.start("cpu")
rank, world = distributed.rank(), distributed.world()
torch.manual_seed(rank)  # other weights: the first process's count
config = TrainConfig(steps=int(sys.argv[3]), clip=0.05, log_every=2, save_every=100)
engine = toy.Duel(toy.Duel.Config(quiet=True)).double()


class Doubles(toy.Source):
    def batch(self, index):
        return toy.Numbers(super().batch(index).x.double())


run = Trainer(engine, Doubles(8, rank, world), config, Path(sys.argv[2]))
if "resume" in sys.argv:
    run.resume()
run.run()
"""


def launch(processes: int, folder: Path, steps: int, *words: str) -> list[tuple[int, str]]:
    """Exit codes and what they said, of processes with the environment that torchrun gives them."""
    script = folder.parent / "worker.py"
    script.write_text(WORKER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(processes), "OMP_NUM_THREADS": "1"}
    toy = str(Path(__file__).parent / "conftest.py")
    running = [
        subprocess.Popen(
            [sys.executable, str(script), toy, str(folder), str(steps), *words],
            cwd=Path(imgen.__file__).parents[1],
            env=os.environ | (shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {}),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    said = [process.communicate(timeout=300)[1] for process in running]
    return [(process.returncode, text) for process, text in zip(running, said, strict=True)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six steps by one process, by two, and by two that were stopped after three."""
    root = tmp_path_factory.mktemp("runs")
    for processes, name, plan in ((1, "one", [6]), (2, "two", [6]), (2, "cut", [3, 6])):
        for i, steps in enumerate(plan):
            for code, said in launch(processes, root / name, steps, *["resume"] * i):
                assert code == 0, said
    return root


def networks(folder: Path) -> dict[str, torch.Tensor]:
    state = torch.load(path_in(folder), weights_only=True)["networks"]
    return {key: value for key, value in state.items() if key != "seen"}  # statistics are those of a share


@pytest.mark.slow
def test_two_processes_equal_one_on_the_same_global_batches(folders: Path) -> None:
    for key, value in networks(folders / "one").items():
        torch.testing.assert_close(networks(folders / "two")[key], value, rtol=1e-9, atol=1e-12, msg=key)


@pytest.mark.slow
def test_two_processes_resume_to_the_bit(folders: Path) -> None:
    whole, cut = (torch.load(path_in(folders / name), weights_only=True) for name in ("two", "cut"))
    assert len(whole["random"]) == 2
    for part in ("networks", "average"):
        assert all(torch.equal(value, cut[part][key]) for key, value in whole[part].items())


@pytest.mark.slow
def test_another_number_of_processes_is_refused(folders: Path) -> None:
    ((_, said),) = launch(1, folders / "two", 8, "resume")
    assert "with processes 2, this one has 1" in said
