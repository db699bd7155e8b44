"""What a ``Peer`` serves to speak SMTP, correctly but where a test says otherwise."""

STAGES = ("greeting", "ehlo", "auth", "mail", "rcpt", "data", "end")


class Smtp:
    """An SMTP server that takes all; ``script`` maps a command, or ``greeting`` and ``end``, to a function of its talk."""

    def __init__(self, features=(b"SIZE 0",), **script):
        self.features = features
        self.script = script
        self.taken = 0

    def __call__(self, talk):
        self.step(talk, "greeting", b"220 hello")
        while True:
            name = (talk.hear().split() or [b""])[0].decode("ascii", "replace").lower()
            if name == "ehlo":
                lines = (b"250-hello", *(b"250-" + feature for feature in self.features), b"250 HELP")
                self.step(talk, name, b"\r\n".join(lines))
            elif name == "data":
                self.step(talk, name, b"354 go on")
                while talk.hear() != b".":
                    pass
                self.taken += 1
                self.step(talk, "end", b"250 2.0.0 taken")
            else:
                self.step(talk, name, b"235 in" if name == "auth" else b"250 ok")

    def step(self, talk, name, answer):
        self.script.get(name, lambda talk: talk.say(answer))(talk)


class AnyAnswer(Smtp):
    """An SMTP server that says, at one stage, what ``chance`` likes: any code, words, cut anywhere, too much, or half and gone.

    ``names`` are addresses that its words may name. ``took`` tells whether it said 2yz after the dot of a message.
    """

    def __init__(self, chance, names=(), features=(b"SIZE 0",)):
        self.chance, self.names, self.took = chance, names, False
        self.odd = chance.choice((*STAGES, "rset"))
        super().__init__(features)

    def step(self, talk, name, answer):
        """Say an answer, the right one or another."""
        said = answer + b"\r\n"
        if name == self.odd:
            said = self._any(said)
        if name == "end":
            self.took = self.took or (said[:1] == b"2" and said[:3].isdigit() and said.endswith(b"\n"))
        if said.endswith(b"\n") and said.count(b"\n") == 1:
            cut = self.chance.randrange(len(said))
            talk.send(said[:cut])
            talk.send(said[cut:])
        else:
            talk.send(said)
        if not said.endswith(b"\n"):
            talk.end()

    def _any(self, right):
        chance = self.chance
        name = chance.choice(self.names).encode() if self.names else b"x"
        words = chance.choice(
            (b"", b"5.7.1 <" + name + b"> not authenticated", b"5.1.1 <" + name + b">: no", b"5.1.8 " + name,
             b"5.7.30", b"4.1.2 domain not found", b"5.7.705 no", b"\xff\0\x1b[2J", b"Helo command rejected " + name)
        )  # fmt: skip
        code = chance.choice(
            (b"%03d" % chance.randrange(1000), b"%d" % chance.choice((250, 354, 421, 530, 535, 550, 552)))
        )
        kind = chance.randrange(8)
        if kind == 0:
            return chance.choice(
                (b"* OK IMAP4rev1 ready\r\n", b"+OK POP3\r\n", b"SSH-2.0-x\r\n", b"\r\n", b"-50 x\r\n")
            )
        if kind == 1:
            return chance.randbytes(chance.randrange(1, 40)).replace(b"\n", b"") + b"\r\n"
        if kind == 2:
            return right + code + b" " + words + b"\r\n"
        if kind == 3:
            return (code + b" " + words)[: chance.randrange(1, 8)]
        if kind == 4:
            return code + b"-" + words + b"\r\n" + code + b" end\r\n"
        return code + b" " + words + b"\r\n"
