"""Both reports in a browser: drawn, quiet and alone; by mouse, by keyboard, and on paper."""

import base64
import json
import re
import zlib
from itertools import pairwise

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = pytest.mark.browser

LOOKS = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (400, "light")}
PLOTS = {
    "session": {"spectra", "quality", "fit", "correlation", "course"},
    "study": {"course", "forest", "people", "quality"},
}
A4_INSIDE = 680  # width between the margins, in CSS pixels


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    """A headless browser that can reach nothing and keeps what it is asked for."""
    program, driver = chromium
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def show(browser, page, study_page):
    """Return a function that opens a report in one of its looks."""
    paths = {"session": page, "study": study_page}

    def opened(which, look="light"):
        width, scheme = LOOKS[look]
        emulate(browser, width, scheme)
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(paths[which].as_uri())
        done = "return document.documentElement.dataset.drawn === 'yes'"
        WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(done))
        return browser

    return opened


def emulate(browser, width, scheme, media=""):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def asked(browser):
    """Return the addresses that the page asked for."""
    messages = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
    sent = [one for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [one["params"]["request"]["url"] for one in sent]


def overflow(browser):
    return browser.execute_script("return document.documentElement.scrollWidth - innerWidth")


def drawn(browser, name):
    """Return how many lines and points a plot has."""
    script = (
        "return document.querySelectorAll(`#plot-${arguments[0]} svg.main-svg .trace, "
        "#plot-${arguments[0]} svg.main-svg .errorbar`).length"
    )
    return browser.execute_script(script, name)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("which", PLOTS)
def test_drawn_and_quiet_and_alone(show, which, look):
    browser = show(which, look)
    addresses = asked(browser)
    assert [one for one in addresses if not one.startswith(("file:", "data:", "blob:"))] == []
    assert sum(one.startswith("file:") for one in addresses) == 1
    assert browser.get_log("browser") == []
    there = browser.find_elements(By.CLASS_NAME, "plot")
    assert {one.get_attribute("id").removeprefix("plot-") for one in there} == PLOTS[which]
    assert all(drawn(browser, name) > 0 for name in PLOTS[which])
    assert overflow(browser) <= 0
    for plot in there:
        assert plot.size["width"] <= LOOKS[look][0]
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 22, 26)" if look == "dark" else "rgb(255, 255, 255)")


def test_keys_move_the_slider_and_the_spectrum(show):
    browser = show("session")
    curve = "return Array.from(document.getElementById('plot-spectra').data.at(-1).y)"
    before = browser.execute_script(curve)
    slider = browser.find_element(By.ID, "slider")
    slider.send_keys(*[Keys.ARROW_RIGHT] * 3)
    label = browser.find_element(By.ID, "slider-text").text
    assert label.startswith("4 of 12") and "left out" in label
    assert slider.get_attribute("aria-valuetext") == label
    assert browser.execute_script(curve) != before
    assert browser.get_log("browser") == []


def test_a_choice_changes_what_depends_on_it(show):
    browser = show("study")
    title = "return document.getElementById('plot-course').layout.annotations[0].text"
    assert browser.execute_script(title).startswith("Glx/tNAA")
    first, second = browser.find_elements(By.CLASS_NAME, "multiples")
    assert first.is_displayed() and not second.is_displayed()
    browser.find_element(By.ID, "metabolite").send_keys(Keys.ARROW_DOWN)
    assert browser.execute_script(title).startswith("Glu/tNAA")
    assert second.is_displayed() and not first.is_displayed()
    axis = "return document.getElementById('plot-people').layout.xaxis.title.text"
    assert browser.execute_script(axis).endswith("(%)")
    Select(browser.find_element(By.ID, "endpoint")).select_by_visible_text("auc")
    assert browser.execute_script(axis).endswith("(% min)")
    assert browser.get_log("browser") == []


def test_a_link_opens_the_report_of_a_session(show):
    browser = show("study")
    browser.find_element(By.LINK_TEXT, "sub-01 ses-01").click()
    WebDriverWait(browser, 60).until(lambda one: one.title == "MR spectroscopy session")


@pytest.mark.parametrize("which", PLOTS)
def test_hostile_strings_do_nothing(show, which):
    browser = show(which)
    assert browser.title == f"MR spectroscopy {which}"
    assert browser.find_elements(By.TAG_NAME, "img") == []


@pytest.mark.parametrize("which", PLOTS)
def test_keyboard_and_screen_reader(show, which):
    browser = show(which)
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the content" and skip.rect["x"] >= 0
    for landmark in ("header", "main", "footer", "h1"):
        assert len(browser.find_elements(By.TAG_NAME, landmark)) == 1
    unnamed = """
      const named = (one) => (one.getAttribute("aria-label") || "").length > 10;
      return [
        ...[...document.querySelectorAll("[role=img]")].filter((one) => !named(one)),
        ...[...document.querySelectorAll("table")].filter((one) => !one.caption ||
          [...one.querySelectorAll("th")].some((cell) => !cell.scope)),
        ...[...document.querySelectorAll("section")].filter((one) =>
          !document.getElementById(one.getAttribute("aria-labelledby"))),
        ...[...document.querySelectorAll("input, select")].filter((one) => !one.labels.length),
      ].map((one) => one.outerHTML.slice(0, 200));
    """
    assert browser.execute_script(unnamed) == []
    levels = browser.execute_script(
        "return [...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("which", PLOTS)
def test_text_stands_out_from_its_ground(show, which, look):
    """Contrast of at least 4.5, as WCAG 2.1 asks for."""
    browser = show(which, look)
    names = ["ink", "quiet", "accent", "alarm", "calm", "first", "second", "third", "fourth"]
    script = """
      const style = getComputedStyle(document.documentElement);
      return Object.fromEntries(arguments[0].map(
        (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    """
    colours = browser.execute_script(script, [*names, "page", "alarm-page", "calm-page"])

    def contrast(one, other):
        light = sorted(luminance(colours[name]) for name in (one, other))
        return (light[1] + 0.05) / (light[0] + 0.05)

    for name in names:
        # lines and points of figures need 3, text 4.5
        least = 3.0 if name in {"first", "second", "third", "fourth"} else 4.5
        assert contrast(name, "page") >= least, name
    assert contrast("alarm", "alarm-page") >= 4.5
    assert contrast("calm", "calm-page") >= 4.5


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contents(pdf):
    """Return what is drawn on each page of a PDF that Chromium made."""
    objects = dict(re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)endobj", pdf, flags=re.DOTALL))
    pages = [one for one in objects.values() if re.search(rb"/Type /Page\b(?!s)", one)]
    found = []
    for one in pages:
        stream = objects[re.search(rb"/Contents (\d+) 0 R", one)[1]]
        found.append(zlib.decompress(stream.split(b"stream\n", 1)[1]))
    return found


@pytest.mark.parametrize("which", PLOTS)
def test_on_paper(show, browser, which):
    """Printed from the dark: several pages, none of them empty, and everything is on them."""
    show(which, "dark")
    options = {"preferCSSPageSize": True, "printBackground": False}
    done = browser.execute_cdp_cmd("Page.printToPDF", options)
    drawn_on = contents(base64.b64decode(done["data"]))
    assert 3 <= len(drawn_on) <= 12
    assert all(len(page) > 1500 for page in drawn_on)
    assert browser.get_log("browser") == []
    emulate(browser, A4_INSIDE, "dark", media="print")
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    WebDriverWait(browser, 20).until(lambda one: overflow(one) <= 0)
    style = (
        "const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]"
    )
    assert browser.execute_script(style) == ["rgb(255, 255, 255)", "rgb(28, 28, 28)"]
    closed = browser.find_elements(By.CSS_SELECTOR, "details:not([open])")
    assert [one for one in closed if one.is_displayed()] == []


@pytest.mark.parametrize("which", PLOTS)
def test_figures_keep_their_place_when_the_window_changes(show, which):
    """A phone that is turned: each drawing as wide as its element, and no higher."""
    browser = show(which)
    measure = """
        return Array.from(document.querySelectorAll('.js-plotly-plot'))
            .filter((one) => one.clientWidth)
            .map((one) => {
                const inner = one.querySelector('.main-svg').getBoundingClientRect();
                return [one.clientWidth - inner.width, one.clientHeight - inner.height];
            });"""

    def fits(driver):
        sizes = driver.execute_script(measure)
        return all(abs(wide) < 2 and -2 < high < 40 for wide, high in sizes)

    for width in (400, 1280):
        emulate(browser, width, "light")
        WebDriverWait(browser, 20).until(fits, f"at {width} px")
