"""A headless Chromium that is told what to do through a pair of pipes, so nothing but the browser is needed."""

import base64
import fcntl
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SECONDS = 60  # for any one answer


class Browser:
    """One page. Its messages are those of the DevTools protocol, each ended by a zero byte."""

    def __init__(self, program: str, folder: Path) -> None:
        to_browser, self._write = map(_high, os.pipe())
        self._read, from_browser = map(_high, os.pipe())
        words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        words += [f"--user-data-dir={folder}", "--window-size=700,760", "--remote-debugging-pipe", "about:blank"]
        # The browser reads its file 3 and writes its file 4, whatever their numbers are here.
        script = f"import os; os.dup2({to_browser}, 3); os.dup2({from_browser}, 4); os.execvp({program!r}, {words!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", script],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers, self._rest, self._session = itertools.count(1), b"", ""
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._write)
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._read)

    def ask(self, method: str, **words: Any) -> dict[str, Any]:
        """The browser's answer to a message."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps({"id": number, "method": method, "params": words, **session}).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                more = os.read(self._read, 1 << 20)
                assert more, "the browser has gone"
                self._rest += more
            message, self._rest = self._rest.split(b"\0", 1)
            answer = json.loads(message)
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def value(self, script: str) -> Any:
        """What an expression is worth in the page."""
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, (script, result["exceptionDetails"])
        return result["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Until an expression holds in the page."""
        end = time.monotonic() + SECONDS
        while not self.value(script):
            assert time.monotonic() < end, (script, self.value("document.body.innerText"))
            time.sleep(0.05)

    def choose_file(self, selector: str, path: Path) -> None:
        """As by the dialogue of a file input."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def drag(self, *points: tuple[float, float]) -> None:
        """The mouse pressed at the first point and released at the last; a single point is a click."""
        for kind, place in (("mousePressed", points[:1]), ("mouseMoved", points[1:]), ("mouseReleased", points[-1:])):
            for x, y in place:
                held = {"button": "left", "buttons": 1, "clickCount": 1}
                self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def screenshot(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot")["data"])


def _high(number: int) -> int:
    """The same file by a number above those that the browser wants."""
    copy = fcntl.fcntl(number, fcntl.F_DUPFD, 10)
    os.close(number)
    return copy
