import type { TransportFailure } from "../ports/model-stream.ts";

const CONNECT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "EMFILE",
  "ENFILE",
]);

/** OpenSSL's and node's names for a certificate or a handshake that failed. */
const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** Which of our words fits an error of a socket. */
export function transportFailureOf(error: NodeJS.ErrnoException): TransportFailure {
  // "Happy eyeballs" reports all of its attempts at once; they failed alike.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return transportFailureOf(error.errors[0]);
  const code = error.code ?? "";
  if (TLS.test(code)) return "tls";
  if (CONNECT.has(code) && error.syscall !== "read" && error.syscall !== "write") return "connect";
  return "reset";
}
