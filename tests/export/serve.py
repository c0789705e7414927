"""A server for a SavedModel, in TensorFlow Serving's REST predict API; knows the standard library and TensorFlow alone.

python serve.py MODEL prints the port it listens on. The name of the model is in the path and may be any.
Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import tensorflow as tf

MODEL = tf.saved_model.load(sys.argv[1])


def predict(request: dict[str, Any]) -> dict[str, Any]:
    """Answer ``{"inputs": {...}}``, by columns; an output that is alone stands for itself, as there."""
    serve = MODEL.signatures[request.get("signature_name", "serving_default")]
    specs = serve.structured_input_signature[1]
    given = request["inputs"]
    named = given if isinstance(given, dict) else dict.fromkeys(specs, given)
    answers = serve(**{name: tf.constant(value, specs[name].dtype) for name, value in named.items()})
    plain = {name: text(value.numpy().tolist()) for name, value in answers.items()}
    return {"outputs": plain if len(plain) > 1 else next(iter(plain.values()))}


def text(value: Any) -> Any:
    """Bytes as text, at any depth."""
    if isinstance(value, list):
        return [text(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        code, said = 404, {"error": f"there is no {self.path}"}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if re.fullmatch(r"/v1/models/\w+:predict", self.path):
            try:
                code, said = 200, predict(json.loads(body))
            except (ValueError, KeyError, TypeError, tf.errors.OpError) as error:
                code, said = 400, {"error": str(error)}
        sent = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


assert "regzoo" not in sys.modules
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
