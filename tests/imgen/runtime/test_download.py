import hashlib
from pathlib import Path
from typing import Any

import pytest

from imgen.errors import ModelError
from imgen.runtime import download
from imgen.runtime.download import fetch

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "model.onnx"


def get(target: Path, *urls: str, content: bytes = CONTENT, **kwargs: Any) -> None:
    fetch(urls, target, size=len(content), sha256=hashlib.sha256(content).hexdigest(), **kwargs)


def part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def test_fetches_and_reports_progress(site, target: Path) -> None:
    site.files["/m"] = CONTENT
    seen: list[tuple[int, int]] = []
    get(target, f"{site.url}/m", progress=lambda have, size: seen.append((have, size)))
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in target.parent.iterdir()] == ["model.onnx"]


def test_resumes_what_an_earlier_run_left(site, target: Path) -> None:
    site.files["/m"] = CONTENT
    target.parent.mkdir()
    part(target).write_bytes(CONTENT[:1000])
    get(target, f"{site.url}/m")
    assert site.requests == [("/m", "bytes=1000-")]
    assert target.read_bytes() == CONTENT


def test_a_whole_part_needs_no_request(site, target: Path) -> None:
    target.parent.mkdir()
    part(target).write_bytes(CONTENT)
    get(target, f"{site.url}/m")
    assert site.requests == []
    assert target.read_bytes() == CONTENT


def test_a_connection_that_breaks_is_taken_up_again(site, target: Path) -> None:
    site.files["/m"], site.cut = CONTENT, 400_000
    get(target, f"{site.url}/m")
    assert [wanted for _, wanted in site.requests] == [None, "bytes=400000-", "bytes=800000-"]
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(site, target: Path) -> None:
    site.files["/m"], site.ranges = CONTENT, False
    target.parent.mkdir()
    part(target).write_bytes(b"x" * 1000)
    get(target, f"{site.url}/m")
    assert target.read_bytes() == CONTENT


def test_gives_up_where_nothing_more_comes_and_keeps_the_part(site, target: Path) -> None:
    site.files["/m"], site.ranges, site.cut = CONTENT, False, 400_000
    with pytest.raises(ModelError, match="ended after 400000 of 1024000 bytes"):
        get(target, f"{site.url}/m")
    assert not target.exists()
    site.ranges, site.cut, site.requests = True, None, []
    get(target, f"{site.url}/m")
    assert site.requests == [("/m", "bytes=400000-")]
    assert target.read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_the_next_mirror_asked(site, target: Path) -> None:
    site.files = {"/wrong": CONTENT[::-1], "/right": CONTENT}
    get(target, f"{site.url}/absent", f"{site.url}/wrong", f"{site.url}/right")
    assert target.read_bytes() == CONTENT


def test_a_wrong_file_everywhere(site, target: Path) -> None:
    site.files = {"/wrong": CONTENT[::-1]}
    with pytest.raises(ModelError) as caught:
        get(target, f"{site.url}/absent", f"{site.url}/wrong")
    assert "absent: HTTP 404" in str(caught.value)
    assert "wrong: not the file it should be (SHA-256 differs)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_a_bad_part_is_dropped_and_fetched_anew(site, target: Path) -> None:
    site.files["/m"] = CONTENT
    target.parent.mkdir()
    part(target).write_bytes(b"x" * 1000)
    get(target, f"{site.url}/m")
    assert [wanted for _, wanted in site.requests] == ["bytes=1000-", None]
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_dropped(site, target: Path) -> None:
    site.files["/m"] = CONTENT
    target.parent.mkdir()
    part(target).write_bytes(CONTENT + b"x")
    get(target, f"{site.url}/m")
    assert target.read_bytes() == CONTENT


def test_a_server_that_sends_too_much_is_cut_off(site, target: Path) -> None:
    site.files["/m"] = CONTENT + b"x" * 10_000_000
    get(target, f"{site.url}/m")
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("http://127.0.0.1:1/m", "refused"),
        ("http://", "no host given"),
    ],
)
def test_addresses_that_do_not_work(target: Path, url: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        get(target, url)


def test_no_address(target: Path) -> None:
    with pytest.raises(ModelError, match="no address is known"):
        get(target)


def test_a_folder_that_cannot_be(site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"cannot be written \(.*\); free space or set IMGEN_HOME"):
        get(tmp_path / "file" / "model.onnx", f"{site.url}/m")


def test_a_silent_server_is_not_waited_for_for_ever(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(download, "_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ModelError, match="timed out"):
        get(target, f"http://127.0.0.1:{server.getsockname()[1]}/m")
