"""How is a store listed? As a batch of plone.restapi, waking only the records of the page where no filter needs more."""

from plone.restapi.batching import HypermediaBatch


class _Lazy:
    """A sequence over a store's records, made of their ids, so that a batch loads what it shows."""

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
