import { AppError } from "../core/app-error.ts";
import type { HttpAnswer, HttpRequest, ModelStream, TransportFailure } from "../ports/model-stream.ts";

/** Collects one whole answer over a stream. Rejects with ENDPOINT_UNREACHABLE or CANCELLED when there is none. */
export function askWhole(
  stream: ModelStream["stream"],
  request: HttpRequest,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let head: Omit<HttpAnswer, "body"> = { status: 0, headers: {} };
    let timedOut = false;
    const handle = stream(request, {
      onHeaders(status, headers) {
        head = { status, headers };
      },
      onData(bytes, start, end) {
        pieces.push(Buffer.from(bytes.subarray(start, end)));
      },
      onEnd() {
        stopWaiting();
        resolve({ ...head, body: Buffer.concat(pieces).toString() });
      },
      onFailure(failure, detail) {
        stopWaiting();
        const why = timedOut ? `no complete answer within ${timeoutMs} ms` : detail;
        reject(failure === "cancelled" && !timedOut ? cancelled(request) : unreachable(request, why, failure));
      },
    });
    const timer = setTimeout(() => {
      timedOut = true;
      handle.cancel();
    }, timeoutMs);
    const onAbort = () => handle.cancel();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) handle.cancel();

    function stopWaiting(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  });
}

function unreachable({ method, url }: HttpRequest, why: string, failure: TransportFailure): AppError {
  return new AppError("ENDPOINT_UNREACHABLE", {
    message: `Cannot ${method} "${url}": ${why}`,
    hint:
      failure === "tls"
        ? "Give the certificate of your CA with --ca-file (serve.ca-file); use http:// when the server speaks no TLS"
        : "Check that the server runs, that the address and port are right, and that this machine can reach it",
  });
}

function cancelled({ method, url }: HttpRequest): AppError {
  return new AppError("CANCELLED", {
    message: `Cannot ${method} "${url}": cancelled before the answer was complete`,
    hint: "Run again when ready",
  });
}
