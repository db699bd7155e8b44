"""What axe finds serious in our pages; what Plone's own patterns make in them is Plone's."""

from axe_playwright_python.sync_playwright import Axe


OF_PLONE = (".select2-container", ".tox", ".pat-tinymce")


def serious(page, *regions):
    """Return the rule and the elements of each serious violation in these regions (selectors) of a page."""
    context = {"include": [[region] for region in regions], "exclude": [[selector] for selector in OF_PLONE]}
    found = Axe().run(page, context=context).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
