"""The page in a real browser: what a reader sees, sorts and scrolls. Chromium is Debian's package (see .ci/run)."""

import json
import re
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.reporting.report.write import write_report

WIDTHS = (390, 1400)
PROBE = """
<script>
const frames = [...document.querySelectorAll("iframe")], all = [];
frames.forEach((frame) => frame.addEventListener("load", async (event) => {
  const page = event.target.contentDocument, seen = {};
  const rows = () => [...page.querySelector("#T_table2").tBodies[0].rows];
  const column = () => rows().map((row) => row.cells[2].innerText.split("\\n")[0]);
  const heading = page.querySelectorAll("#T_table2 thead tr:last-child th")[2];
  const button = heading.querySelector("button");
  seen.before = column();
  button.click();
  seen.up = column();
  seen.sort = heading.getAttribute("aria-sort");
  button.click();
  seen.down = column();
  button.focus();
  seen.focus = page.activeElement === button;
  seen.overflow = page.documentElement.scrollWidth - page.documentElement.clientWidth;
  seen.width = page.documentElement.clientWidth;
  seen.images = [...page.images].map((image) => image.complete && image.naturalWidth > 0);
  seen.charts = [...page.querySelectorAll("svg.chart")].filter((svg) => svg.getBoundingClientRect().width > 250).length;
  seen.paper = page.querySelectorAll("#T_table2 tbody td.paper").length;
  seen.sizes = [...page.querySelectorAll("th, td, p, summary")].map((e) => parseFloat(getComputedStyle(e).fontSize));
  page.querySelectorAll("details.block").forEach((block) => { block.open = true; });
  const plots = [...page.querySelectorAll(".plot")];
  const drawn = () => plots.filter((plot) => plot.querySelector(".main-svg"));
  while (drawn().length < plots.length) await new Promise((resolve) => setTimeout(resolve, 20));
  seen.plots = drawn().length;
  seen.open_overflow = page.documentElement.scrollWidth - page.documentElement.clientWidth;
  all.push(seen);
  if (all.length < frames.length) return;
  document.querySelector("img").src = "data:,";
  document.body.innerHTML = "<pre id=seen></pre>";
  document.getElementById("seen").textContent = JSON.stringify(all);
}));
</script>
"""


@pytest.fixture(scope="module")
def report(make_run_in: Callable[..., Path], storage: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on every kind of material."""
    folder = tmp_path_factory.mktemp("report")
    runs = folder / "runs"
    make_run = partial(make_run_in, runs)
    for i, (model, wing) in enumerate((("C-1", 1.4), ("C-2", 11.0), ("R-1", 2.5), ("A-1", None))):
        make_run(f"s{i}", model, wing=wing or 1.0, parameters=10_000 * (i + 1), **({} if wing else {"test/wing": None}))
    make_run("c_again", "C-1", seed=1, wing=1.6, parameters=10_000)
    make_run("e", "A-1", ensemble=3)
    make_run("v", "A-1", ablation="layers_removed", **{"stem.depth": 2})
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 180, 3), dtype=np.uint8))
    for picture in ("s0/figures/overlays_best", "s0/figures/overlays_median", "s0/figures/overlays_worst"):
        (runs / picture).parent.mkdir(exist_ok=True)
        pixels.save(runs / f"{picture}.png")
    (runs / "more").mkdir()
    for name in ("montage.png", "last.png"):
        pixels.save(runs / "more" / name)
    shown = {
        "model_id": "A-1",
        "layer": "last",
        "channels": [0],
        "form": "plain",
        "what": "channels",
        "figure": "last.png",
    }
    (runs / "more" / "visualize.json").write_text(json.dumps(shown))
    return write_report([runs], folder / "report", studies=storage)


def look(dump_dom: Callable[..., str], page: Path) -> list[dict[str, Any]]:
    """What browsers of these widths show; in frames, because Chromium's window can't be narrower than 500 pixels.

    The browser waits for an image that never comes, until the charts are drawn and the probe takes the image away.
    """
    frame = page.with_name("frame.html")
    frames = (f'<iframe src="{page.name}" style="width:{width}px;height:7000px;border:0"></iframe>' for width in WIDTHS)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        frame.write_text(f'{"".join(frames)}<img src="http://127.0.0.1:{silent.getsockname()[1]}">{PROBE}')
        window = f"--window-size={sum(WIDTHS) + 100},7000"
        shown = dump_dom(frame.as_uri(), "--hide-scrollbars", "--allow-file-access-from-files", window)
    found = re.search(r'<pre id="seen">(.*?)</pre>', shown)
    assert found, shown[-2000:]
    seen: list[dict[str, Any]] = json.loads(found[1])
    return seen


def test_the_page_sorts_and_fits_a_phone_and_a_desk(report: Path, dump_dom: Callable[..., str]) -> None:
    looks = look(dump_dom, report)
    assert sorted(seen["width"] for seen in looks) == [*WIDTHS]
    for seen in looks:
        assert seen["overflow"] == 0
        assert seen["before"] == ["1.500", "11.000", "2.500", "–"]
        assert (seen["up"], seen["sort"]) == (["1.500", "2.500", "11.000", "–"], "ascending")
        assert seen["down"] == ["11.000", "2.500", "1.500", "–"]
        assert seen["focus"]
        assert seen["images"] == [True] * 5
        assert seen["charts"] == 4
        assert seen["plots"] == 2 * 4
        assert seen["open_overflow"] == 0
        assert seen["paper"] == 4 * 4
        assert min(seen["sizes"]) > 11


def test_the_page_needs_no_network_and_no_other_file(report: Path) -> None:
    page = report.read_text()
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert len(page) < 3_000_000


def test_markdown_names_files_that_are_there_and_csv_has_every_table(report: Path) -> None:
    markdown = report.with_suffix(".md").read_text()
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", markdown)
    assert len(pictures) == 4 + 2 * 4 + 3 + 1 + 1
    assert all((report.parent / picture).is_file() for picture in pictures)
    tables = {path.stem for path in (report.parent / "tables").iterdir()}
    assert tables == {"table1", "table2", "table3", "table5", "runs"}
    assert "± " in markdown
    assert "different data, not comparable" in markdown


def test_empty_sections_name_their_command(report: Path) -> None:
    page = report.read_text()
    missing = page[page.index('<section id="missing">') :]
    assert "experiment=ablation/no_rotation" in missing
    assert "evaluate.py" in missing
    assert "visualize.py" not in missing
    assert 'id="no_rotation"' not in page


def test_settings_cannot_write_html(make_run: Callable[..., Path], tmp_path: Path) -> None:
    make_run("a", "A-1", scheme="<b>six</b>")
    page = write_report([tmp_path / "runs"], tmp_path / "report", studies=None, augmentation_samples=0).read_text()
    assert "<b>six" not in page
    assert "&lt;b&gt;six" in page


def test_settings_cannot_write_html_or_links_into_markdown(make_run: Callable[..., Path], tmp_path: Path) -> None:
    make_run("a", "A-1", scheme="=<img src=x>&lt;`[six](http://x)")
    write_report([tmp_path / "runs"], tmp_path / "report", studies=None, augmentation_samples=0)
    markdown = (tmp_path / "report/report.md").read_text(encoding="utf-8")
    outside_code = re.sub(r"^`.*`$", "", markdown, flags=re.MULTILINE)
    assert "<img" not in outside_code
    assert r"=&lt;img src=x>&amp;lt;\`\[six\](http://x)" in outside_code


def test_nothing_to_report_on_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no metrics\.json below runs="):
        write_report([tmp_path], tmp_path / "report", studies=None)
