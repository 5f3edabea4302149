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

/** Version of xpu-smi: 1.x prints a block, 2.x one line. Null without xpu-smi. */
export const xpuSmi: FactReader<string | null> = {
  name: "xpu-smi",
  script: "arc_limit 20 xpu-smi -v 2>&1",
  parse({ text, exitCode }) {
    const match = /\bversion:?\s+v?(\d+\.[\w.+~-]+)/i.exec(text) ?? /\bxpu-smi\s+v?(\d+\.[\w.+~-]+)/i.exec(text);
    if (match) return read(match[1] as string, match[0].trim());
    if (exitCode === 127) return read(null, "xpu-smi is not installed", "No xpu-smi on the host");
    return read(null, null, "xpu-smi version unknown: xpu-smi -v gave no version");
  },
};
