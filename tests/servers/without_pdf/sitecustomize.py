"""Makes a Python process one where WeasyPrint is not installed; for this the folder comes first on PYTHONPATH."""

import sys


sys.modules["weasyprint"] = None
