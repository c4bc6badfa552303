# mypy: disable-error-code="import-not-found,import-untyped"
"""One V2 call over gRPC with KServe's stubs: writes the framed request, prints the labels and the size of the framed answer.

    python grpc_call.py PORT MODEL ROWS.npy REQUEST

Runs in the virtual environment of `requirements-kserve.txt`. Exit code 1, with the reason, where the server does not answer.
"""

import json
import sys
from pathlib import Path

import grpc
import numpy as np
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

_DTYPES = {"INT64": np.int64, "INT32": np.int32}


def main(port: str, model: str, table: str, path: str) -> int:
    rows = np.load(table)
    tensor = messages.ModelInferRequest.InferInputTensor(name="input-0", datatype="FP64", shape=rows.shape)
    tensor.contents.fp64_contents.extend(rows.ravel().tolist())
    wanted = messages.ModelInferRequest.InferRequestedOutputTensor(name="predict")
    request = messages.ModelInferRequest(model_name=model, inputs=[tensor], outputs=[wanted])
    Path(path).write_bytes(_framed(request.SerializeToString()))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = stubs.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=10)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            return 1
    found = answer.outputs[0]
    if answer.raw_output_contents:
        labels = np.frombuffer(answer.raw_output_contents[0], _DTYPES[found.datatype]).tolist()
    else:
        labels = [*found.contents.int64_contents] or [*found.contents.int_contents]
    print(json.dumps({"labels": labels, "bytes": len(_framed(answer.SerializeToString()))}))
    return 0


def _framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
