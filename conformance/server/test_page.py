"""The page for people, in Chromium: streams, time line, range, video by ranges, download, sign-in, keyboard."""

import os
import pathlib

import pytest
from browser import Page
from conftest import END, START
from harness import TESTDATA, Archive, Server
from test_signatures import KEYS, KEY, OTHER, SECRET

SHOTS = pathlib.Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None

RIGHT, LEFT, HOME, ENTER, TAB = "\ue014", "\ue012", "\ue011", "\ue007", "\ue004"


@pytest.fixture(scope="module")
def browser():
    page = Page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def archive():
    archive = Archive()
    archive.run("import", "--stream", "front-door", TESTDATA / "h264_aac.mkv")
    archive.run("import", "--stream", "with-gaps", TESTDATA / "h264_gaps.mkv")
    archive.run("import", "--stream", "garden", "--retention", "87600", TESTDATA / "h265_aac.mkv")
    yield archive
    archive.close()


@pytest.fixture(scope="module")
def server(archive):
    server = Server(archive)
    yield server
    assert server.stop() == 0


def shot(browser, name):
    if SHOTS:
        browser.screenshot(SHOTS / f"{name}.png")


def until(browser, condition, seconds=10):
    """Waits until a condition in the page holds."""
    script = f"""
        const deadline = performance.now() + {seconds * 1000};
        while (!({condition})) {{
            if (performance.now() > deadline) throw new Error({condition!r} + ' within {seconds} s; ' + document.getElementById('failure').textContent);
            await new Promise((resolve) => setTimeout(resolve, 50));
        }}
    """
    browser.run_async(script)


def text(browser, selector):
    return browser.run("return document.querySelector(arguments[0]).innerText", selector)


def open_stream(browser, server, name):
    browser.open(f"{server.url}/#{name}")
    browser.run("location.reload()")
    until(browser, f"document.getElementById('stream-title').textContent === {name!r}")
    until(browser, "document.querySelectorAll('#spans li').length > 0")


def test_streams_and_time_line(browser, server):
    open_stream(browser, server, "front-door")
    assert text(browser, "#streams").split() == ["front-door", "garden", "with-gaps"]
    assert browser.run("return document.querySelector('#streams [aria-current=true]').textContent") == "front-door"
    assert "kept for ever" in text(browser, "#stream-facts")
    assert "recorded, 0 gaps" in text(browser, "#line-text")
    shot(browser, "stream")
    open_stream(browser, server, "with-gaps")
    browser.run("document.getElementById('spans-details').open = true")
    gaps = browser.run("return document.querySelectorAll('#spans li').length") - 1
    assert gaps > 0 and f"{gaps} gap" in text(browser, "#line-text")
    shot(browser, "gaps")


def test_zoom_from_a_year_to_a_second(browser, server):
    open_stream(browser, server, "front-door")
    browser.run("document.getElementById('utc').click()")
    for name, length in (("Year", 31557600000), ("Day", 86400000), ("Hour", 3600000), ("Minute", 60000), ("Second", 1000)):
        browser.run("document.querySelector(`[data-view='${arguments[0]}']`).click()", str(length))
        until(browser, f"Math.round(view.end - view.start) === {length}")
        until(browser, "loaded && loaded.start <= view.start && loaded.end >= view.end && loading > 0")
        # The pixels of the canvas show media where there is some.
        until(browser, """(() => {
            const canvas = document.getElementById('line'), context = canvas.getContext('2d');
            const row = context.getImageData(0, Math.round(canvas.height * 0.6), canvas.width, 1).data;
            for (let i = 0; i < row.length; i += 4) if (row[i + 1] > row[i] + 20 && row[i + 3] > 0) return true;
            return false;
        })()""")
        # Ten seconds are recorded: up to a day, that is what it says.
        recorded = {"Year": "at most ", "Second": "1 s recorded"}.get(name, ": 10 s recorded")
        until(browser, f"document.getElementById('line-text').textContent.includes({recorded!r})")
        shot(browser, f"zoom-{name.lower()}")
    browser.run("document.querySelector(\"[data-view='fit']\").click()")
    until(browser, "view.end - view.start > 5000 && view.end - view.start < 60000")


def test_play_and_seek_by_ranges(browser, server):
    open_stream(browser, server, "front-door")
    browser.run("document.getElementById('start').value = arguments[0]; document.getElementById('end').value = arguments[1]", str(START), str(END))
    browser.run("document.getElementById('play').click()")
    until(browser, "document.getElementById('video').readyState >= 1", 20)
    seen = browser.run_async("""
        const video = document.getElementById('video');
        const duration = video.duration, times = [];
        for (const second of [8.5, 2.5, 9.5]) {
            const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, {once: true}));
            video.currentTime = second;
            await seeked;
            times.push(video.currentTime);
        }
        return [duration, times, video.videoWidth, video.videoHeight, video.error && video.error.message];
    """)
    assert abs(seen[0] - 10) < 0.1 and seen[1] == [8.5, 2.5, 9.5] and seen[2:] == [320, 180, None]
    assert "5 of 5 listed" in text(browser, "#report")
    shot(browser, "playing")
    # By ranges: the log of the server has partial responses for the file.
    assert any("ClipFile" in line and "status=206" in line for line in server.log)


def test_choose_by_mouse_and_list(browser, server):
    open_stream(browser, server, "front-door")
    until(browser, "view.end - view.start < 60000")
    start, end = browser.run("return [view.start, view.end]")
    browser.drag("document.getElementById('line')", 0.25, 0.75)
    chosen = browser.run("return [range.start, range.end]")
    for got, share in zip(chosen, (0.25, 0.75)):
        assert abs(got - (start + share * (end - start))) < (end - start) * 0.01
    assert browser.run("return parseTime(document.getElementById('start').value)") == chosen[0]
    browser.run("document.getElementById('spans-details').open = true; document.querySelector('#spans button').click()")
    assert browser.run("return range.start") == START * 1000
    shot(browser, "chosen")


def test_keyboard(browser, server):
    open_stream(browser, server, "front-door")
    browser.run("document.getElementById('line').focus()")
    before = browser.run("return [view.start, view.end]")
    browser.press("+")
    browser.press(RIGHT)
    after = browser.run("return [view.start, view.end]")
    assert round(after[1] - after[0]) == round((before[1] - before[0]) / 2) and after[0] > before[0]
    browser.press("s")
    middle = browser.run("return Math.round((view.start + view.end) / 2)")
    assert browser.run("return range.start") == middle
    browser.press(HOME)
    until(browser, f"Math.abs(view.start - {before[0]}) < 2")
    # Everything can be reached by Tab, and what has the focus shows it.
    browser.run("document.activeElement.blur(); document.body.focus()")
    reached = []
    for _ in range(40):
        browser.press(TAB)
        reached.append(browser.run("const at = document.activeElement; return at.id || at.dataset.view || at.textContent"))
    for id in ("filter", "front-door", "zoom-in", "line", "start", "end", "by", "play", "download", "copy"):
        assert id in reached, reached


def test_every_control_has_a_name(browser, server):
    open_stream(browser, server, "front-door")
    nameless = browser.run("""
        return Array.from(document.querySelectorAll('button, input, select, canvas, video, section, nav'))
            .filter((node) => !(node.labels && node.labels.length) && !node.getAttribute('aria-label') && !node.getAttribute('aria-labelledby') && !node.textContent.trim())
            .map((node) => node.outerHTML.slice(0, 80)).filter((html) => !html.startsWith('<video'));
    """)
    assert nameless == []
    assert browser.run("return document.documentElement.lang") == "en"


def test_contrast_in_light_and_dark(browser, server):
    """WCAG 2: 4.5 to 1 for text."""
    open_stream(browser, server, "front-door")
    for scheme in ("light", "dark"):
        browser.emulate(prefers_color_scheme=scheme)
        ratios = browser.run("""
            const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
            const color = (name) => {
                const probe = document.createElement('i');
                probe.style.color = `var(${name})`;
                document.body.append(probe);
                const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
                probe.remove();
                return luminance(parts);
            };
            const ratio = (a, b) => (Math.max(color(a), color(b)) + 0.05) / (Math.min(color(a), color(b)) + 0.05);
            return [['--text', '--card'], ['--text', '--page'], ['--muted', '--card'], ['--muted', '--page'], ['--accent', '--card'],
                    ['--on-accent', '--accent'], ['--failure', '--page']].map(([a, b]) => [a, b, ratio(a, b)]);
        """)
        assert [pair for pair in ratios if pair[2] < 4.5] == [], scheme
        shot(browser, scheme)
    browser.emulate(prefers_color_scheme="light")


def test_narrow(browser, server):
    open_stream(browser, server, "front-door")
    browser.open(f"{server.url}/#front-door", width=500)
    until(browser, "document.querySelectorAll('#spans li').length > 0")
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    shot(browser, "narrow")


def test_mistakes_are_shown(browser, server):
    open_stream(browser, server, "front-door")
    browser.run("document.getElementById('start').value = 'x'; document.getElementById('play').click()")
    until(browser, "!document.getElementById('failure').hidden")
    assert "Not a time: x" in text(browser, "#failure")
    browser.run("document.getElementById('start').value = '1'; document.getElementById('end').value = '2'; document.getElementById('play').click()")
    until(browser, "document.getElementById('failure').textContent.includes('No fragments found')")
    shot(browser, "failure")


def test_sign_in(browser, archive, tmp_path):
    file = tmp_path / "keys.toml"
    file.write_text(KEYS)
    server = Server(archive, "--credentials", str(file))
    browser.open(server.url)
    until(browser, "!document.getElementById('sign-in').hidden")
    shot(browser, "sign-in")

    def sign_in(key, secret):
        browser.run("document.getElementById('key').value = arguments[0]; document.getElementById('secret').value = arguments[1];"
                    "document.querySelector('#sign-in button').click()", key, secret)

    sign_in(KEY, "wrong")
    until(browser, "document.getElementById('failure').textContent.includes('not authorized')")
    sign_in("viewer", OTHER)
    until(browser, "document.getElementById('stream-title').textContent === 'front-door'")
    assert text(browser, "#streams").split() == ["front-door"]
    browser.run("document.getElementById('sign-out').click()")
    sign_in(KEY, SECRET)
    until(browser, "document.querySelectorAll('#streams li').length === 3")
    browser.run("document.getElementById('start').value = arguments[0]; document.getElementById('end').value = arguments[1]; document.getElementById('play').click()", str(START), str(END))
    until(browser, "document.getElementById('video').readyState >= 1", 20)
    assert browser.run("return sessionStorage.getItem('getclip-key').length") > 0
    # The secret is in no request.
    assert SECRET not in browser.run("return document.getElementById('video').src")
    server.stop()
    assert not any(SECRET in line for line in server.log)


def test_no_streams(browser):
    archive = Archive()
    server = Server(archive)
    browser.open(server.url)
    until(browser, "!document.getElementById('no-streams').hidden")
    shot(browser, "no-streams")
    server.stop()
    archive.close()
