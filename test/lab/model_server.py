"""Stands in for ipex_llm.vllm.xpu.entrypoints.openai.api_server in the lab, on the few modules of python3-minimal."""
import signal
import socket
import sys
import threading

flags = dict(zip(sys.argv[1:], sys.argv[2:]))
name = flags["--served-model-name"]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

ANSWERS = {
    "/health": "{}",
    "/version": '{"version": "0.8.3+stand-in"}',
    "/v1/models": '{"object": "list", "data": [{"id": "%s", "object": "model", "max_model_len": 2048}]}' % name,
    "/v1/completions": '{"choices": [{"index": 0, "text": " the"}], "usage": {"completion_tokens": 1}}',
}


def serve(client):
    with client, client.makefile("rb") as lines:
        path = lines.readline().split()[1].decode()
        length = 0
        for line in iter(lines.readline, b"\r\n"):
            field, _, value = line.partition(b":")
            if field.lower() == b"content-length":
                length = int(value)
        lines.read(length)
        body = ANSWERS.get(path, "{}").encode()
        status = b"200 OK" if path in ANSWERS else b"404 Not Found"
        client.sendall(
            b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
            % (status, len(body), body)
        )


server = socket.create_server((flags["--host"], int(flags["--port"])))
print("INFO:     Application startup complete.", flush=True)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
