/** What came is not an HTTP/1.x answer. */
export class HttpSyntaxError extends Error {
  override readonly name = "HttpSyntaxError";
}

export interface HttpHead {
  readonly status: number;
  /** Names in lower case; the values of a repeated name joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** The connection may carry another answer after this one. */
  readonly keepAlive: boolean;
  /** How the body ends: a number is its length in bytes. */
  readonly body: "chunked" | "until-close" | number;
}

/** Reads the head of an answer without its empty line (RFC 9112 §6.3 for the body). Throws HttpSyntaxError. */
export function parseHttpHead(text: string): HttpHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, version = "", digits = ""] = /^HTTP\/(1\.[01]) (\d{3})(?: |$)/.exec(statusLine) ?? [];
  if (digits === "") throw new HttpSyntaxError(`an answer that begins with ${JSON.stringify(statusLine.slice(0, 60))}`);
  const status = Number(digits);
  const headers = headersOf(lines);
  const body = bodyOf(status, headers);
  const connection = headers["connection"] ?? "";
  const staysOpen = version === "1.1" ? !/\bclose\b/i.test(connection) : /\bkeep-alive\b/i.test(connection);
  return { status, headers, keepAlive: staysOpen && body !== "until-close", body };
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

function bodyOf(status: number, headers: Readonly<Record<string, string>>): HttpHead["body"] {
  if (status < 200 || status === 204 || status === 304) return 0;
  if (/\bchunked\b/i.test(headers["transfer-encoding"] ?? "")) return "chunked";
  const length = headers["content-length"];
  if (length === undefined) return "until-close";
  if (!/^\d+$/.test(length)) throw new HttpSyntaxError(`a content-length of "${length}"`);
  return Number(length);
}
