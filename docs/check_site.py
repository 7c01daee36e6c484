"""Check the built documentation: every link inside it resolves, nothing is fetched.

Use: python docs/check_site.py HTML_FOLDER
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """Anchors, links and loaded files of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what a tag names, links to or loads."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loaded.append(given["href"])
        elif "src" in given:
            self.loaded.append(given["src"])


def faults(folder: Path) -> Iterator[str]:
    """Tell every link that leads nowhere, and every file that a network would have to bring."""
    pages = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        for target in page.links + page.loaded:
            where = f"{path.relative_to(folder.resolve())}: {target}"
            parts = urlsplit(target)
            if parts.scheme in {"http", "https"} or parts.netloc:
                if target in page.loaded:
                    yield f"{where} is loaded from a network"
                continue
            if parts.scheme:  # data:, mailto:
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not found.exists():
                yield f"{where} does not exist"
                continue
            anchors = pages[found].anchors if found in pages else {unquote(parts.fragment)}
            if parts.fragment and unquote(parts.fragment) not in anchors:
                yield f"{where} has no such anchor"


def main() -> None:
    """Check a folder, and fail where there is a fault."""
    folder = Path(sys.argv[1])
    pages = len(list(folder.rglob("*.html")))
    found = list(faults(folder))
    print("\n".join([*found, f"{pages} pages, {len(found)} faults"]))
    sys.exit(bool(found) or not pages)


if __name__ == "__main__":
    main()
