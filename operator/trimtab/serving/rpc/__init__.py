"""The Open Inference Protocol over gRPC: the same model, answers, refusals and counts as over HTTP.

`open_inference.proto` is the protocol, and `open_inference_pb2` is generated from it; `messages` translates, pure;
`service` has the methods; `server` opens the port and closes it. Nothing outside of this folder imports gRPC, and the
process imports this folder only where the port is wanted: that costs about 12 MB and some hundredths of a second.
"""
