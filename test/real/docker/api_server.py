"""Stands in for ipex_llm.vllm.xpu.entrypoints.openai.api_server: the flags of vLLM 0.8.3, then the paths of its server.

STAND_IN says how it behaves: serve (default), eat-memory, silent.
"""
import argparse
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser(prog="api_server.py", allow_abbrev=False)
for name in ("served-model-name", "model", "host"):
    parser.add_argument(f"--{name}", required=True)
for name in ("port", "max-model-len", "max-num-batched-tokens", "max-num-seqs", "tensor-parallel-size"):
    parser.add_argument(f"--{name}", type=int)
parser.add_argument("--gpu-memory-utilization", type=float)
parser.add_argument("--device", choices=["xpu"], required=True)
parser.add_argument("--dtype", choices=["auto", "half", "float16", "bfloat16", "float", "float32"])
parser.add_argument("--load-in-low-bit", choices=["sym_int4", "asym_int4", "fp6", "fp8", "fp8_e4m3", "fp8_e5m2", "fp16"])
for name in ("trust-remote-code", "enforce-eager"):
    parser.add_argument(f"--{name}", action="store_true")
args = parser.parse_args()

for name in sorted(os.environ):
    if name != "VLLM_API_KEY":
        print(f"environment {name}={os.environ[name]}", flush=True)
with open(os.path.join(args.model, "config.json"), encoding="utf-8") as config:
    print(f"INFO loading {args.model} {json.load(config)}", flush=True)

mode = os.environ.get("STAND_IN", "serve")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
eaten = []
while mode == "eat-memory":
    print(f"INFO loading weights, {len(eaten) * 8} MiB", flush=True)
    eaten.append(b"x" * 2**23)
while mode == "silent":
    print("INFO still loading", flush=True)
    time.sleep(0.2)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send_json(self, body, status=200):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refused(self):
        key = os.environ.get("VLLM_API_KEY")
        if key is None or not self.path.startswith("/v1"):
            return False
        if self.headers.get("authorization") == f"Bearer {key}":
            return False
        self.send_json({"error": "Unauthorized"}, 401)
        return True

    def do_GET(self):
        if self.refused():
            return
        model = {"id": args.served_model_name, "object": "model", "max_model_len": args.max_model_len}
        known = {
            "/health": {},
            "/version": {"version": "0.8.3+stand-in"},
            "/v1/models": {"object": "list", "data": [model]},
        }
        if self.path in known:
            self.send_json(known[self.path])
        else:
            self.send_json({"detail": "Not Found"}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.refused():
            return
        if body.get("stream"):
            self.stream(body["max_tokens"])
        else:
            usage = {"prompt_tokens": 1, "completion_tokens": 1}
            self.send_json({"choices": [{"index": 0, "text": " the", "finish_reason": "length"}], "usage": usage})

    def stream(self, tokens):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for _ in range(tokens):
            self.wfile.write(b'data: {"choices":[{"index":0,"text":" the"}]}\n\n')
            time.sleep(0.05)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True


ThreadingHTTPServer.daemon_threads = True
server = ThreadingHTTPServer((args.host, args.port), Handler)
print("INFO:     Application startup complete.", flush=True)
server.serve_forever()
