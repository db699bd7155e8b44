"""The database layout that loses files is named in the log."""

from imio.mailbridge.store.blobs import warn_of_blobstorage
from types import SimpleNamespace
from ZODB.blob import BlobStorage
from ZODB.FileStorage import FileStorage
import pytest
import ZODB


@pytest.mark.parametrize("wrapped", [True, False])
def test_wrapped_file_storage_is_named(tmp_path, caplog, wrapped):
    data, blobs = str(tmp_path / "Data.fs"), str(tmp_path / "blobs")
    storage = BlobStorage(blobs, FileStorage(data)) if wrapped else FileStorage(data, blob_dir=blobs)
    database = ZODB.DB(storage, database_name="main")
    warn_of_blobstorage(SimpleNamespace(database=database))
    database.close()
    assert ("<blobstorage>" in caplog.text) is wrapped
