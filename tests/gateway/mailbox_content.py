"""Messages that the tests put into a folder of Dovecot, and what is in it afterwards."""

from tests.mails import citizen


#: Where the delimiter is a dot.
DONE = "iA-docs"


def raw(subject):
    return citizen(subject).as_bytes().replace(b"\n", b"\r\n")


def there(dovecot, folder="INBOX"):
    """Return (subject, flags) of what is in a folder."""
    with dovecot.client() as client:
        if not client.folder_exists(folder):
            return []
        client.select_folder(folder, readonly=True)
        found = client.fetch(client.search("ALL"), ["ENVELOPE", "FLAGS"])
        return [(each[b"ENVELOPE"].subject.decode(), set(each[b"FLAGS"])) for each in found.values()]


def subjects(dovecot, folder="INBOX"):
    return sorted(subject for subject, _flags in there(dovecot, folder))
