"""Lists the records of a store in batches of plone.restapi, and loads only those of the batch."""

from plone.restapi.batching import HypermediaBatch


class _Records:
    """The records of what a list found, loaded when they are read."""

    def __init__(self, found):
        self._found = found

    def __len__(self):
        return len(self._found)

    def __getitem__(self, index):
        ids, records = self._found[index], self._found.store.records
        return [records[id] for id in ids] if isinstance(index, slice) else records[ids]


def batch(request, found, summary):
    """Return the JSON of one page of ``found``; ``summary`` makes the JSON of a record."""
    page = HypermediaBatch(request, _Records(found))
    result = {"@id": page.canonical_url, "items_total": page.items_total}
    if page.links:
        result["batching"] = page.links
    result["items"] = [summary(record) for record in page]
    return result
