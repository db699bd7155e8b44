"""Makes a Python process one whose clock is ``CLOCK_AHEAD`` seconds ahead, and where WeasyPrint is not installed, but with
``CLOCK_PDF``.

For this the folder comes first on PYTHONPATH. The product has no clock of its own to set.
"""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
import os
import sys
import time_machine


if "CLOCK_PDF" not in os.environ:
    sys.modules["weasyprint"] = None
time_machine.travel(
    datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_AHEAD"])), tick=True
).start()
