"""Records what the bridge and a server said, as lines that anybody may see: no secret, nothing invisible, nothing endless."""

from imio.mailbridge.transport.secret_mask import SecretMask


LINES = 80
LENGTH = 300


def visible(text):
    """Return ``text`` with what cannot be seen made visible: control pictures, or the number of the character."""
    return "".join(
        char if char.isprintable() else chr(0x2400 + ord(char)) if ord(char) < 0x20 else f"\\u{ord(char):04x}"
        for char in text
    )


class Dialogue(SecretMask):
    """The lines since ``take`` was last called, without secrets."""

    def __init__(self, login=""):
        super().__init__(login)
        self._lines = []

    def client(self, text):
        """Note what the bridge said or did."""
        self._add("C: ", text)

    def server(self, text):
        """Note what the server said."""
        self._add("S: ", text)

    def take(self):
        """Return the lines so far and forget them."""
        lines, self._lines = tuple(self._lines), []
        return lines

    def _add(self, mark, text):
        if len(self._lines) < LINES:
            line = visible(self.masked(text))
            self._lines.append(mark + (line if len(line) <= LENGTH else f"{line[:LENGTH]} …"))
        elif len(self._lines) == LINES:
            self._lines.append(f"{mark}…")
