"""Hold report pages against axe-core's rules, light and dark, 1280 and 390 pixels wide: ``python scripts/accessibility.py AXE PAGE ...``.

AXE is ``axe.min.js`` of the npm package axe-core: ``npm pack axe-core``, and take it out of the archive. Needs Chromium. Everything that is
folded is opened first. Prints what violates a rule, and ends with 1 where anything does. Text in pictures (SVG) axe cannot judge.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

WIDTHS = (1280, 390)
DARK = "--blink-settings=preferredColorScheme=0"
RUN = """
<script>
addEventListener("load", () => {
  if (innerWidth < 640) document.body.style.width = "390px";  // windows have a least width
  for (const details of document.querySelectorAll("details")) details.open = true;
  const node = (n) => n.html.slice(0, 200) + " " + n.failureSummary.replace(/\\s+/g, " ");
  axe.run(document, { resultTypes: ["violations"] }).then(
    (found) => found.violations.map((v) => ({ id: v.id, impact: v.impact, nodes: v.nodes.map(node) })),
    (error) => [{ id: "axe failed", impact: "", nodes: [String(error)] }],
  ).then((found) => { document.documentElement.dataset.axe = JSON.stringify(found); });
});
</script>
"""


def violations(axe: str, page: Path, width: int, dark: bool, browser: str) -> Iterator[str]:
    """What a page breaks, a line each."""
    text = page.read_text(encoding="utf-8")
    script = axe.replace("</script", "<\\/script")
    text = text.replace("</head>", f"<script>{script}</script></head>", 1).replace("</body>", f"{RUN}</body>")
    with tempfile.TemporaryDirectory() as folder:
        probed = Path(folder) / "page.html"
        probed.write_text(text, encoding="utf-8")
        command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command += [f"--window-size={width},900", "--virtual-time-budget=60000", *([DARK] if dark else []), "--dump-dom", probed.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r'data-axe="([^"]*)"', done.stdout)
    if found is None:
        yield f"axe did not end: {done.stderr[-300:]}"
        return
    for rule in json.loads(html.unescape(found[1])):
        for node in rule["nodes"]:
            yield f"{rule['id']} ({rule['impact']}): {node}"


def main() -> int:
    """Print what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("axe", type=Path, help="axe.min.js")
    parser.add_argument("pages", type=Path, nargs="+", help="HTML pages")
    options = parser.parse_args()
    browser = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("no Chromium here: apt-get install chromium")
    axe, wrong = options.axe.read_text(encoding="utf-8"), 0
    for page in options.pages:
        for width in WIDTHS:
            for dark in (False, True):
                lines = list(violations(axe, page, width, dark, browser))
                print(f"{page}, {width} pixels, {'dark' if dark else 'light'}: {len(lines)} violations", *lines, sep="\n  ")
                wrong += len(lines)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
