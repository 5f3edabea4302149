import { AppError } from "../core/app-error.ts";
import type { HttpRequest } from "../ports/model-stream.ts";

const FORBIDDEN = /[\r\n\0]/;

/** A request as it goes over the wire. Throws INPUT_INVALID when a header or the API key would break its lines. */
export function requestText(url: URL, target: string, { method, headers, apiKey, body }: HttpRequest): string {
  let text = `${method} ${target}`;
  for (const name in headers) text += line(url, name, headers[name] ?? "");
  if (apiKey !== undefined) text += line(url, "authorization", `Bearer ${apiKey.reveal()}`);
  if (body === undefined) return `${text}\r\n\r\n`;
  return `${text}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** What all requests to a URL have in common after the method. */
export function targetOf(url: URL): string {
  return `${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}`;
}

function line(url: URL, name: string, value: string): string {
  if (FORBIDDEN.test(name) || FORBIDDEN.test(value)) {
    throw new AppError("INPUT_INVALID", {
      message: `Cannot send a request to "${url.origin}${url.pathname}": a header or the API key holds a line break`,
      hint: "Remove the line break, often one at the end of a secret",
    });
  }
  return `\r\n${name}: ${value}`;
}
