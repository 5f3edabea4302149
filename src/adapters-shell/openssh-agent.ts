import { createServer, type Socket } from "node:net";
import type { ParsedKey } from "ssh2";

/**
 * An agent with one key, served by this process, so that the key reaches the ssh client without touching the disk.
 * It speaks the agent protocol (draft-ietf-sshm-ssh-agent) itself: ssh2's AgentProtocol loses its place in the stream
 * after the session-bind extension, with which OpenSSH 8.9 and later begin.
 */
export async function serveAgent(key: ParsedKey, socketPath: string): Promise<{ close(): void }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    answerRequests(socket, key);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  // It must not keep the process alive.
  server.unref();
  return { close: () => server.close() };
}

const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

function answerRequests(socket: Socket, key: ParsedKey): void {
  let pending = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      socket.write(string(answerOrFailure(pending.subarray(4, end), key)));
      pending = pending.subarray(end);
    }
  });
}

function answerOrFailure(request: Buffer, key: ParsedKey): Buffer {
  try {
    return answer(request, key);
  } catch {
    // A request that is cut off reads past its end.
    return Buffer.from([FAILURE]);
  }
}

function answer(request: Buffer, key: ParsedKey): Buffer {
  if (request[0] === REQUEST_IDENTITIES) {
    return Buffer.concat([
      Buffer.from([IDENTITIES_ANSWER]),
      uint32(1),
      string(key.getPublicSSH()),
      string(Buffer.alloc(0)),
    ]);
  }
  const signature = request[0] === SIGN_REQUEST ? sign(request, key) : null;
  return signature === null ? Buffer.from([FAILURE]) : Buffer.concat([Buffer.from([SIGN_RESPONSE]), string(signature)]);
}

function sign(request: Buffer, key: ParsedKey): Buffer | null {
  const blob = readString(request, 1);
  const data = readString(request, 5 + blob.length);
  const flags = request.readUInt32BE(9 + blob.length + data.length);
  if (!blob.equals(key.getPublicSSH())) return null;
  const { algorithm, hash } = key.type === "ssh-rsa" ? rsaVariant(flags) : { algorithm: key.type, hash: undefined };
  const signature: unknown = key.sign(data, hash);
  if (!(signature instanceof Buffer)) return null;
  const raw = key.type.startsWith("ecdsa-") ? fromDer(signature) : signature;
  return Buffer.concat([string(Buffer.from(algorithm)), string(raw)]);
}

function rsaVariant(flags: number): { algorithm: string; hash: string } {
  if (flags & 4) return { algorithm: "rsa-sha2-512", hash: "sha512" };
  if (flags & 2) return { algorithm: "rsa-sha2-256", hash: "sha256" };
  return { algorithm: "ssh-rsa", hash: "sha1" };
}

/** OpenSSL gives an ECDSA signature as SEQUENCE { INTEGER r, INTEGER s }; SSH wants r and s as mpints, whose bytes agree. */
function fromDer(der: Buffer): Buffer {
  const r = (der[1] ?? 0) > 0x80 ? 3 : 2;
  const rLength = der[r + 1] ?? 0;
  const s = r + 2 + rLength;
  return Buffer.concat([string(der.subarray(r + 2, s)), string(der.subarray(s + 2, s + 2 + (der[s + 1] ?? 0)))]);
}

function readString(from: Buffer, at: number): Buffer {
  return from.subarray(at + 4, at + 4 + from.readUInt32BE(at));
}

function string(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
