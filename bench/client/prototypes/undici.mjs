import { createRequire } from "node:module";
import { runLoad } from "./load.mjs";

// npm install --no-save --prefix .cache/undici undici@7.16.0
const { Pool } = createRequire(new URL("../../../.cache/undici/", import.meta.url))("undici");

/** undici's dispatch, the layer below its streams. */
await runLoad(({ host, port, path, streams }) => {
  const pool = new Pool(`http://${host}:${port}`, { connections: streams, pipelining: 1 });
  return (body, onBytes, onEnd) => {
    pool.dispatch(
      { method: "POST", path, body, headers: { "content-type": "application/json" } },
      {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData: (_controller, bytes) => onBytes(bytes),
        onResponseEnd: onEnd,
        onResponseError(_controller, error) {
          throw error;
        },
      },
    );
  };
});
