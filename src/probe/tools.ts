import { type FactReader, read } from "./fact-reader.ts";

/** Version of the docker client; null without docker. */
export const docker: FactReader<string | null> = {
  name: "docker",
  script: "docker --version 2>&1",
  parse({ text, exitCode }) {
    const match = /Docker version\s+([^\s,]+)/i.exec(text);
    if (match) return read(match[1] as string, match[0]);
    if (exitCode === 127) return read(null, "docker is not installed", "No docker on the host");
    return read(null, null, "Docker version unknown: docker --version gave no version");
  },
};
