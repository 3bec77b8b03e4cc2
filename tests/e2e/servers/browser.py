"""Chromium without a screen, driven over WebDriver (W3C), which is plain JSON over HTTP."""

import base64
import json
import os
import shutil
import tempfile

import httpx

from .ports import free_port
from .server import Server
from .waiting import wait_until

_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
          "--disable-sync", "--force-color-profile=srgb", "--hide-scrollbars", "--force-prefers-reduced-motion")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for a reference to an element
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Control": "\ue009", "Space": " "}


class Browser(Server):
    """One chromedriver with one window. `page` calls are made by script, keys are pressed as a person would."""

    def __init__(self, folder):
        super().__init__("browser", folder)
        self._port = free_port()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=30)
        self._profile = tempfile.mkdtemp(prefix="quire-browser-")

    def command(self):
        return ["chromedriver", f"--port={self._port}"]

    def ready(self):
        return self._client.get("/status").json()["value"]["ready"]

    def open(self, width=1280, height=900):
        options = {"args": [*_FLAGS, f"--user-data-dir={self._profile}", f"--window-size={width},{height}"]}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}
        answer = self._client.post("/session", json={"capabilities": wanted}).json()["value"]
        assert "sessionId" in answer, answer
        self._session = f"/session/{answer['sessionId']}"
        return self

    def close(self):
        self._client.delete(self._session)
        self.stop()
        self._client.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _post(self, path, **body):
        answer = self._client.post(self._session + path, json=body).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), f"{path}: {answer['error']}: {answer['message']}"
        return answer

    def _cdp(self, method, **parameters):
        return self._post("/goog/cdp/execute", cmd=method, params=parameters)

    def go(self, url):
        self._post("/url", url=url)

    def reload(self):
        self._post("/refresh")

    def run(self, script, *arguments):
        """What a function body answers in the page."""
        return self._post("/execute/sync", script=script, args=list(arguments))

    def until(self, script, *arguments, what="the page shows it"):
        return wait_until(lambda: self.run(script, *arguments), 10, what)

    def element(self, css):
        """A reference to it, once it is there."""
        return wait_until(lambda: self._post("/element", using="css selector", value=css)[_ELEMENT], 10, f"{css} is there")

    def click(self, css):
        element = self.element(css)
        self.run("arguments[0].scrollIntoView({block: 'center'})", {_ELEMENT: element})  # not below the page's header, which stays in sight
        self._post(f"/element/{element}/click")

    def write(self, css, text):
        """Replaces what stands in a field by typing."""
        element = self.element(css)
        self._post(f"/element/{element}/clear")
        self._post(f"/element/{element}/value", text=text)

    def press(self, *names):
        """Keys one after the other; "Control+Enter" holds the first."""
        actions = []
        for name in names:
            keys = [KEYS.get(part, part) for part in name.split("+")]
            actions += [{"type": "keyDown", "value": key} for key in keys] + [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self._post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def resize(self, width, height):
        """The page's own size: below what a window can have, too."""
        self._cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, scheme):
        self._cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def complaints(self):
        """What the page's console says at level warning or above since the last call; an answered refusal is none."""
        lines = self._post("/se/log", type="browser")
        return [line["message"] for line in lines if line["level"] in ("WARNING", "SEVERE") and "Failed to load resource" not in line["message"]]

    def requests(self):
        """The URLs that were asked for over the network since the last call."""
        events = [json.loads(line["message"])["message"] for line in self._post("/se/log", type="performance")]
        urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if url.startswith(("http:", "https:", "ws:", "wss:"))]  # the browser's own pages are chrome:

    def picture(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._client.get(self._session + "/screenshot").json()["value"]))
