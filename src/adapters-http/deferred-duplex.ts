import { Duplex } from "node:stream";

/** A stream that can be used before it is open, as a socket can. Emits "connect"; one that cannot be opened is destroyed. */
export function deferredDuplex(opening: Promise<Duplex>): Duplex {
  let inner: Duplex | null = null;
  const outer = new Duplex({
    allowHalfOpen: false,
    read: () => void inner?.resume(),
    write(chunk: Buffer, _encoding, done) {
      opening.then((open) => void open.write(chunk, () => done()), done);
    },
    destroy(error, done) {
      opening.then(
        (open) => void open.destroy(),
        () => {},
      );
      done(error);
    },
  });
  opening.then(
    (open) => {
      inner = open;
      open.on("data", (chunk: Buffer) => {
        if (!outer.push(chunk)) open.pause();
      });
      open.on("end", () => outer.push(null));
      open.on("error", (error) => outer.destroy(error));
      open.on("close", () => outer.destroy());
      outer.emit("connect");
    },
    (error: Error) => outer.destroy(error),
  );
  return outer;
}
