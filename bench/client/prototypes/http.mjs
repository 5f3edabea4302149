import http from "node:http";
import { runLoad } from "./load.mjs";

/** node:http with a keep-alive agent. */
await runLoad(({ host, port, path, streams }) => {
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: streams });
  return (body, onBytes, onEnd) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, path, method: "POST", agent, headers }, (response) => {
      response.on("data", onBytes);
      response.on("end", onEnd);
    });
    request.end(body);
  };
});
