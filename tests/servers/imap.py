"""An IMAP server that says what a test wants, for ``Peer``."""

GREETING = b"* OK [CAPABILITY IMAP4rev1] hello"
MAIL = b"Subject: Bonjour\r\n\r\nUne ligne\r\n"


class Imap:
    """An IMAP server with ``mails``, UID → content.

    ``script`` maps a command to a function of its talk and the tag, which answers instead. ``size`` is what each message is said to
    have, where that is not the truth; the connection ends before a message of ``cuts``.
    """

    def __init__(self, mails=None, cuts=(), **script):
        self.script = script
        self.greeting = GREETING
        self.mails = mails or {5: MAIL}
        self.cuts = cuts
        self.size = None

    def __call__(self, talk):
        if "greeting" in self.script:
            self.script["greeting"](talk, b"")
        talk.say(self.greeting)
        while True:
            if len(words := talk.hear().split(b" ", 2)) < 2:
                continue
            tag, command, *rest = words
            name = command.decode().lower()
            if name == "uid":
                name = rest[0].split()[0].decode().lower()
                rest = [rest[0].partition(b" ")[2]]
            if name in self.script:
                self.script[name](talk, tag)
            else:
                self.answer(talk, tag, name, b" ".join(rest))

    def answer(self, talk, tag, name, rest):
        """Answer a command as the protocol wants it."""
        match name:
            case "capability":
                talk.say(b"* CAPABILITY IMAP4rev1 MOVE")
            case "select":
                talk.say(
                    b"* %d EXISTS" % len(self.mails), b"* OK [UIDVALIDITY 7] valid", b"* OK [UIDNEXT 6] next"
                )
            case "search":
                talk.say(b"* SEARCH " + b" ".join(b"%d" % uid for uid in self.mails))
            case "list":
                talk.say(b'* LIST () "/" iA.docs')
            case "fetch":
                uids, _space, item = rest.rpartition(b"FETCH ")[2].partition(b" ")
                for uid in map(int, uids.split(b",")):
                    self._fetch(talk, uid, item)
            case "logout":
                talk.say(b"* BYE", tag + b" OK bye")
                talk.end()
        talk.say(tag + b" OK done")

    def _fetch(self, talk, uid, item):
        mail = self.mails[uid]
        if b"RFC822.SIZE" in item:
            talk.say(b"* 1 FETCH (UID %d RFC822.SIZE %d)" % (uid, self.size or len(mail)))
            return
        if uid in self.cuts:
            talk.end()
        origin = b""
        if b"<" in item:
            start, length = map(int, item.partition(b"<")[2].partition(b">")[0].split(b"."))
            origin, mail = b"<%d>" % start, mail[start : start + length]
        talk.send(b"* 1 FETCH (UID %d BODY[]%b {%d}\r\n%b)\r\n" % (uid, origin, len(mail), mail))
