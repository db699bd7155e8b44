"""Writes tasks as signed JSON: someone who can write to the queue must not be able to run code, or a task of another queue."""

from datetime import datetime
from huey.registry import Message
from huey.serializer import Serializer
from imio.mailbridge.taskqueue.replay import end
import hashlib
import itsdangerous


#: What JSON cannot hold: naive times in UTC.
TIMES = ("eta", "expires_resolved")


class UntrustedTask(ValueError):
    """The signature of a task is wrong: it was not written with our key, for this queue."""


class SignedJSONSerializer(Serializer):
    """Signs JSON with HMAC-SHA256 for the queue ``name``.

    A huey ``Message`` is a list under the key ``message``, its times in ISO 8601.
    When a message is written first, it gets its end (``replay``).
    """

    def __init__(self, key, name):
        super().__init__()
        self._json = itsdangerous.Serializer(
            key,
            salt=f"imio.mailbridge.task {name}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def _serialize(self, data):
        if isinstance(data, Message):
            data = data._replace(expires_resolved=data.expires_resolved or end(data.eta))
            data = {"message": list(_with_times(data, datetime.isoformat))}
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
        return _with_times(Message(*data["message"]), datetime.fromisoformat)


def _with_times(message, convert):
    times = {name: getattr(message, name) for name in TIMES}
    return message._replace(**{name: time and convert(time) for name, time in times.items()})
