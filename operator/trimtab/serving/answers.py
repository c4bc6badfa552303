"""What the server says: V2 inference responses, as JSON with or without bytes behind it, and metadata. Pure."""

from typing import Any, NamedTuple

import numpy as np
import orjson

from trimtab.api.wire.models import Format, Label, Output, Signature
from trimtab.api.wire.serving import Serving
from trimtab.model.engine import Prediction
from trimtab.serving import binary
from trimtab.serving.decoding import Inference
from trimtab.serving.refusal import client
from trimtab.serving.tensors import MATRIX_NAMES

_PLATFORMS: dict[Format, str] = {
    "ONNX": "onnx_onnxv1",
    "Skops": "sklearn_skops",
    "Joblib": "sklearn_joblib",
    "XGBoost": "xgboost_booster",
    "LightGBM": "lightgbm_booster",
    "Custom": "custom",
}


def dumps(value: Any) -> bytes:
    """As JSON."""
    return orjson.dumps(value)


def error(message: str) -> bytes:
    """The V2 form of every error."""
    return orjson.dumps({"error": message})


def empty(signature: Signature) -> Prediction:
    """The answer to no rows, for which no model is asked."""
    if signature.task == "Regression":
        return Prediction(values=np.empty(0))
    count = len(signature.classes or ())
    return Prediction(classes=np.empty(0, np.int64), probabilities=np.empty((0, count)))


class Encoded(NamedTuple):
    """One response. `header`: bytes of its JSON, where values follow it."""

    content: bytes
    header: int | None = None

    @property
    def media(self) -> bytes:
        """Its Content-Type."""
        return b"application/json" if self.header is None else b"application/octet-stream"


class Encoder:
    """Responses of one model: labels in their own type and order, outputs as they were asked for."""

    def __init__(self, serving: Serving, signature: Signature) -> None:
        self._head = {"model_name": serving.model, "model_version": serving.version}
        self._outputs = {output.name: output for output in signature.outputs}
        self._labels = list(signature.classes or ())
        self._array = _label_array(signature.classes or ())

    def encode(self, inference: Inference, prediction: Prediction) -> Encoded:
        """Raises `RefusedError` where the model's numbers are no numbers, which JSON cannot say."""
        outputs = self.outputs(inference.outputs, prediction)
        raw = [_detached(tensor) for tensor in outputs if tensor["name"] in inference.binary] if inference.binary else []
        head = self._head if inference.id is None else {**self._head, "id": inference.id}
        text = orjson.dumps({**head, "outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Encoded(b"".join((text, *raw)), len(text)) if inference.binary else Encoded(text)

    def outputs(self, names: tuple[str, ...], prediction: Prediction) -> list[dict[str, Any]]:
        """Tensors with `name`, `datatype`, `shape` and flat `data`, which may be an array. Raises `RefusedError`."""
        return [self._tensor(self._outputs[name], prediction) for name in names]

    def _tensor(self, output: Output, prediction: Prediction) -> dict[str, Any]:
        data = self._data(output, prediction)
        rows = len(data) if output.name == "predict" else len(prediction.probabilities)  # type: ignore[arg-type]
        shape = [rows, *output.shape[1:]]
        return {"name": output.name, "datatype": output.datatype, "shape": shape, "data": data}

    def _data(self, output: Output, prediction: Prediction) -> Any:
        if output.name == "predict_proba" and prediction.probabilities is not None:
            return _finite(np.ascontiguousarray(prediction.probabilities)).reshape(-1)
        if prediction.values is not None:
            return _finite(np.ascontiguousarray(prediction.values))
        if prediction.classes is None:
            raise RuntimeError(f"the engine gave nothing for output {output.name!r}")
        if self._array is not None:
            return self._array[prediction.classes]
        return [self._labels[i] for i in prediction.classes.tolist()]


def _detached(tensor: dict[str, Any]) -> bytes:
    """Take the values out of a tensor, which says instead how many bytes they are."""
    raw = binary.write(tensor.pop("data"), tensor["datatype"])
    tensor["parameters"] = {"binary_data_size": len(raw)}
    return raw


def _label_array(labels: tuple[Label, ...]) -> Any:
    """Labels as an array, where they are integers and can be copied in one go."""
    return np.array(labels, np.int64) if labels and all(type(label) is int for label in labels) else None


def _finite(values: Any) -> Any:
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise client(f"row {row}: the model gives no finite number for these values")
    return values


# ---------------------------------------------------------------- metadata


def server(version: str) -> dict[str, Any]:
    """`GET /v2`."""
    return {"name": "trimtab", "version": version, "extensions": ["binary_tensor_data", "model_repository"]}


def index(serving: Serving, *, ready: bool) -> list[dict[str, str]]:
    """`POST /v2/repository/index`."""
    state = "READY" if ready else "UNAVAILABLE"
    return [{"name": serving.model, "version": serving.version, "state": state, "reason": ""}]


def model(serving: Serving, signature: Signature) -> dict[str, Any]:
    """`GET /v2/models/{name}`: what the model takes and gives; `parameters` say what V2 has no field for."""
    numeric = all(column.kind != "Category" and len(column.shape) == 1 for column in signature.inputs)
    return {
        "name": serving.model,
        "versions": [serving.version],
        "platform": _PLATFORMS[serving.artifact.format],
        "inputs": [
            {
                "name": column.name,
                "datatype": column.datatype,
                "shape": list(column.shape),
                "parameters": {"kind": column.kind, "acceptsMissing": column.accepts_missing},
            }
            for column in signature.inputs
        ],
        "outputs": [
            {
                "name": output.name,
                "datatype": output.datatype,
                "shape": list(output.shape),
                **({"parameters": {"labels": list(output.labels)}} if output.labels else {}),
            }
            for output in signature.outputs
        ],
        "parameters": {
            "digest": serving.artifact.digest,
            "task": signature.task,
            **({"matrixInputs": list(MATRIX_NAMES)} if numeric else {}),
        },
    }
