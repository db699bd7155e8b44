"""Lists the records of a store in batches of plone.restapi, and loads only those of the batch."""

from plone.restapi.batching import HypermediaBatch


class _Lazy:
    """A sequence of the records with the ids ``keys``, which are loaded when they are read."""

    def __init__(self, store, keys):
        self._store = store
        self._keys = keys

    def __len__(self):
        return len(self._keys)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._store.records[key] for key in self._keys[index]]
        return self._store.records[self._keys[index]]


def batch(request, store, keys, summary):
    """Return the JSON of one page of ``keys``; ``summary`` makes the JSON of a record."""
    page = HypermediaBatch(request, _Lazy(store, keys))
    result = {"@id": page.canonical_url, "items_total": page.items_total}
    if page.links:
        result["batching"] = page.links
    result["items"] = [summary(record) for record in page]
    return result
