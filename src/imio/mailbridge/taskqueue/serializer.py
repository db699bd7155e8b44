"""Writes tasks as signed JSON: someone who can write to the queue must not be able to run code."""

from datetime import datetime
from huey.registry import Message
from huey.serializer import Serializer
import hashlib
import itsdangerous


class UntrustedTask(ValueError):
    """The signature of a task is wrong: it was not written with our key."""


class SignedJSONSerializer(Serializer):
    """Signs JSON with HMAC-SHA256; a huey ``Message`` is a list under the key ``message``, its eta in ISO 8601."""

    def __init__(self, key):
        super().__init__()
        self._json = itsdangerous.Serializer(
            key,
            salt="imio.mailbridge.task",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def _serialize(self, data):
        if isinstance(data, Message):
            data = {"message": list(data._replace(eta=data.eta and data.eta.isoformat()))}
        else:
            data = {"value": data}
        return self._json.dumps(data).encode()

    def _deserialize(self, data):
        try:
            data = self._json.loads(bytes(data))
        except itsdangerous.BadSignature:
            raise UntrustedTask("task with a wrong signature") from None
        if "message" not in data:
            return data["value"]
        message = Message(*data["message"])
        return message._replace(eta=message.eta and datetime.fromisoformat(message.eta))
