"""Keeps of a ``style`` attribute what an editor writes for colour, alignment and borders: a list of properties and values."""

import re


_LENGTH = r"\d{1,4}(?:\.\d{1,4})?(?:px|pt|em|rem|%)?"
_COLOUR = r"#[0-9a-f]{3,8}|[a-z]{3,30}|(?:rgb|hsl)a?\([\d., %/]{5,40}\)"
_LINE = "none|solid|dashed|dotted|double|groove|ridge|inset|outset"
_SIDES = ("", "-top", "-right", "-bottom", "-left")

#: Characters of one value.
_LONGEST = 200


def _several(value: str, most: int) -> str:
    return f"(?:{value})(?: (?:{value})){{0,{most - 1}}}"


_BOX = _several(f"auto|{_LENGTH}", 4)
_BORDER = _several(f"{_LENGTH}|{_COLOUR}", 3)  # a style of line reads like a colour
_VALUES = {
    "color": _COLOUR,
    "background-color": _COLOUR,
    "background": _COLOUR,
    "text-align": "left|right|center|justify|start|end",
    "direction": "ltr|rtl",
    "text-decoration": "none|underline|line-through",
    "font-weight": "normal|bold|[1-9]00",
    "font-style": "normal|italic",
    "font-size": f"{_LENGTH}|(?:xx?-)?(?:small|large)|medium|smaller|larger",
    "font-family": r"[\w ,'\"-]+",
    "line-height": _LENGTH,
    "list-style-type": "none|disc|circle|square|decimal|(?:lower|upper)-(?:alpha|latin|roman|greek)",
    "vertical-align": "top|middle|bottom|baseline|sub|super",
    "float": "left|right|none",
    "display": "block|inline|inline-block",
    "width": f"auto|{_LENGTH}",
    "height": f"auto|{_LENGTH}",
    "max-width": _LENGTH,
    "border-width": _several(_LENGTH, 4),
    "border-style": _several(_LINE, 4),
    "border-color": _several(_COLOUR, 4),
    "border-collapse": "collapse|separate",
    "border-spacing": _several(_LENGTH, 2),
    **{f"{box}{side}": _BOX for box in ("margin", "padding") for side in _SIDES},
    **{f"border{side}": _BORDER for side in _SIDES},
}
_PATTERNS = {name: re.compile(values, re.IGNORECASE | re.ASCII) for name, values in _VALUES.items()}


def written_style(style: str) -> str | None:
    """Return the declarations that are in the list, or None where there is none."""
    kept = []
    for declaration in style.split(";"):
        name, _colon, value = declaration.partition(":")
        name, value = name.strip().lower(), " ".join(value.replace("!important", "").split())
        if name in _PATTERNS and len(value) <= _LONGEST and _PATTERNS[name].fullmatch(value):
            kept.append(f"{name}: {value}")
    return "; ".join(kept) or None
