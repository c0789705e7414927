"""HTTP server for a SavedModel with TensorFlow Serving's REST predict API; imports TensorFlow, but not regzoo.

``python serve.py MODEL`` prints the port it listens on. The path may name the model in any way.
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
    """Answer ``{"inputs": {...}}``, by columns; a single output is returned without its name, as it is there."""
    serve = MODEL.signatures[request.get("signature_name", "serving_default")]
    specs = serve.structured_input_signature[1]
    given = request["inputs"]
    named = given if isinstance(given, dict) else dict.fromkeys(specs, given)
    answers = serve(**{name: tf.constant(value, specs[name].dtype) for name, value in named.items()})
    outputs = {name: decode(value.numpy().tolist()) for name, value in answers.items()}
    return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}


def decode(value: Any) -> Any:
    """Return bytes as text, at any depth."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        code, content = 404, {"error": f"there is no {self.path}"}
        request = self.rfile.read(int(self.headers["Content-Length"]))
        if re.fullmatch(r"/v1/models/\w+:predict", self.path):
            try:
                code, content = 200, predict(json.loads(request))
            except (ValueError, KeyError, TypeError, tf.errors.OpError) as error:
                code, content = 400, {"error": str(error)}
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


assert "regzoo" not in sys.modules
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
