import { type FactReader, read } from "./fact-reader.ts";

/** Device files through which programs reach a GPU, for example /dev/dri/renderD128. */
export const renderNodes: FactReader<readonly string[]> = {
  name: "render-nodes",
  script: `for f in "$ARC_ROOT"/dev/dri/renderD*; do [ -e "$f" ] && echo "node=/dev/dri/\${f##*/}"; done; true`,
  parse({ text }) {
    const nodes = [...text.matchAll(/^node=(\/dev\/dri\/renderD\d{1,4})\s*$/gm)].map((match) => match[1] as string);
    return read(nodes, nodes.join("\n") || "no /dev/dri/renderD*");
  },
};
