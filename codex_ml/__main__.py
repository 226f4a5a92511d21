"""``codex-ml`` = ``python -m codex_ml``: the runtime's command line."""

import sys

from codex_ml.cli import main

if __name__ == "__main__":
    sys.exit(main())
