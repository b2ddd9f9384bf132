"""The page in a real browser: a photo is picked, a hole painted with the mouse, and filled."""

import base64
import functools
import importlib.util
import io
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.examples.browser import Browser
from tests.examples.conftest import Fill, Pictures

FOLDER = Path(__file__).parents[2] / "examples" / "web"


@pytest.fixture
def address(embedded: Path, tmp_path: Path, node_modules: Callable[..., Path]) -> Iterator[str]:
    """Where the page is, served as the example's own script does."""
    app = shutil.copytree(FOLDER, tmp_path / "app")
    (app / "node_modules").symlink_to(node_modules("onnxruntime-web"))
    shutil.copy(embedded, app / "inpaint.onnx")
    found = importlib.util.spec_from_file_location("serve", FOLDER / "serve.py")
    assert found
    assert found.loader
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)

    class Quiet(script.Handler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(app)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://localhost:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """An empty page."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium here")
    with Browser(program, tmp_path / "profile") as browser:
        yield browser


def canvas(browser: Browser, name: str) -> NDArray[np.uint8]:
    """The pixels of a canvas, H x W x 4."""
    url = browser.value(f"document.getElementById('{name}').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGBA"))


def place(browser: Browser, name: str, x: float, y: float) -> tuple[float, float]:
    """In the window, of a part of an element."""
    left, top, width, height = browser.value(
        f"(r => [r.x, r.y, r.width, r.height])(document.getElementById('{name}').getBoundingClientRect())"
    )
    return left + x * width, top + y * height


def test_a_painted_hole_is_filled_as_in_python(browser: Browser, address: str, pictures: Pictures, fill: Fill) -> None:
    browser.ask("Page.navigate", url=address)
    browser.wait_for("document.readyState == 'complete' && Boolean(document.getElementById('photo')?.onchange)")
    browser.choose_file("#photo", pictures.folder / "photo.png")
    browser.wait_for("!document.getElementById('fill').disabled")
    browser.drag(*(place(browser, "mask", part, part) for part in (0.4, 0.5, 0.6)))
    photo, painted = canvas(browser, "image")[..., :3], canvas(browser, "mask")[..., 3]
    assert np.array_equal(photo, pictures.photo)
    assert 0.1 < (painted > 127).mean() < 0.9
    browser.drag(place(browser, "fill", 0.5, 0.5))
    browser.wait_for("document.getElementById('said').value.startsWith('Filled')")
    filled = canvas(browser, "image")[..., :3].astype(int)
    assert np.abs(filled - fill(photo, painted)).max() <= 1
    assert not np.array_equal(filled, photo)
    assert not canvas(browser, "mask").any()
    assert Image.open(io.BytesIO(browser.screenshot())).size[0] > 600
