import threading
from pathlib import Path

import numpy as np
import pytest

from imgen.errors import DeviceError, ModelError, UnknownNameError, UsageError
from imgen.runtime import load
from imgen.runtime.device import Device
from imgen.spec import Spec


def arrays(batch: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    image = generator.random((batch, 3, height, width), np.float32)
    mask = (generator.random((batch, 1, height, width)) < 0.3).astype(np.float32)
    return image, mask


def expected(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    mean = (image * (1 - mask)).sum((2, 3), keepdims=True) / (1 - mask).sum((2, 3), keepdims=True)
    return image * (1 - mask) + mask * mean


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 40, 104), (2, 8, 8)])
def test_runs_at_any_size_and_batch(inpaint_model: Path, shape: tuple[int, int, int]) -> None:
    model = load(inpaint_model, device="cpu")
    image, mask = arrays(*shape)
    result = model(image, mask)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected(image, mask), atol=1e-5)


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_several_outputs_follow_one_another(derain_model: Path, device: str) -> None:
    if device == "openvino":
        pytest.importorskip("openvino")
    image, _ = arrays(2, 16, 24)
    result = load(derain_model, device=device)(image)
    attention = (image[:, :1] - image[:, 1:2]).clip(0, 1)
    np.testing.assert_allclose(result, np.concatenate([1 - image, attention], 1), atol=1e-2)


def test_says_what_it_is_and_where_it_runs(inpaint_model: Path) -> None:
    model = load(str(inpaint_model), device="cpu", threads=1)
    assert (model.device, model.provider) == ("cpu", "CPUExecutionProvider")
    assert model.spec == Spec("tiny-inpaint", "inpaint", "CC0-1.0", inputs=("image", "mask"), multiple=8)


def test_takes_arrays_that_are_views(inpaint_model: Path) -> None:
    image, mask = arrays(1, 64, 64)
    model = load(inpaint_model, device="cpu")
    flipped = image[:, ::-1, :, ::-1], mask[..., ::-1]
    np.testing.assert_allclose(model(*flipped), expected(*flipped), atol=1e-5)


def test_may_be_called_from_several_threads(inpaint_model: Path) -> None:
    model = load(inpaint_model, device="cpu")
    pairs = [arrays(1, 8 * n, 16 * n) for n in range(1, 9)]
    results: dict[int, np.ndarray] = {}

    def work(n: int) -> None:
        for _ in range(20):
            results[n] = model(*pairs[n])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(pairs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, pair in enumerate(pairs):
        np.testing.assert_allclose(results[n], expected(*pair), atol=1e-5)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda image, mask: (image,), "takes 2 arrays (image, mask), not 1"),
        (lambda image, mask: (image[0], mask), "image must be float32 of 4 axes"),
        (lambda image, mask: (image, mask.astype(np.float64)), "mask must be float32 of 4 axes (NCHW), not float64"),
        (lambda image, mask: (image, mask[..., :8]), "differ in batch or size"),
        (lambda image, mask: (image[..., :12], mask[..., :12]), "12 x 16 pixels, but both must be multiples of 8"),
        (lambda image, mask: (image[..., :0], mask[..., :0]), "0 x 16 pixels"),
    ],
)
def test_refuses_inputs_that_do_not_fit(inpaint_model: Path, bad, words: str) -> None:
    model = load(inpaint_model, device="cpu")
    with pytest.raises(UsageError) as caught:
        model(*bad(*arrays(1, 16, 16)))
    assert words in str(caught.value)


def test_wrong_number_of_channels_is_one_line(inpaint_model: Path) -> None:
    image, mask = arrays(1, 16, 16)
    with pytest.raises(ModelError) as caught:
        load(inpaint_model, device="cpu")(image[:, :2], mask)
    assert "tiny-inpaint: failed on 16 x 16 pixels" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["auto", "cpu", "cuda", "openvino"])
def test_devices_by_name(text: str) -> None:
    assert Device.parse(text) == Device(text)


def test_a_gpu_by_number() -> None:
    assert Device.parse("cuda:3") == Device("cuda", 3)


def test_openvino_in_float32() -> None:
    assert Device.parse("openvino:fp32") == Device("openvino", exact=True)


def test_unknown_device_suggests_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cuda'"):
        Device.parse("cud")


@pytest.mark.parametrize("text", ["cuda:", "cuda:-1", "cuda:one", "cpu:1", "openvino:fp16", "openvino:"])
def test_bad_numbers_of_devices(text: str) -> None:
    with pytest.raises(UsageError, match="cuda:1"):
        Device.parse(text)


def test_bad_number_of_threads(inpaint_model: Path) -> None:
    with pytest.raises(UsageError, match="threads: 0"):
        load(inpaint_model, threads=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "absent.onnx", "no such model file"),
        (lambda folder: str(folder / "absent"), "no such model file"),
        (lambda folder: folder, "not a file"),
        (lambda folder: "absent.onnx", "no such model file"),
        (lambda folder: "absent", "no model is called 'absent'"),
    ],
)
def test_missing_models(tmp_path: Path, make, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        load(make(tmp_path))


def test_other_kinds_of_file(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(b"HDF")
    with pytest.raises(ModelError, match=r"models are files of \.onnx, \.safetensors, \.pth, \.pt"):
        load(path)


def test_openvino_does_not_run_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.touch()
    with pytest.raises(DeviceError, match=r"OpenVINO runs \.onnx files only"):
        load(path, device="openvino")
