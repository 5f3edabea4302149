// Connects ports of 127.0.0.1 with the guest. Runs inside the guest's network namespace; the listening sockets come from
// the parent, which is outside, and the relay ends with it.
import { connect } from "node:net";

process.on("disconnect", () => process.exit());
process.on("message", ({ guest, guestPort }, server) => {
  server.on("connection", (client) => join(client, connect({ host: guest, port: guestPort, allowHalfOpen: true })));
  process.send({ listening: guestPort });
});

function join(client, guest) {
  client.allowHalfOpen = true;
  client.pipe(guest).pipe(client);
  for (const [socket, other] of [
    [client, guest],
    [guest, client],
  ]) {
    socket.setNoDelay(true);
    // A reset on one side, or no guest at all, is a reset on the other.
    socket.on("error", () => other.resetAndDestroy());
  }
}
