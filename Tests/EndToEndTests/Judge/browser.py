"""Drives a report in a real Chromium, headless: keys, views, labels, contrast, network, smoothness.

browser.py CHROMIUM PAGE [--repeat N] [--picture FILE] [--keys a,b,...] [--width W] [--height H] [--full]

Prints what it measured as JSON; exits with 1 and says why where something is not as it should be. --repeat makes a
page of N slices out of PAGE's, each a block of its own, and measures that. Standard library only: it talks to the
browser through the pipe of --remote-debugging-pipe.
"""

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, program, profile):
        read_in, write_in = os.pipe()
        read_out, write_out = os.pipe()

        def wire():
            os.dup2(os.dup(read_in), 3)
            os.dup2(os.dup(write_out), 4)

        # Both ends must not be 3 or 4 already when the child moves them there.
        read_in, write_out = [os.dup2(fd, fd + 60) for fd in (read_in, write_out)]
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
             f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_in), os.close(write_out)
        self.writer, self.reader = write_in, os.fdopen(read_out, "rb", buffering=0)
        self.number, self.buffer, self.events, self.session = 0, b"", [], None

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer.get("result", {})
            self.events.append(answer)

    def receive(self):
        while b"\0" not in self.buffer:
            piece = self.reader.read(1 << 20)
            if not piece:
                raise RuntimeError("the browser is gone")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def open(self, url, width, height):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)
        deadline = time.time() + 120
        while self.ask("document.readyState") != "complete" and time.time() < deadline:
            time.sleep(0.1)

    def ask(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def press(self, key):
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "PageUp": 33, "PageDown": 34,
                 "End": 35, "Home": 36, "Escape": 27, "Tab": 9}
        text = {} if key in codes else {"text": key}
        code = codes.get(key, ord(key[0].upper()))
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def settled(self, expression, is_there):
        """What an expression is, once it is as wanted or a minute has passed: a busy machine draws late."""
        deadline = time.time() + 60
        while True:
            found = self.ask(expression)
            if is_there(found) or time.time() > deadline:
                return found
            time.sleep(0.02)

    def shown(self, wanted):
        return self.settled("Number(document.body.dataset.shown || 0)", lambda found: found == wanted)

    def picture(self, path, full):
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        except (RuntimeError, BrokenPipeError):
            pass
        self.process.wait(timeout=30)


CONTRAST = r"""(() => {
  const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length && (colour.length < 4 || colour[3] > 0.6)) return colour;
    }
    return [255, 255, 255];
  };
  for (const details of document.querySelectorAll('details')) details.open = true;
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    if (node.closest('svg, script, style, dialog:not([open])') || !node.checkVisibility()) continue;
    if (![...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim())) continue;
    const a = light(parse(getComputedStyle(node).color)), b = light(ground(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, node.tagName + '.' + node.className + ': ' + node.textContent.trim().slice(0, 40)]);
  }
  for (const details of document.querySelectorAll('details')) details.open = false;
  found.sort((a, b) => a[0] - b[0]);
  return { texts: found.length, least: found[0][0], which: found[0][1] };
})()"""

# One slice a frame, as fast as the screen shows them: how long each frame took beside those of the same page at rest,
# how much of it was the page's own work, and how often the slice asked for was not yet the one drawn.
SMOOTH = """(async () => {
  const press = key => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  const real = window.requestAnimationFrame.bind(window), frame = () => new Promise(resolve => real(resolve));
  let spent = 0;
  const timed = body => (...values) => {
    const began = performance.now();
    body(...values);
    spent += performance.now() - began;
  };
  window.requestAnimationFrame = body => real(timed(body));
  const median = values => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  press('Home');
  const rest = [], work = [];
  for (let i = 0, last = await frame(); i < 60; i++) {
    const now = await frame();
    rest.push(now - last);
    last = now;
  }
  const times = [], total = Number(document.getElementById('slider').max);
  let late = 0, last = await frame();
  for (let i = 1; i < Math.min(total, 601); i++) {
    spent = 0;
    timed(press)('ArrowRight');
    const now = await frame();
    await new Promise(resolve => setTimeout(resolve));
    if (Number(document.body.dataset.shown) < i) late++;
    times.push(now - last);
    work.push(spent);
    last = now;
  }
  window.requestAnimationFrame = real;
  times.sort((a, b) => a - b);
  const at = part => times[Math.floor(part * (times.length - 1))];
  return { frames: times.length, median_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), longest_ms: at(1), late,
    at_rest_ms: median(rest), work_ms: median(work) };
})()"""


def repeated(page, count, folder):
    """A page of `count` slices: those of `page` over and over, each with a block of pictures of its own."""
    text = open(page, encoding="utf-8").read()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    blocks = re.findall(r'id="slice-\d+">(.*?)</script>', text, re.S)
    slices, origins = data["slices"], data["origins"]
    data["slices"] = [dict(slices[i % len(slices)], index=i) for i in range(count)]
    data["origins"] = [origins[i % len(origins)] for i in range(count)]
    tail = text[text.rindex('id="slice-'):]
    tail = tail[tail.index("</script>") + len("</script>"):]
    path = os.path.join(folder, "repeated.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:text.index('<script type="application/json"')])
        file.write('<script type="application/json" id="data">' + json.dumps(data).replace("<", "\\u003c") + "</script>\n")
        for i in range(count):
            file.write(f'<script type="text/plain" id="slice-{i}">{blocks[i % len(blocks)]}</script>\n')
        file.write(tail)
    return path


def check_keys(browser, count, expect):
    for key, wanted in [("Home", 1), ("ArrowRight", 2), ("ArrowDown", 3), ("ArrowLeft", 2), ("ArrowUp", 1),
                        ("ArrowUp", 1), ("End", count), ("ArrowRight", count), ("PageUp", max(1, count - 10)),
                        ("PageDown", count), ("Home", 1)]:
        browser.press(key)
        shown = browser.shown(wanted)
        expect(shown == wanted, f"{key} shows slice {wanted}, not {shown}")
    picture = "document.getElementById('picture').toDataURL()"
    views = browser.ask("[...document.querySelectorAll('[data-view]')].map(b => b.dataset.view)")
    drawn = set()
    for digit, view in enumerate(views, 1):
        browser.press(str(digit))
        pressed = browser.settled("document.querySelector('[aria-pressed=true]').dataset.view", view.__eq__)
        expect(pressed == view, f"{digit} shows {view}, not {pressed}")
        browser.settled("document.body.dataset.drawn", view.__eq__)
        drawn.add(browser.ask(picture))
    expect(len(drawn) >= len(views) - 1, "views look different")
    if "fixed" in views:
        browser.press("1")
        browser.settled("document.body.dataset.drawn", "fixed".__eq__)
        before = browser.ask(picture)
        for key in "gm":
            browser.press(key)
            expect(browser.settled(picture, before.__ne__) != before, f"{key} draws something")
            browser.press(key)
            expect(browser.settled(picture, before.__eq__) == before, f"{key} again takes it away")
    browser.press("?")
    expect(browser.settled("document.getElementById('keys').open", bool), "? opens the list of keys")
    browser.press("Escape")
    expect(not browser.settled("document.getElementById('keys').open", lambda open: not open), "Escape closes it")


def check_labels(browser, expect):
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    asked = {"button", "slider", "checkbox", "img", "image", "link", "region", "dialog", "table"}
    nodes = [node for node in tree if node.get("role", {}).get("value") in asked and not node.get("ignored")]
    nameless = [node["role"]["value"] for node in nodes if not node.get("name", {}).get("value")]
    expect(not nameless, f"everything a reader can reach has a name; these do not: {nameless}")
    expect(browser.ask("document.documentElement.lang") == "en", "the language is declared")
    expect(browser.ask("document.querySelectorAll('h1').length") == 1, "one main heading")
    return len(nodes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("page")
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--picture")
    parser.add_argument("--keys", default="")
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--height", type=int, default=1000)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    problems = []

    def expect(holds, what):
        if not holds:
            problems.append(what)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = repeated(options.page, options.repeat, folder) if options.repeat else os.path.abspath(options.page)
        browser = Browser(options.program, folder)
        result = {"bytes": os.path.getsize(page)}
        try:
            began = time.time()
            browser.open("file://" + page, options.width, options.height)
            result["loaded_s"] = round(time.time() - began, 2)
            if options.picture:
                for key in filter(None, options.keys.split(",")):
                    browser.press(key)
                    time.sleep(0.3)
                browser.picture(options.picture, options.full)
            else:
                if browser.ask("!!document.getElementById('slider')"):
                    check_keys(browser, int(browser.ask("document.getElementById('slider').max")), expect)
                    result["scrolling"] = browser.ask(SMOOTH)
                result["named"] = check_labels(browser, expect)
                result["contrast"] = browser.ask(CONTRAST)
                expect(result["contrast"]["least"] >= 4.5, f"contrast is at least 4.5: {result['contrast']}")
        finally:
            browser.close()
        for event in browser.events:
            name, params = event.get("method"), event.get("params", {})
            url = params.get("request", {}).get("url", "")
            if name == "Network.requestWillBeSent" and not url.startswith(("file:", "data:", "blob:")):
                problems.append(f"the page asks the network for {url}")
            if name == "Runtime.exceptionThrown":
                problems.append(json.dumps(params)[:800])
            if name == "Log.entryAdded" and params["entry"]["level"] == "error":
                problems.append(params["entry"]["text"])
    print(json.dumps(result | {"problems": problems}, indent=1))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
