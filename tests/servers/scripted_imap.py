"""An IMAP server whose mailbox holds what a test says, also what no good server would: messages that it lists and does not give."""

import contextlib
import re
import socket
import threading


#: What FETCH of a body answers: a refusal, OK alone, no body in the answer, NIL, an empty string.
NO, NOTHING, WITHOUT, NIL, EMPTY = "no", "nothing", "without", "nil", "empty"


class ScriptedImap:
    """A server on ``port`` with TLS, for any login; use it in ``with``.

    ``messages`` maps a UID to the bytes of a message or one of the words above, ``headers`` to the fields that it knows of it.
    ``without_size`` holds the UIDs whose size it does not say, ``moved`` those that a client has moved or marked.
    """

    def __init__(self, certificates):
        self._context, self.ca_file = certificates.server_context(), certificates.ca_file
        self.messages, self.headers, self.without_size, self.moved = {}, {}, set(), []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), self._context.wrap_socket(client, server_side=True) as secure:
            stream = secure.makefile("rwb")
            stream.write(b"* OK [CAPABILITY IMAP4rev1 MOVE] ready\r\n")
            stream.flush()
            for line in stream:
                tag, command = line.decode().strip().split(" ", 1)
                lines, result = self._answer(command)
                for each in lines:
                    stream.write(b"* " + each + b"\r\n")
                stream.write(f"{tag} {result} done\r\n".encode())
                stream.flush()

    def _answer(self, command):
        """Return untagged answers and the tagged one."""
        word = command.upper()
        if word.startswith("CAPABILITY"):
            return [b"CAPABILITY IMAP4rev1 MOVE"], "OK"
        if word.startswith("SELECT"):
            number = f"{len(self.messages)} EXISTS".encode()
            return [
                number,
                b"OK [UIDVALIDITY 7] x",
                b"OK [UIDNEXT 99] x",
                b"OK [PERMANENTFLAGS (\\*)] x",
            ], "OK [READ-WRITE]"
        if word.startswith("UID SEARCH"):
            named = re.search(r" UID ([\d,:]+)", word)
            wanted = _uids(named[1]) if named else self.messages
            return [b"SEARCH " + " ".join(str(uid) for uid in self.messages if uid in wanted).encode()], "OK"
        if word.startswith("UID MOVE"):
            for uid in _uids(word.split()[2]):
                self.moved.append(uid)
                self.messages.pop(uid, None)
            return [], "OK"
        if word.startswith("LIST"):
            return [b'LIST () "/" INBOX'], "OK"
        if word.startswith("UID FETCH"):
            return self._fetched(word)
        return ([b"BYE x"], "OK") if word.startswith("LOGOUT") else ([], "OK")

    def _fetched(self, word):
        lines, result = [], "OK"
        for number, uid in enumerate(self.messages, 1):
            if uid not in _uids(word.split()[2]):
                continue
            content = self.messages[uid]
            start = f"{number} FETCH (UID {uid}".encode()
            if "RFC822.SIZE" in word:
                size = len(content) if isinstance(content, bytes) else 4242
                lines += [start + f" RFC822.SIZE {size})".encode()] if uid not in self.without_size else []
            elif "HEADER.FIELDS" in word:
                fields = self.headers.get(uid, b"")
                lines += [
                    start + b" BODY[HEADER.FIELDS (SUBJECT FROM)] {%d}\r\n" % len(fields) + fields + b")"
                ]
            elif content == NO:
                result = "NO [SERVERBUG] cannot read it"
            elif content != NOTHING:
                piece = re.search(r"BODY\.PEEK\[\]<(\d+)\.", word)
                name = f" BODY[]<{piece[1]}> ".encode() if piece else b" BODY[] "
                octets = content[int(piece[1]) :] if piece and isinstance(content, bytes) else content
                said = {WITHOUT: b"", NIL: name + b"NIL", EMPTY: name + b'""'}.get(octets)
                lines += [
                    start + (said if said is not None else name + b"{%d}\r\n" % len(octets) + octets) + b")"
                ]
        return lines, result


def _uids(text):
    found = set()
    for part in text.split(","):
        first, _colon, last = part.partition(":")
        found.update(range(int(first), int(last or first) + 1))
    return found
