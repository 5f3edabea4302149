import type { Duplex } from "node:stream";
import type { Secret } from "../core/secret.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer …`. */
  readonly apiKey?: Secret;
  readonly body?: string;
}

/** Why a request ended without a complete answer. */
export type TransportFailure = "connect" | "tls" | "reset" | "cancelled";

/**
 * Receives one answer as it arrives. Every `atMs` is monotonic and stamped when the bytes were read, before anything
 * looks at them. `onHeaders` comes once; then `onData` any number of times; then exactly one of `onEnd`, `onFailure`.
 */
export interface StreamSink {
  onHeaders(status: number, headers: Readonly<Record<string, string>>, atMs: number): void;
  /** A part of the body, from `start` to before `end`: the buffer around it is shared and only valid during the call. */
  onData(bytes: Uint8Array, start: number, end: number, atMs: number): void;
  /** The body ended as HTTP says it must. */
  onEnd(atMs: number): void;
  onFailure(failure: TransportFailure, detail: string, atMs: number): void;
}

export interface StreamHandle {
  /** True once the request had to be sent a second time because the server had closed a reused, idle connection. */
  readonly resent: boolean;
  /** Closes the connection; the sink gets `onFailure("cancelled")`. */
  cancel(): void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a model server is reached. */
export interface ModelStreamOptions {
  /** PEM file with the certificates to trust instead of the public ones. */
  readonly caFile?: string;
  /** Opens every connection; absent: the operating system does. For a way through something else, such as SSH. */
  readonly connect?: OpenConnection;
}

export type OpenConnection = (address: string, port: number) => Promise<Duplex>;

/** HTTP to a model server: streamed for measuring, whole for everything else. */
export interface ModelStream {
  /** Never calls the sink before it has returned. */
  stream(request: HttpRequest, sink: StreamSink): StreamHandle;
  /** One whole answer, whatever its status. Rejects with ENDPOINT_UNREACHABLE when there is none. */
  ask(request: HttpRequest, options: { timeoutMs: number; signal?: AbortSignal }): Promise<HttpAnswer>;
  /**
   * Opens connections ahead, until `count` idle ones are there, so that opening them is part of no measurement.
   * A connection that cannot be opened is left out: the request that needs it will say why.
   */
  open?(url: string, count: number): Promise<void>;
  /** Closes idle connections. */
  [Symbol.asyncDispose](): Promise<void>;
}
