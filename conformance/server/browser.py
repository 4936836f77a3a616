"""Chromium with the page open, over the WebDriver protocol that conformance/chromium.py speaks."""

import base64
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import chromium  # noqa: E402


class Page(chromium.Browser):
    """One browser window."""

    def open(self, url, width=1280, height=1000):
        self._call("POST", f"{self._session}/window/rect", {"width": width, "height": height})
        self._call("POST", f"{self._session}/url", {"url": url})

    def run(self, script, *arguments):
        """Runs a script in the page and returns what it returns."""
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """Runs the body of an async function, and returns what that returns or throws."""
        wrapped = "const done = arguments[arguments.length - 1]; (async (...args) => {" + script + "})(...arguments)" \
            ".then((value) => done({value}), (error) => done({error: String(error)}))"
        outcome = self._call("POST", f"{self._session}/execute/async", {"script": wrapped, "args": list(arguments)})
        assert "error" not in outcome, outcome["error"]
        return outcome["value"]

    def press(self, *keys):
        """Presses keys one after another, where the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", f"{self._session}/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def drag(self, element_script, start, end):
        """Drags the mouse over an element, from one share of its width to another."""
        box = self.run(f"const box = ({element_script}).getBoundingClientRect(); return [box.x, box.y, box.width, box.height]")
        at = lambda share: {"type": "pointerMove", "x": round(box[0] + share * box[2]), "y": round(box[1] + box[3] / 2), "duration": 50}
        steps = [at(start), {"type": "pointerDown", "button": 0}, at((start + end) / 2), at(end), {"type": "pointerUp", "button": 0}]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        self._call("POST", f"{self._session}/actions", {"actions": [mouse]})

    def emulate(self, **features):
        """Media features, such as prefers-color-scheme."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        body = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": listed}}
        self._call("POST", f"{self._session}/goog/cdp/execute", body)

    def console(self):
        """Errors of the page, and of loading what it wants."""
        return [entry["message"] for entry in self._call("POST", f"{self._session}/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self._call("GET", f"{self._session}/screenshot")))
