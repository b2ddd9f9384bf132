"""Faces as a hand-made map says, whatever the size and kind of the photo; and detectors of others."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from imgen.errors import ModelError
from imgen.image import face as frame
from imgen.runtime import load
from imgen.spec import KEY, Spec
from imgen_apps.face_finding import FaceFinder, boxes, decode, face_of_box, separate, yunet

SPEC = Spec("tiny-faces", "detect-face", "CC0-1.0", outputs=("score", "pose"), multiple=8)
TALL = 5.0  # places: the height of every face that the stand-in finds


def _graph() -> onnx.GraphProto:
    """Red is how sure it is, at the places that are all red; a face is upright and five places high."""
    constants = {
        "pose_of_red": np.array([0, 0, np.log(TALL), 1, 0], np.float32).reshape(1, 5, 1, 1),
        "zero": np.zeros(1, np.float32),
    }
    nodes = [
        helper.make_node("Neg", ["image"], ["negative"]),
        helper.make_node("MaxPool", ["negative"], ["least"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Neg", ["least"], ["all"]),
        helper.make_node("Split", ["all"], ["score", "green", "blue"], axis=1, num_outputs=3),
        helper.make_node("Mul", ["score", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "pose_of_red"], ["pose"]),
    ]
    sides: list[str | int] = ["n", 3, "h", "w"]
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, sides)]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("score", "pose")]
    stored = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    return helper.make_graph(nodes, "tiny", inputs, outputs, stored)


def _write(graph: onnx.GraphProto, path: Path, spec: Spec | None = None) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    if spec is not None:
        helper.set_model_props(model, {KEY: spec.to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> FaceFinder:
    return FaceFinder(load(_write(_graph(), tmp_path_factory.mktemp("model") / "faces.onnx", SPEC)))


def red(
    height: int, width: int, *squares: tuple[int, int, int], channels: int = 3, kind: type = np.uint8
) -> np.ndarray:
    """Black with red squares: left, top, side."""
    most = np.iinfo(kind).max if kind in (np.uint8, np.uint16) else 1
    pixels = np.zeros((height, width, channels), kind)
    for left, top, side in squares:
        pixels[top : top + side, left : left + side, 0] = most
    if channels in (2, 4):
        pixels[..., -1] = most
    return pixels


def test_a_map_is_read_as_it_is_meant() -> None:
    score, pose = np.zeros((6, 9), np.float32), np.zeros((5, 6, 9), np.float32)
    score[2, 3], score[2, 4], score[5, 8] = 0.9, 0.8, 0.6  # the second is no peak
    pose[:, 2, 3] = 0.25, -0.5, np.log(4), 3 * np.cos(0.3), 3 * np.sin(0.3)
    pose[:, 5, 8] = 0, 0, 0, -1, 0
    found = decode(score, pose, 8, 0.5)
    assert np.allclose(found, [[0.9, 30, 16, 32, 0.3], [0.6, 68, 44, 8, np.pi]], atol=1e-5)
    assert len(decode(score, pose, 8, 0.7)) == 1
    assert decode(np.zeros((3, 4), np.float32), np.zeros((5, 3, 4), np.float32), 8, 0.5).shape == (0, 5)


def test_boxes_are_about_turned_ellipses() -> None:
    upright, quarter, turned = boxes(np.array([[1, 50, 60, 88, 0], [1, 50, 60, 88, np.pi / 2], [1, 50, 60, 88, 0.7]]))
    assert np.allclose(upright, (15, 16, 70, 88))
    assert np.allclose(quarter, (6, 25, 88, 70))
    angle = np.linspace(0, 2 * np.pi, 100_000)
    rim = 35 * np.cos(angle) * np.cos(0.7) - 44 * np.sin(angle) * np.sin(0.7)
    assert np.allclose((turned[0], turned[2]), (50 + rim.min(), np.ptp(rim)), atol=1e-3)


def test_of_much_the_same_boxes_the_surest_is_kept() -> None:
    found = np.array([[0, 0, 10, 10], [1, 1, 10, 10], [30, 0, 10, 10], [32, 2, 4, 4], [8, 0, 10, 10]], float)
    assert separate(found, np.array([0.5, 0.9, 0.8, 0.7, 0.6])) == [1, 2, 4]
    assert separate(np.zeros((0, 4)), np.zeros(0)) == []


def test_faces_of_all_sizes_come_the_largest_first(finder: FaceFinder) -> None:
    """A red square of 8 pixels is a face of 40; one of 64 is seen best at an eighth of the size."""
    faces = finder(red(400, 640, (64, 64, 8), (320, 128, 64)))
    large, small = faces[0], next(each for each in faces if each.box[0] < 60)
    assert [each.box[3] for each in faces] == sorted((each.box[3] for each in faces), reverse=True)
    assert np.allclose(large.box, (352 - 320 * 35 / 88, 0, 320 * 70 / 88, 320), atol=1e-4)
    assert np.allclose(small.box, (68 - 40 * 35 / 88, 68 - 20, 40 * 70 / 88, 40), atol=1e-6)
    assert 0.9 < small.score <= 1
    away = (np.array(frame.POINTS) - frame.CENTRE) * 40 / frame.HEIGHT
    assert np.allclose(small.points, np.add(away, (68, 68)))


@pytest.mark.parametrize(
    ("channels", "kind"),
    [(3, np.uint8), (4, np.uint8), (3, np.uint16), (4, np.uint16), (3, np.float32), (4, np.float64)],
)
def test_a_large_photo_of_any_kind_gives_pixels_of_its_own(finder: FaceFinder, channels: int, kind: type) -> None:
    (found,) = finder(red(800, 1280, (160, 240, 16), channels=channels, kind=kind))
    assert np.allclose((found.box[3], found.points[:, 0].mean()), (80, 168 + 0.02), atol=0.5)


def test_grey_and_tiny_images_have_no_face(finder: FaceFinder) -> None:
    for shape in ((1, 1, 1), (3, 5, 2), (500, 7, 3), (9, 800, 1)):
        assert finder(np.zeros(shape, np.uint8)) == []


def test_a_large_photo_without_a_face_is_looked_at_again_closer(finder: FaceFinder) -> None:
    """Reduced to 640 pixels a square of 8 is one of 4, which fills no place."""
    (found,) = finder(red(800, 1280, (160, 240, 8)))
    assert abs(found.box[3] - 40) < 1


def test_two_hundred_faces(finder: FaceFinder) -> None:
    squares = [(32 * column, 32 * row, 8) for row in range(1, 11) for column in range(20)]
    faces = [each for each in finder(red(400, 640, *squares)) if abs(each.box[3] - 40) < 1]
    assert len(faces) == 200


def test_models_of_other_tasks_are_refused(tmp_path: Path) -> None:
    spec = Spec("tiny", "upscale", "CC0-1.0", outputs=("score", "pose"), multiple=8)
    with pytest.raises(ModelError, match="not for 'detect-face'"):
        FaceFinder(load(_write(_graph(), tmp_path / "other.onnx", spec)))


def test_a_box_by_hand() -> None:
    found = face_of_box((10, 20, 140, 176))
    assert (found.box, found.score) == ((10, 20, 140, 176), 1)
    assert np.allclose(found.points, (np.array(frame.POINTS) - frame.CENTRE) * 2 + (80, 108))


def _yunet(path: Path, rename: str = "") -> Path:
    """Of one face, whose middle is in the place of 8 pixels in row 20, column 30: 32 x 40 pixels."""
    nodes, outputs, constants = [], [], []
    for stride in (8, 16, 32):
        count = (640 // stride) ** 2
        at = 20 * 80 + 30
        values = {
            "cls": np.zeros((1, count, 1), np.float32),
            "obj": np.zeros((1, count, 1), np.float32),
            "bbox": np.zeros((1, count, 4), np.float32),
            "kps": np.zeros((1, count, 10), np.float32),
        }
        if stride == 8:
            values["cls"][0, at] = values["obj"][0, at] = 0.81
            values["bbox"][0, at] = 0.5, 0.25, np.log(4), np.log(5)
            values["kps"][0, at] = np.arange(10) / 2
        for kind, value in values.items():
            name = f"{kind}_{stride}{rename}"
            constants.append(onnx.numpy_helper.from_array(value, f"value_{name}"))
            nodes.append(helper.make_node("Add", ["nothing", f"value_{name}"], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape))
    constants += [onnx.numpy_helper.from_array(np.zeros((1,), np.float32), "zero")]
    first = [
        helper.make_node("GlobalAveragePool", ["input"], ["mean"]),
        helper.make_node("ReduceMean", ["mean"], ["one"], keepdims=1),
        helper.make_node("Flatten", ["one"], ["flat"]),
        helper.make_node("Mul", ["flat", "zero"], ["none"]),
        helper.make_node("Unsqueeze", ["none", "axis"], ["nothing"]),
    ]
    constants += [onnx.numpy_helper.from_array(np.array([2]), "axis")]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])]
    return _write(helper.make_graph([*first, *nodes], "yunet", inputs, outputs, constants), path)


def test_a_detector_in_yunets_format(tmp_path: Path) -> None:
    find = yunet(_yunet(tmp_path / "yunet.onnx"))
    (found,) = find(np.zeros((1280, 1280, 3), np.uint8))
    assert np.allclose(found.box, (2 * (30.5 * 8 - 16), 2 * (20.25 * 8 - 20), 64, 80), atol=0.1)
    assert abs(found.score - 0.81) < 0.01
    assert np.allclose(found.points[0], (2 * 8 * 30, 2 * 8 * 20.5))
    assert found.points.shape == (5, 2)


def test_other_networks_are_no_detectors(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no face detector of YuNet's format"):
        yunet(_yunet(tmp_path / "other.onnx", rename="_x"))
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="not an ONNX file"):
        yunet(tmp_path / "broken.onnx")
