"""Signs messages with keys of the tests, as a town's server and a provider do."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from functools import cache
import base64
import dkim


MESSAGE = (
    b"From: Al Bert <al.bert@maville.test>\r\nTo: in@bridge.test\r\nSubject: TR\r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0100\r\nMessage-ID: <1@maville.test>\r\n\r\nBonjour\r\n"
)


#: A key of 768 bits, which no library makes any more.
SHORT = (
    "MIIBywIBAAJhALXE3lZTygeCf6D2ZuylINBmOnPT5fFib3/NlKt8MHjq20CQkr11"
    "v7dUTWhNor6FAQ+QJc6IXwUhJfc1ZwRKm9ExzpugIau6a0fMpU3/8hXkWiVA9un/"
    "ZMnfMeHa63OH8wIDAQABAmB/eiQcEwNbJPBxaJ1iVaSfwzI3TWK0WT6tOPaNFbnA"
    "86T0sO/Yo53i6uKmxdvfFdMrOnSAUup1GY1fdikwFxDPJqzlmMCnewywhHW+2/d1"
    "F2Di2tMTaAVbxajuQlZ9/3ECMQDoR6Hwb35Xuw+s3D9OYwGWWM+Fe6P5/0vsGsgw"
    "IWQ3hu9C1wHZhJW3wQ8iVg6niJcCMQDIVMJSu4A4GS0nihw2izdosKuxk2sIuNaB"
    "4t2TwwEL698O86eb8/hu8yTanVq3qwUCMQDIXgpmUncFDLsP3QnK/4K+A6w3tBkW"
    "LVB7wfqP8i317DL2UGwrC8Duut3oO532jM8CMGLvaSDOtN3/oQs76/8L9gtf5QtH"
    "0L53+oge8Gr/DU9D599MeeRNMs4oinTk7V5zuQIxAIsjysUegJt4PHo3z5Be3wMu"
    "HgfiaPRwjZ+XjE4UJ6AR0TPSjcYE41kvyklsHtqKrQ=="
)


SHORT_RECORD = (
    b"v=DKIM1; p="
    b"MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhALXE3lZTygeCf6D2ZuylINBmOnPT5fFib3/NlKt8MHjq"
    b"20CQkr11v7dUTWhNor6FAQ+QJc6IXwUhJfc1ZwRKm9ExzpugIau6a0fMpU3/8hXkWiVA9un/ZMnf"
    b"MeHa63OH8wIDAQAB"
)


def key(size=2048):
    """Return a private key in PEM and its DNS record."""
    if size == 768:
        return (
            f"-----BEGIN RSA PRIVATE KEY-----\n{SHORT}\n-----END RSA PRIVATE KEY-----\n".encode(),
            SHORT_RECORD,
        )
    return _key(size)


@cache
def _key(size):
    private = rsa.generate_private_key(public_exponent=65537, key_size=size)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def signed(raw=MESSAGE, domain=b"maville.test", size=2048, **options):
    """Return a message with a DKIM signature."""
    options = {
        "include_headers": [b"from", b"subject", b"date", b"to", b"cc", b"content-type"],
        "canonicalize": (b"relaxed", b"relaxed"),
        **options,
    }
    return dkim.sign(raw, b"s", domain, key(size)[0], **options) + raw


def sealed(raw=MESSAGE, domain=b"provider.test", cv="none", verified=b"maville.test"):
    """Add an ARC set, as a provider does that passes the message on; it ``verified`` the author's domain."""
    arc = f"arc={cv}; ".encode() if cv != "none" else b""
    results = (
        b"Authentication-Results: mx.provider.test; " + arc + b"dkim=pass header.d=" + verified + b"\r\n"
    )
    lines = dkim.arc_sign(results + raw, b"s", domain, key()[0], b"mx.provider.test")
    assert lines, "authres is not installed, or the chain is cut"
    return b"".join(lines) + raw


OWN = (
    b"Authentication-Results: mx.maville.test; dmarc=pass (p=reject) header.from=maville.test;\r\n"
    b" spf=fail smtp.mailfrom=x@y.test\r\n"
)
