"""Brings a document into a state, by the fewest transitions of its workflow."""

from Products.CMFCore.utils import getToolByName
from Products.CMFCore.WorkflowCore import WorkflowException


def walk(document, state):
    """Bring a document into ``state``; return whether it is there. Each transition on the way runs as if it were clicked."""
    workflows = getToolByName(document, "portal_workflow")
    chain = workflows.getWorkflowsFor(document)
    if not chain:
        return False
    (workflow, *_others) = chain
    for transition in path(workflow, workflows.getInfoFor(document, "review_state", ""), state) or ():
        try:
            workflows.doActionFor(document, transition)
        except WorkflowException:
            break
    return workflows.getInfoFor(document, "review_state", "") == state


def path(workflow, start, goal):
    """Return the ids of the fewest transitions from one state to another, or None where there is no path."""
    ways, seen = [(start, ())], {start}
    while ways:
        state, way = ways.pop(0)
        if state == goal:
            return way
        definition = workflow.states.get(state)
        for id in definition.transitions if definition is not None else ():
            transition = workflow.transitions.get(id)
            following = (transition.new_state_id or state) if transition is not None else state
            if following not in seen:
                seen.add(following)
                ways.append((following, (*way, id)))
    return None
