"""Says where the time of a profile goes: that of a function to what its file is part of, that of a builtin to its callers."""

import pstats


#: What a file is part of, by words in its path; the first that fits.
GROUPS = (
    ("waiting for the SMTP server", ("/mailbridge/delivery/dialogue.py",)),
    ("SMTP and TLS", ("/mailbridge/transport/", "/smtplib.py", "/ssl.py", "/socket.py")),
    (
        "reading and writing e-mail",
        ("/mailbridge/message/", "/python3.11/email/", "/email/", "/lxml/", "/html5lib/", "/nh3/"),
    ),
    ("ZODB and ZEO", ("/ZODB/", "/ZEO/", "/BTrees/", "/persistent/", "/transaction/", "/zodbpickle/")),
    (
        "catalog",
        (
            "/ZCatalog/",
            "/PluginIndexes/",
            "/ZCTextIndex/",
            "/indexer/",
            "/indexing",
            "/CatalogTool.py",
            "/UnicodeSplitter/",
        ),
    ),
    ("the bridge", ("/imio/mailbridge/",)),
    (
        "Plone and Zope",
        (
            "/plone/",
            "/Products/",
            "/zope/",
            "/z3c/",
            "/AccessControl/",
            "/Acquisition/",
            "/OFS/",
            "/DateTime/",
            "/App/",
        ),
    ),
)
#: Steps that the time of builtins and of the standard library goes up to its callers.
STEPS = 12
REST = "the rest"


def group_of(path):
    """Return the group of a file, or None where its callers tell."""
    return next((name for name, words in GROUPS if any(word in path for word in words)), None)


def groups(profiler):
    """Return group → seconds of a ``cProfile.Profile``, the largest first."""
    functions = pstats.Stats(profiler).stats
    found = {}
    carried = {function: figures[2] for function, figures in functions.items()}
    for _step in range(STEPS):
        following = {}
        for function, seconds in carried.items():
            callers = functions[function][4]
            whole = sum(each[3] for each in callers.values())
            if (name := group_of(function[0])) is not None:
                found[name] = found.get(name, 0) + seconds
            elif not whole:
                found[REST] = found.get(REST, 0) + seconds
            else:
                for caller, each in callers.items():
                    following[caller] = following.get(caller, 0) + seconds * each[3] / whole
        carried = following
    found[REST] = found.get(REST, 0) + sum(carried.values())
    return dict(sorted(found.items(), key=lambda each: -each[1]))
