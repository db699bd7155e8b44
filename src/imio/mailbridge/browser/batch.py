"""Cuts lists into the batches that ``b_start`` in the address of a page asks for."""

from plone.batching import Batch


def batch_of(ids, size, request):
    """Return one batch of ``ids``; the first one where ``b_start`` is no number."""
    start = str(request.form.get("b_start"))  # the links of Plone's navigation say b_start:int
    return Batch(ids, size, int(start) if start.isdecimal() and len(start) < 9 else 0)
