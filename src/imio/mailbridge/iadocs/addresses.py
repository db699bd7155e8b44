"""Which entries does a field with several addresses hold?"""

import re


_ENTRY = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,;\r\n"]|")+')


def split_addresses(text):
    """Return the entries between commas, semicolons or line ends, quoted names kept whole."""
    return [entry for match in _ENTRY.findall(text or "") if (entry := match.strip())]
