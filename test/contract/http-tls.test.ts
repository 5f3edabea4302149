import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { resolve } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";

const folder = resolve(import.meta.dirname, "../cases/tls");
/** For the name "localhost", signed by itself, valid for a hundred years, and trusted by nobody else. */
const caFile = `${folder}/cert.pem`;
const server = createServer(
  { cert: readFileSync(caFile), key: readFileSync(`${folder}/key.pem`) },
  (_request, response) => response.end("hello"),
);
let port: number;

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (models: ReturnType<typeof httpModelStream>, host = "localhost") =>
  models.ask({ method: "GET", url: `https://${host}:${port}/`, headers: {} }, { timeoutMs: 5000 });

/** "localhost" may be ::1 first. */
const toServer = async (): Promise<Duplex> => connect(port, "127.0.0.1");

describe("httpModelStream() over TLS", () => {
  it("refuses a certificate that nobody vouches for, and names the flag that would", async () => {
    await expect(ask(httpModelStream())).rejects.toMatchObject({
      code: "ENDPOINT_UNREACHABLE",
      message: expect.stringContaining("self-signed certificate"),
      hint: expect.stringContaining("--ca-file (serve.ca-file)"),
    });
  });

  it("trusts the certificates of its CA file", async () => {
    expect(await ask(httpModelStream({ caFile }))).toMatchObject({ status: 200, body: "hello" });
  });

  it("refuses a trusted certificate of another name", async () => {
    await expect(ask(httpModelStream({ caFile }), "127.0.0.1")).rejects.toMatchObject({
      message: expect.stringMatching(/altnames|does not match/i),
      hint: expect.stringContaining("--ca-file"),
    });
  });

  it("checks the certificate in the same way through a connection that somebody else opened", async () => {
    expect(await ask(httpModelStream({ caFile, connect: toServer }))).toMatchObject({ body: "hello" });
    await expect(ask(httpModelStream({ connect: toServer }))).rejects.toMatchObject({
      message: expect.stringContaining("self-signed certificate"),
    });
  });

  it("says that a CA file cannot be read", () => {
    expect(() => httpModelStream({ caFile: "/nowhere/ca.pem" })).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining("/nowhere/ca.pem") }),
    );
  });
});
