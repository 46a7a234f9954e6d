"""Opens the pages of `wellfit watch` in Chromium while runs go on: the list and its curves, the page of a run that grows, a run that
is killed and resumed, both buttons; console, accessibility, both widths.

    python scripts/browser_live.py WELLFIT [--shots FOLDER]     # see browser.py for what it needs
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

from browser import SIZES, Failed, accessible, check, fits
from playwright.sync_api import expect, sync_playwright

OPTIONS = ["--model", "mlp", "--epochs", "100000", "--batch-size", "8", "--lr", "0.01", "--schedule", "constant", "--quiet"]
LIMIT = 60_000


def events(run):
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def opened(browser, url, width, height, theme):
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    tab, wrong = context.new_page(), []
    tab.set_default_timeout(LIMIT)
    tab.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("request", lambda request: wrong.append(request.url) if not request.url.startswith((url, "data:")) else None)
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.goto(url)
    return tab, wrong


def rows(tab):
    return tab.locator("table.numbers tbody tr").count()


def use(browser, wellfit, folder, url, shots):
    train = [wellfit, "train", "sample", "--out", folder / "live", *OPTIONS]
    training = subprocess.Popen(train)
    tab, wrong = opened(browser, url, *SIZES[1], "light")
    row = tab.locator("#runs tr").first
    expect(row.locator("th")).to_have_text("live", timeout=LIMIT)
    expect(row.locator("td").first).to_have_text("running", timeout=LIMIT)
    expect(row.locator("svg.spark path")).to_be_attached(timeout=LIMIT)
    row.locator("a").click()
    state = tab.locator("#state")
    expect(state).to_contain_text("running, epoch", timeout=LIMIT)
    expect(tab.locator("#chart-accuracy svg .line").first).to_be_visible(timeout=LIMIT)
    tab.locator("#curves details summary").click()
    before = rows(tab)
    tab.wait_for_function("(n) => document.querySelectorAll('table.numbers tbody tr').length > n", arg=before)
    check(tab.locator("#curves details").evaluate("one => one.open"), "what is open stays open")
    accessible(tab, "the page of a run that goes on")
    if shots:
        tab.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        tab.screenshot(path=shots / "watch-run-1440-light.png")
    # A kill and a resumption.
    training.kill()
    training.wait()
    expect(state).to_contain_text("interrupted", timeout=LIMIT)
    expect(tab.locator("#stop")).to_be_hidden()
    training = subprocess.Popen([wellfit, "resume", folder / "live", "--quiet"])
    expect(state).to_contain_text("running", timeout=LIMIT)
    expect(tab.locator("#details")).to_contain_text("resumed from", timeout=LIMIT)
    # Both buttons.
    tab.locator("#lower").click()
    expect(tab.locator("#details")).to_contain_text("asked to lower the rate", timeout=LIMIT)
    tab.locator("#stop").click()
    expect(state).to_contain_text("callback", timeout=LIMIT)
    check(training.wait(60) == 0, "a run that is stopped ends well")
    asked = [event["request"]["action"] for event in events(folder / "live") if event["event"] == "requested"]
    check(asked == ["lower_rate", "stop"], f"{asked}")
    check(not wrong, wrong)
    for width, height in SIZES:
        for theme in ("light", "dark"):
            tab, wrong = opened(browser, url, width, height, theme)
            expect(tab.locator("#runs tr").first).to_be_visible(timeout=LIMIT)
            fits(tab, width)
            accessible(tab, f"the list, {width} pixels, {theme}")
            if shots:
                tab.screenshot(path=shots / f"watch-list-{width}-{theme}.png")
            tab.locator("#runs a").first.click()
            expect(tab.locator("#state")).to_contain_text("callback", timeout=LIMIT)
            fits(tab, width)
            accessible(tab, f"a run, {width} pixels, {theme}")
            check(not wrong, wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wellfit", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--shots", type=pathlib.Path)
    args = parser.parse_args()
    if args.shots:
        args.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = pathlib.Path(name) / "runs"
        for seed in ("1", "2"):
            line = [args.wellfit, "train", "sample", "--model", "mlp", "--epochs", "6", "--seed", seed, "--out", folder / f"sample-{seed}", "--quiet"]
            subprocess.run(line, check=True)
        watch = subprocess.Popen([args.wellfit, "watch", "runs", "--json"], cwd=name, stdout=subprocess.PIPE, text=True)
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        try:
            use(browser, args.wellfit, folder, json.loads(watch.stdout.readline())["url"], args.shots)
            # An open page does not hold the server up.
            watch.send_signal(signal.SIGTERM)
            check(watch.wait(10) == 0, "a server with open pages ends")
        except Failed as failed:
            sys.exit(str(failed))
        finally:
            watch.kill()
            browser.close()
    print("ok watch")


if __name__ == "__main__":
    main()
