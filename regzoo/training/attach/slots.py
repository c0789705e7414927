"""List the slots of a user's model, in the order in which `ModelSurgery` announces them."""

from __future__ import annotations

from regzoo.training.attach.graph import Graph
from regzoo.training.model.layer_places import SlotPlace, find_slot_place


def list_slots(graph: Graph) -> list[SlotPlace]:
    """Return the slots of the model with the layers at which they lie."""
    inputs = [find_slot_place("input", tensor) for tensor in graph.model.inputs if "float" in str(tensor.dtype)]
    return [*inputs, *_list_slots_of_calls(graph)]


def _list_slots_of_calls(graph: Graph) -> list[SlotPlace]:
    found: list[SlotPlace] = []
    for call in graph.calls:
        slots = graph.slots[id(call)]
        found += [find_slot_place(kind, call.inputs[position]) for position, kind in slots.before.items()]
        if slots.split:
            found.append(find_slot_place("preactivation", call.outputs[0]))
        if slots.after:
            found.append(find_slot_place("activation", call.outputs[0]))
    return found
