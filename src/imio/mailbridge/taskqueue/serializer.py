"""How does a task travel? As signed JSON: who can write to the queue must not be able to run code."""

from datetime import datetime
from huey.registry import Message
from huey.serializer import Serializer
import hashlib
import hmac
import json


class UntrustedTask(ValueError):
    """The signature of a task is wrong: it was not written with our key."""


class SignedJSONSerializer(Serializer):
    """``<hex HMAC-SHA256> <JSON>``; a huey ``Message`` is a JSON list under the key ``message``, its eta in ISO 8601."""

    def __init__(self, key):
        super().__init__()
        self._key = key

    def _signature(self, data):
        return hmac.new(self._key, data, hashlib.sha256).hexdigest().encode()

    def _serialize(self, data):
        if isinstance(data, Message):
            data = {"message": list(data._replace(eta=data.eta and data.eta.isoformat()))}
        else:
            data = {"value": data}
        text = json.dumps(data, separators=(",", ":")).encode()
        return self._signature(text) + b" " + text

    def _deserialize(self, data):
        signature, _, text = bytes(data).partition(b" ")
        if not hmac.compare_digest(signature, self._signature(text)):
            raise UntrustedTask("task with a wrong signature")
        data = json.loads(text)
        if "message" not in data:
            return data["value"]
        message = Message(*data["message"])
        return message._replace(eta=message.eta and datetime.fromisoformat(message.eta))
