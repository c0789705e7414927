"""List the slots of a user's model, in the order in which `ModelSurgery` announces them."""

from __future__ import annotations

from typing import Any

import keras

from regzoo.core.slots import SlotKind
from regzoo.training.attach.graph import Graph
from regzoo.training.model.layer_places import SlotPlace, find_slot_place


def list_slots(graph: Graph) -> list[SlotPlace]:
    """Return the slots of the model with the layers at which they lie."""
    inputs = [find_slot_place("input", tensor) for tensor in graph.model.inputs if "float" in str(tensor.dtype)]
    return [*inputs, *_list_slots_of_calls(graph)]


def _list_slots_of_calls(graph: Graph) -> list[SlotPlace]:
    found: list[SlotPlace] = []
    unlisted = graph.nested.copy()  # each model has its slots once, however often it is called

    def visit(each: Graph, holders: tuple[keras.Model, ...]) -> None:
        def add(kind: SlotKind, tensor: Any) -> None:
            found.append(find_slot_place(kind, tensor, holders=holders))

        for call in each.calls:
            slots = each.slots[id(call)]
            for position, kind in slots.before.items():
                add(kind, call.inputs[position])
            inner = unlisted.pop(id(call.operation), None)
            if inner is not None:
                visit(inner, (*holders, call.operation))
            if slots.split:
                add("preactivation", call.outputs[0])
            for kind in slots.list_after():
                add(kind, call.outputs[0])

    visit(graph, ())
    return found
