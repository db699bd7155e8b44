"""Routing of incoming mail: fields and values."""

from collections.abc import Mapping
from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import rows
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.server import filled_in
from imio.mailbridge.settings.terms import terms
from typing import Any
from typing import TypeVar
from zope import schema
from zope.interface import Interface


FORWARD = terms(
    agent=_("An agent forwarded it"),
    server=_("A mailbox of the town forwarded it"),
    direct=_("Somebody wrote to the mail-in address itself"),
)


def _conditions() -> dict[str, schema.Field]:
    """Return the fields that say when a row applies: all that is filled in must hold. The keys are those of iA.docs."""
    return {
        "forward": schema.Choice(
            title=_("How it came in"),
            description=_(
                "Empty: by an agent or by a mailbox. Mail written to the mail-in address needs a rule of its own."
            ),
            vocabulary=FORWARD,
            required=False,
        ),
        "transfer_email_pat": schema.TextLine(
            title=_("Forwarded by"),
            description=_(
                "Regular expression for the agent's address; it never matches when nobody forwarded the mail."
            ),
            constraint=validate.pattern,
            required=False,
        ),
        "original_email_pat": schema.TextLine(
            title=_("Original sender"),
            description=_("Regular expression for the address of the mail's author."),
            constraint=validate.pattern,
            required=False,
        ),
        "recipient_pat": schema.TextLine(
            title=_("Mail-in address"),
            description=_(
                "Regular expression for the address that the mail arrived at (envelope recipient)."
            ),
            constraint=validate.pattern,
            required=False,
        ),
        "subject_pat": schema.TextLine(
            title=_("Subject"),
            description=_("Regular expression; found anywhere in the subject, in any case."),
            constraint=validate.pattern,
            required=False,
        ),
        "tal_condition_1": schema.TextLine(
            title=_("Condition"),
            description=_("TAL expression, for instance python: 'permis' in subject.lower()"),
            constraint=validate.expression,
            required=False,
        ),
    }


class IRoutingRow(Interface):
    """When a row of the routing applies, and who treats the mail then."""

    vars().update(_conditions())

    user_value = schema.Choice(
        title=_("Assigned agent"), vocabulary="imio.mailbridge.route_users", default="_empty_"
    )
    tal_condition_2 = schema.TextLine(
        title=_("Condition on the agent"),
        description=_("TAL expression that also knows assigned_user."),
        constraint=validate.expression,
        required=False,
    )
    tg_value = schema.Choice(
        title=_("Handling service"), vocabulary="imio.mailbridge.route_services", default="_empty_"
    )


class IStateRow(Interface):
    """When a row of the states applies, and which state the document is put into then."""

    vars().update(_conditions())

    state_value = schema.Choice(title=_("State"), vocabulary="imio.mailbridge.incoming_states")


class IRouting(Interface):
    """The agent, service and state that arriving mail gets."""

    iemail_routing = schema.List(
        title=_("Routing"),
        description=_(
            "The first row whose conditions all hold decides; where none does, the service of the mailbox or of the mail-in "
            "address handles the mail."
        ),
        value_type=rows.Row(title=_("Route"), schema=IRoutingRow),
        default=[],
        missing_value=[],
        required=False,
    )
    iemail_state_set = schema.List(
        title=_("States"),
        description=_(
            "The first row whose conditions all hold decides which state the document is put into."
        ),
        value_type=rows.Row(title=_("State"), schema=IStateRow),
        default=[],
        missing_value=[],
        required=False,
    )


@dataclass(frozen=True)
class Condition:
    """When a row applies; empty values mean any. See ``IRoutingRow``."""

    forward: str = ""
    transfer_email_pat: str = ""
    original_email_pat: str = ""
    recipient_pat: str = ""
    subject_pat: str = ""
    tal_condition_1: str = ""


@dataclass(frozen=True)
class RoutingRow(Condition):
    """The agent and the service of a mail that the condition fits."""

    user_value: str = ""
    tal_condition_2: str = ""
    tg_value: str = ""


@dataclass(frozen=True)
class StateRow(Condition):
    """The first state of a mail that the condition fits."""

    state_value: str = ""


Row = TypeVar("Row", bound=Condition)


@dataclass(frozen=True)
class RoutingSettings:
    """The rows, in the order in which they are tried."""

    iemail_routing: tuple[RoutingRow, ...] = ()
    iemail_state_set: tuple[StateRow, ...] = ()


def read(records: Any) -> dict[str, Any]:
    """Return the values of ``RoutingSettings`` from the registry records."""
    return {
        "iemail_routing": tuple(_row(row, RoutingRow) for row in records.iemail_routing or ()),
        "iemail_state_set": tuple(_row(row, StateRow) for row in records.iemail_state_set or ()),
    }


def _row(row: Mapping[str, Any], kind: type[Row]) -> Row:
    return kind(**filled_in(row, kind.__dataclass_fields__))
