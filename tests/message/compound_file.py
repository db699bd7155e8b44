"""Write a ``.msg``: an OLE compound file (MS-CFB) with the streams of MS-OXMSG, as far as tests need it."""

import struct


SECTOR, MINI = 512, 64
FREE, END, FAT, DIFAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
#: Sectors of the allocation table that the header names, and that one more sector names.
IN_HEADER, IN_SECTOR = 109, 127


def msg(texts, files=(), recipients=(), embedded=(), binaries=None, numbers=None):
    """Return the bytes of a message.

    ``texts`` maps property ids to text; ``files`` are (name, type, content) and perhaps a Content-ID, ``recipients`` such maps
    with the kind (1 To, 2 Cc, 3 Bcc), ``embedded`` the arguments of other messages.
    """
    return compound(_message(32, texts, files, recipients, embedded, binaries, numbers))


def _message(head, texts, files=(), recipients=(), embedded=(), binaries=None, numbers=None):
    root = dict(_streams(texts, numbers or {}, head, binaries))
    for number, (kind, values) in enumerate(recipients):
        root[f"__recip_version1.0_#{number:08X}"] = dict(_streams(values, {0x0C15: kind}, 8))
    attached = [
        dict(_streams({0x3707: name, 0x370E: kind, 0x3712: "".join(cid)}, {0x3705: 1}, 8, {0x3701: content}))
        for name, kind, content, *cid in files
    ]
    for arguments in embedded:
        storage = dict(_streams({}, {0x3705: 5}, 8))
        attached.append(storage | {"__substg1.0_3701000D": _message(24, *arguments)})
    for number, storage in enumerate(attached):
        root[f"__attach_version1.0_#{number:08X}"] = storage
    return root


def _streams(texts, numbers, head, binaries=None):
    entries = b"\0" * head
    for name, text in texts.items():
        kind, octets = (0x1E, text) if isinstance(text, bytes) else (0x1F, text.encode("utf-16-le"))
        yield f"__substg1.0_{name:04X}{kind:04X}", octets
        entries += struct.pack("<HHIII", kind, name, 6, len(octets) + 2, 0)
    for name, octets in (binaries or {}).items():
        yield f"__substg1.0_{name:04X}0102", octets
        entries += struct.pack("<HHIII", 0x102, name, 6, len(octets), 0)
    for name, number in numbers.items():
        entries += struct.pack("<HHIQ", 0x40 if number >> 32 else 3, name, 6, number)
    yield "__properties_version1.0", entries


def compound(root):
    """Return a compound file; a dict is a storage, bytes are a stream."""
    entries, mini, sectors, fat, minifat = [], b"", [], [], []

    def allocate(octets):
        start = len(fat)
        count = (len(octets) + SECTOR - 1) // SECTOR
        for number in range(count):
            sectors.append(octets[number * SECTOR : (number + 1) * SECTOR].ljust(SECTOR, b"\0"))
            fat.append(start + number + 1 if number + 1 < count else END)
        return start if count else END

    def add(name, content):
        nonlocal mini
        index = len(entries)
        entries.append(None)
        if isinstance(content, dict):
            children = [add(child, value) for child, value in content.items()]
            entries[index] = [name, 5 if name == "Root Entry" else 1, children, END, 0]
        elif len(content) < 4096:
            start = len(minifat) if content else END
            count = (len(content) + MINI - 1) // MINI
            for number in range(count):
                minifat.append(start + number + 1 if number + 1 < count else END)
            mini += content.ljust(count * MINI, b"\0")
            entries[index] = [name, 2, [], start, len(content)]
        else:
            entries[index] = [name, 2, [], allocate(content), len(content)]
        return index

    add("Root Entry", root)
    entries[0][3], entries[0][4] = allocate(mini), len(mini)
    right = {}
    child = {}
    for index, entry in enumerate(entries):
        names = sorted(entry[2], key=lambda each: (len(entries[each][0]), entries[each][0].upper()))
        child[index] = names[0] if names else FREE
        for first, second in zip(names, names[1:], strict=False):
            right[first] = second
    directory = b""
    for index, (name, kind, _children, start, size) in enumerate(entries):
        encoded = name.encode("utf-16-le") + b"\0\0"
        directory += encoded.ljust(64, b"\0") + struct.pack(
            "<HBBIII16sIQQIQ",
            len(encoded),
            kind,
            1,
            FREE,
            right.get(index, FREE),
            child[index],
            b"",
            0,
            0,
            0,
            start,
            size,
        )
    directory_start = allocate(directory.ljust((len(directory) + SECTOR - 1) // SECTOR * SECTOR, b"\0"))
    minifat_octets = b"".join(struct.pack("<I", each) for each in minifat).ljust(
        ((len(minifat) * 4 + 511) // 512) * 512, b"\xff"
    )
    minifat_start = allocate(minifat_octets)
    fat_count = difat_count = 0
    while (len(fat) + fat_count + difat_count) * 4 > fat_count * SECTOR:
        fat_count += 1
        difat_count = max(0, -(-(fat_count - IN_HEADER) // IN_SECTOR))
    fat_start = len(fat)
    difat_start = fat_start + fat_count
    table = fat + [FAT] * fat_count + [DIFAT] * difat_count
    octets = b"".join(struct.pack("<I", each) for each in table).ljust(fat_count * SECTOR, b"\xff")
    difat = [fat_start + number for number in range(fat_count)]
    for number in range(difat_count):
        named = difat[IN_HEADER + number * IN_SECTOR :][:IN_SECTOR]
        following = difat_start + number + 1 if number + 1 < difat_count else END
        octets += struct.pack(f"<{len(named)}I", *named).ljust(SECTOR - 4, b"\xff") + struct.pack(
            "<I", following
        )
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack(
            "<HHHHH6xIIIIIIIII",
            0x3E,
            3,
            0xFFFE,
            9,
            6,
            0,
            fat_count,
            directory_start,
            0,
            4096,
            minifat_start,
            len(minifat_octets) // 512,
            difat_start if difat_count else END,
            difat_count,
        )
    )
    header += b"".join(struct.pack("<I", each) for each in difat[:IN_HEADER]).ljust(436, b"\xff")
    return header + b"".join(sectors) + octets
