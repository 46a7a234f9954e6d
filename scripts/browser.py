"""Opens pages of `wellfit report` in Chromium and uses them: numbers, pointing, keys, zoom, both themes, narrow and wide,
accessibility (axe), without scripts and without a network.

    pip install playwright axe-playwright-python      # the first is not to download a browser: Debian's chromium is used
    python scripts/browser.py RUN…                    # the directories of runs with report.html; a trial, a study or a comparison is a page
    python scripts/browser.py --shots FOLDER RUN…     # and pictures of the pages
"""

import argparse
import json
import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

SIZES = [(390, 844), (1440, 900)]
THEMES = ["light", "dark"]


class Failed(AssertionError):
    pass


def check(truth, what):
    if not truth:
        raise Failed(what)


def watched(context, page_file):
    """A tab with the page, and what went wrong in it."""
    tab, wrong = context.new_page(), []
    tab.on("console", lambda message: wrong.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    tab.on("request", lambda request: wrong.append(f"asks for {request.url}") if not request.url.startswith(("file:", "data:")) else None)
    tab.goto(page_file.resolve().as_uri())
    return tab, wrong


def epochs_of(run):
    """The epochs of a run; one that was trained again counts as it was recorded last."""
    rows = {}
    for line in (run / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event.get("event") == "epoch":
            rows[event["epoch"]] = event
    return [rows[epoch] for epoch in sorted(rows)]


def percent(share):
    return f"{100 * share:.1f} %"


def numbers(tab, run):
    """The page says what the record says."""
    evaluation = json.loads((run / "evaluation.json").read_text())
    check(tab.inner_text(".big") == percent(evaluation["accuracy"]), "the accuracy")
    low, high = evaluation["accuracy_interval_95"]
    check(f"{percent(low)} to {percent(high)}" in tab.inner_text(".interval"), "its interval")
    tab.locator("#curves details summary").click()
    rows = tab.locator("table.numbers tbody tr")
    epochs = epochs_of(run)
    check(rows.count() == len(epochs), f"{rows.count()} rows of {len(epochs)} epochs")
    last = rows.last.inner_text().split("\t")
    check(last[0].strip() == str(epochs[-1]["epoch"]) and f"{epochs[-1]['val_loss']:.4f}" in [cell.strip() for cell in last], f"{last}")


def reading(tab, run):
    """Pointing at a chart shows the values of that epoch, keys move on, dragging zooms, the log scale has no holes."""
    epochs = epochs_of(run)
    plot, readout = tab.locator("#chart-accuracy .plot"), tab.locator("#chart-accuracy .readout")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    tab.mouse.move(box["x"] + 56, box["y"] + box["height"] / 2)
    first = f"epoch {epochs[0]['epoch']}: training {percent(epochs[0]['train_accuracy'])}, validation {percent(epochs[0]['val_accuracy'])}"
    check(readout.inner_text().startswith(first), f"{readout.inner_text()!r}, not {first!r}")
    other = tab.locator("#chart-loss .readout").inner_text()
    check(f"validation {epochs[0]['val_loss']:.4f}" in other, f"the other charts show the same epoch: {other!r}")
    tab.mouse.move(0, 0)
    plot.focus()
    before = int(plot.get_attribute("aria-valuenow"))
    tab.keyboard.press("Home")
    check(plot.get_attribute("aria-valuenow") == str(epochs[0]["epoch"]), "Home")
    if len(epochs) > 1:
        tab.keyboard.press("ArrowRight")
        check(plot.get_attribute("aria-valuenow") == str(epochs[1]["epoch"]), "ArrowRight")
    check("validation" in plot.get_attribute("aria-valuetext"), "what a screen reader says")
    plot.blur()
    check(int(plot.get_attribute("aria-valuenow")) == before, "the best epoch again")
    if len(epochs) > 3:
        tab.mouse.move(box["x"] + 56, box["y"] + 100)
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100, steps=4)
        tab.mouse.up()
        whole = tab.locator("#chart-accuracy .whole")
        check(whole.is_visible(), "a way back from the zoom")
        whole.click()
        check(not whole.is_visible(), "all epochs again")
    log = tab.locator("#chart-loss .log")
    log.click()
    check(log.get_attribute("aria-pressed") == "true", "the log scale")
    check("NaN" not in tab.locator("#chart-loss svg").inner_html(), "a drawing without holes")
    log.click()


def accessible(tab, what):
    found = Axe().run(tab)
    problems = [f"{one['id']}: {one['nodes'][0]['html'][:120]} {one['nodes'][0].get('failureSummary', '')}" for one in found.response["violations"]]
    check(not problems, f"axe, {what}: " + "\n".join(problems))


def fits(tab, width):
    wide = tab.evaluate("document.documentElement.scrollWidth")
    check(wide <= width, f"{wide} pixels do not fit into {width}")


def without_scripts(browser, page_file):
    context = browser.new_context(java_script_enabled=False, offline=True, viewport={"width": 390, "height": 844})
    tab, wrong = watched(context, page_file)
    check(tab.locator("h1").is_visible(), "the heading without scripts")
    for chart in tab.locator(".chart").all():
        check(chart.locator("svg .line, svg circle").first.is_visible(), "curves without scripts")
        check(not chart.locator(".tools").is_visible(), "no buttons that do nothing")
    # A browser tells that it did not run the scripts.
    wrong = [one for one in wrong if "script" not in one.lower()]
    check(not wrong, wrong)
    context.close()


def try_page(browser, path, shots):
    run = path if path.is_dir() else None
    page_file = path / "report.html" if run else path
    check(page_file.stat().st_size <= 2 << 20, "at most 2 MB")
    is_run = run is not None and (run / "events.jsonl").exists()
    for width, height in SIZES:
        for theme in THEMES:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, offline=True)
            tab, wrong = watched(context, page_file)
            fits(tab, width)
            if shots:
                name = f"{path.resolve().name if run else path.stem}-{width}-{theme}.png"
                tab.screenshot(path=shots / name, full_page=True)
            accessible(tab, f"{page_file}, {width} pixels, {theme}")
            if is_run:
                numbers(tab, run)
                reading(tab, run)
                accessible(tab, f"{page_file}, {width} pixels, {theme}, in use")
            fits(tab, width)
            check(not wrong, wrong)
            context.close()
    without_scripts(browser, page_file)
    print(f"ok {page_file}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--shots", type=pathlib.Path)
    args = parser.parse_args()
    if args.shots:
        args.shots.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        for path in args.pages:
            try:
                try_page(browser, path, args.shots)
            except Failed as failed:
                sys.exit(f"{path}: {failed}")
        browser.close()


if __name__ == "__main__":
    main()
