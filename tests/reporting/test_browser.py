"""The report in a browser: drawn, quiet, and alone."""

import json
import re
import subprocess

import pytest

pytestmark = pytest.mark.browser

OF_THE_BROWSER = ("google.com", "googleapis.com", "gvt1.com")  # it looks for its own updates
PROBE = """
<script>
window.addEventListener("load", () => setTimeout(() => {
  const slider = document.getElementById("slider");
  const curve = () => Array.from(document.getElementById("plot-spectra").data.at(-1).y);
  const first = curve();
  slider.value = 3;
  slider.dispatchEvent(new Event("input"));
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify({
    label: document.getElementById("slider-text").textContent,
    moved: curve().some((value, i) => value !== first[i]),
    title: document.title,
    drawn: Array.from(document.querySelectorAll(".plot")).map(
      (plot) => [plot.id, plot.querySelectorAll("svg.main-svg").length]),
    images: document.querySelectorAll("img").length,
    fetched: performance.getEntriesByType("resource").length,
    wide: document.documentElement.scrollWidth - window.innerWidth,
  });
  document.body.append(told);
}, 500));
</script>
"""


@pytest.fixture(scope="module", params=["1280,900", "500,900"])
def seen(request, chromium, page, tmp_path_factory):
    """Return what a browser found, its errors, and every host it asked."""
    folder = tmp_path_factory.mktemp("browser")
    probed = folder / "probed.html"
    text = page.read_text(encoding="utf-8")
    probed.write_text(text.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    log = folder / "net.json"
    done = subprocess.run(
        [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu",
            f"--user-data-dir={folder / 'profile'}", "--disable-background-networking",
            "--disable-component-update", "--no-first-run", "--enable-logging=stderr",
            f"--window-size={request.param}", "--virtual-time-budget=8000",
            f"--log-net-log={log}", "--dump-dom", probed.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert found, done.stderr
    told = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    asked = re.findall(r'"url":"(?:https?|wss?)://([^/"]+)', log.read_text(encoding="utf-8"))
    return told, console, {host for host in asked if not host.endswith(OF_THE_BROWSER)}


def test_drawn_without_an_error(seen):
    told, console, _ = seen
    assert console == []
    assert dict(told["drawn"]).keys() == {
        "plot-spectra", "plot-quality", "plot-fit", "plot-correlation", "plot-course"
    }  # fmt: skip
    assert all(count > 0 for _, count in told["drawn"])


def test_slider_moves_the_spectrum(seen):
    told, *_ = seen
    assert told["label"].startswith("4 of 12")
    assert told["moved"]


def test_hostile_strings_do_nothing(seen):
    told, *_ = seen
    assert told["title"] == "MR spectroscopy session"
    assert told["images"] == 0


def test_no_address_is_asked_for(seen):
    assert seen[2] == set()
    assert seen[0]["fetched"] == 0


def test_nothing_sticks_out_at_the_side(seen):
    assert seen[0]["wide"] <= 0
