"""``@@mailbridge-files``: the message and all files of a document as one ZIP, written while it is sent."""

from datetime import datetime
from imio.mailbridge.browser.readable import has_readable_file
from imio.mailbridge.desk.attachments import files_of
from imio.mailbridge.i18n import _
from imio.mailbridge.message.syntax.filename import safe_filename
from imio.mailbridge.settings.clock import site_zone
from plone import api
from Products.Five.browser import BrowserView
from urllib.parse import quote
from zExceptions import NotFound
from zope.i18n import translate
from zope.interface import implementer
from ZPublisher.Iterators import IUnboundStreamIterator
import io
import zipfile


BLOCK = 1 << 16


class _Sink(io.RawIOBase):
    """Where an archive is written to: what was not taken yet."""

    def __init__(self):
        self._pieces = []

    def writable(self):
        return True

    def write(self, piece):
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self):
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zip_blocks(members):
    """Yield the bytes of an archive; ``members`` are (name, time, path of a file or bytes). Holds one block at a time."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, time, content in members:
            member = zipfile.ZipInfo(name, time.timetuple()[:6])
            stream = io.BytesIO(content) if isinstance(content, bytes) else open(content, "rb")  # noqa: SIM115
            with stream, archive.open(member, "w", force_zip64=True) as target:
                while block := stream.read(BLOCK):
                    target.write(block)
                    yield sink.taken()
    yield sink.taken()


@implementer(IUnboundStreamIterator)
class _Stream:
    """The blocks as Zope's publisher wants them."""

    def __init__(self, blocks):
        self._blocks = blocks

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._blocks)

    def close(self):
        """End early: the browser left."""
        self._blocks.close()


def unique_names(names):
    """Return safe names, where those that some operating system takes for the same are numbered: ``plan.pdf``, ``plan (2).pdf``."""
    found, used = [], set()
    for name in map(safe_filename, names):
        stem, dot, suffix = name.rpartition(".")
        stem, suffix = (stem, dot + suffix) if stem else (name, "")
        candidate, number = name, 1
        while candidate.casefold() in used:
            number += 1
            candidate = f"{stem} ({number}){suffix}"
        used.add(candidate.casefold())
        found.append(candidate)
    return found


class Archive(BrowserView):
    """The files that the user may view; in the place of one that is lost stands a text that says so."""

    def __call__(self):
        files = files_of(self.context)
        if not files:
            raise NotFound("mailbridge-files")
        time = datetime.now(site_zone())
        names = [file.file.filename or file.getId() for file in files]
        contents = [self._content(file, name) for file, name in zip(files, names, strict=True)]
        names = [
            f"{name}.txt" if isinstance(content, bytes) else name
            for name, content in zip(names, contents, strict=True)
        ]
        response = self.request.response
        response.setHeader("Content-Type", "application/zip")
        name = safe_filename(f"{self.context.Title()[:80].strip()}.zip")
        response.setHeader(
            "Content-Disposition", f"attachment; filename*=UTF-8''{quote(name, errors='replace')}"
        )
        response.setHeader("X-Content-Type-Options", "nosniff")
        response.setHeader("Cache-Control", "private, no-cache")
        members = zip(unique_names(names), [time] * len(files), contents, strict=True)
        return _Stream(zip_blocks(list(members)))

    def _content(self, file, name):
        if has_readable_file(file):
            return file.file._blob.committed()
        lost = _(
            "The file “${name}” is lost: its bytes are missing on the server. Tell the administrators of the site.",
            mapping={"name": name},
        )
        return translate(lost, target_language=api.portal.get_current_language()).encode("utf-8", "replace")
