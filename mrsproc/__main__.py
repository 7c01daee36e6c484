"""``python -m mrsproc``, and what the command ``mrsproc`` calls."""

import logging
import sys
import warnings

from mrsproc.errors import MRSError


def main() -> None:
    """Run the command line; errors of mrsproc become one paragraph and exit code 2."""
    from mrsproc.cli import app

    logging.basicConfig(format="%(levelname)s: %(message)s")
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    else:
        warnings.showwarning = _short_warning  # type: ignore[assignment]
    try:
        app()
    except (MRSError, OSError) as error:
        if debug:
            raise
        print(f"mrsproc: {error}", file=sys.stderr)
        sys.exit(2)


def _short_warning(message: Warning | str, *_: object) -> None:
    print(f"mrsproc: warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    main()
