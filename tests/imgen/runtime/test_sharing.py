import onnx
import onnxruntime
import pytest

from imgen.errors import ModelError
from imgen.runtime.catalogue import BUILT_IN
from imgen.runtime.loading import load
from imgen.runtime.sharing import share, whole

CORE, EMBED = BUILT_IN / "upscale-x2.onnx", BUILT_IN / "upscale-x2-embed.onnx"


def test_built_in_graphs_share_their_weights() -> None:
    for embed in BUILT_IN.glob("*-embed.onnx"):
        core = embed.with_name(embed.name.replace("-embed", ""))
        assert embed.stat().st_size < 0.1 * core.stat().st_size
        onnx.checker.check_model(embed)


def test_a_file_is_made_whole_to_the_byte(tmp_path) -> None:  # type: ignore[no-untyped-def]
    data = whole(EMBED)
    assert len(data) > CORE.stat().st_size
    assert share(data, CORE.read_bytes(), CORE.name) == EMBED.read_bytes()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    assert onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (tmp_path / "whole.onnx").write_bytes(data)
    assert whole(tmp_path / "whole.onnx") == data


def test_what_is_nowhere_else_stays() -> None:
    data = whole(EMBED)
    assert share(data, b"other weights", "other.onnx") == data


def test_imgen_itself_runs_no_model_with_weights_elsewhere(tmp_path) -> None:  # type: ignore[no-untyped-def]
    core = CORE.read_bytes()
    (tmp_path / "shared.onnx").write_bytes(share(core, core, CORE.name))
    with pytest.raises(ModelError, match="weights in another file"):
        load(tmp_path / "shared.onnx")
