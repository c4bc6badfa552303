"""How a model's own labels stand to the classes of its signature. Pure."""

from collections.abc import Sequence

from trimtab.api.wire.models import Label
from trimtab.model.engine import UnloadableModelError


def positions(labels: Sequence[Label], classes: Sequence[Label]) -> list[int]:
    """For each label of the model, in the model's order, its index in `classes`.

    A model whose labels are 0..k-1 while the classes are others was fitted on indices into the classes, as Trimtab's
    own training does; any other must know the classes by value. Raises `UnloadableModelError` when the sets differ.
    """
    known = {label: index for index, label in enumerate(classes)}
    if len(known) == len(labels) and all(label in known for label in labels):
        return [known[label] for label in labels]
    if list(labels) == list(range(len(classes))):
        return list(labels)  # type: ignore[arg-type]
    raise UnloadableModelError(
        f"the model knows the labels {list(labels)[:10]}, its signature the classes {list(classes)[:10]}"
    )
