"""Detects blobs whose file is missing, and warns of the one ZODB configuration that loses them.

``<blobstorage>`` around ``<filestorage>`` ends a transaction first and clears its list of new files afterwards: a conflict
in another thread at that moment deletes the files of the transaction that was just committed. ``blob-dir`` inside
``<filestorage>``, ZEO and RelStorage are not concerned.
"""

from typing import Any
from ZODB.blob import BlobStorage
from ZODB.POSException import POSKeyError
import logging


logger = logging.getLogger(__name__)


def is_readable(blob: Any) -> bool:
    """Tell whether the bytes of a committed blob can be read; those of None were deleted."""
    if blob is None:
        return False
    try:
        blob.open("r").close()
    except POSKeyError:
        return False
    return True


def warn_of_blobstorage(event: Any) -> None:
    """Warn in the log that this database can lose files (subscriber of ``IDatabaseOpenedWithRoot``)."""
    for name, database in event.database.databases.items():
        if isinstance(database.storage, BlobStorage):
            logger.warning(
                "Database %s has <blobstorage> around <filestorage>: with several threads files can be lost when "
                "requests conflict. Write blob-dir into <filestorage> instead, or use ZEO or RelStorage.",
                name,
            )
