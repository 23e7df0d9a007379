"""``python -m econ`` is the command line of `econ.cli`."""

import sys

from econ.cli import main

sys.exit(main())
