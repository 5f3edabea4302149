import { type FactReader, read } from "./fact-reader.ts";
import type { GpuProcess } from "./host-facts.ts";

/** Processes with a render node or card open. Without root only our own can be seen, so the list is then unknown. */
export const gpuProcesses: FactReader<readonly GpuProcess[] | null> = {
  name: "gpu-processes",
  script: `
arc_root true 2>/dev/null && echo complete=yes
arc_root find /proc/[0-9]*/fd -maxdepth 1 -lname '/dev/dri/*' 2>/dev/null | while IFS=/ read -r _ _ pid _; do
  IFS= read -r comm < "/proc/$pid/comm" && echo "process=$pid $comm"
done
true`,
  parse({ text }) {
    if (!/^complete=yes$/m.test(text)) return read(null, null, "GPU processes unknown: listing them needs root");
    const byPid = new Map<number, string>();
    for (const match of text.matchAll(/^process=(\d{1,10}) (.*)$/gm))
      byPid.set(Number(match[1]), (match[2] as string).trim());
    const processes = [...byPid].map(([pid, command]) => ({ pid, command }));
    return read(
      processes,
      processes.map(({ pid, command }) => `${pid} ${command}`).join("\n") || "no process holds a GPU",
    );
  },
};
