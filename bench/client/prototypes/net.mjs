import net from "node:net";
import { runLoad } from "./load.mjs";

/** node:net, all sockets reading into one buffer; the end of an answer is its last chunk. */
await runLoad(({ host, port, path }) => {
  const shared = Buffer.allocUnsafeSlow(64 * 1024);
  const idle = [];

  function open() {
    const connection = { onBytes: null, onEnd: null, socket: null };
    connection.socket = net.connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback(length) {
          const bytes = shared.subarray(0, length);
          connection.onBytes(bytes);
          if (
            bytes[length - 5] === 48 &&
            bytes[length - 7] === 13 &&
            bytes[length - 1] === 10 &&
            bytes[length - 3] === 10
          ) {
            idle.push(connection);
            connection.onEnd();
          }
          return true;
        },
      },
    });
    return connection;
  }

  return (body, onBytes, onEnd) => {
    const connection = idle.pop() ?? open();
    connection.onBytes = onBytes;
    connection.onEnd = onEnd;
    connection.socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ${host}:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      "latin1",
    );
  };
});
