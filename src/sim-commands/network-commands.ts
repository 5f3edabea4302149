import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";

/** The few addresses that a playbook fetches from, and the host's own servers. */
export const networkCommands: Readonly<Record<string, StandIn>> = { curl, wget, gpg };

const INTEL_KEY_URL = "https://repositories.intel.com/gpu/intel-graphics.key";
const ARMOR = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
/** The simulated key signs nothing, and its fingerprint is nobody's: a playbook has to be told to accept it. */
export const SIMULATED_FINGERPRINT = "0000517A0000517A0000517A0000517A0000517A";

const KEY = `${ARMOR}\n\nsimulated key ${SIMULATED_FINGERPRINT}\n-----END PGP PUBLIC KEY BLOCK-----\n`;

async function curl(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, [
    "-o",
    "--output",
    "-H",
    "-d",
    "-X",
    "-m",
    "--max-time",
    "--retry",
    "-w",
    "--connect-timeout",
  ]);
  const url = operands[0] ?? "";
  const answer = await fetchText(call, url, options);
  if (answer === null) return failed(7, `curl: (7) Failed to connect to ${hostOf(url)}: Connection refused`);
  if (answer.status >= 400 && /f/.test(shortFlags(call.args)))
    return failed(22, `curl: (22) The requested URL returned error: ${answer.status}`);
  const to = options.get("-o") ?? options.get("--output");
  const format = options.get("-w")?.replace("%{http_code}", String(answer.status)).replaceAll("\\n", "\n") ?? "";
  if (to !== undefined && to !== "/dev/null") await call.machine.disk.writeFile(to, answer.text);
  return { stdout: (to === undefined ? answer.text : "") + format, stderr: "", exitCode: 0 };
}

async function wget(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, ["-O", "-qO"]);
  const to = call.args.some((word) => /^-q?O-$/.test(word)) ? "-" : (options.get("-O") ?? options.get("-qO") ?? "-");
  const answer = await fetchText(call, operands.find((word) => word !== "-") ?? "", options);
  if (answer === null || answer.status >= 400) return failed(4, "wget: unable to resolve host address");
  if (to === "-") return { stdout: answer.text, stderr: "", exitCode: 0 };
  await call.machine.disk.writeFile(to, answer.text);
  return ok();
}

/** Servers on the host are asked for real, over loopback; of the world outside only the key of Intel's repository exists. */
async function fetchText({ machine }: Call, url: string, options: ReadonlyMap<string, string>) {
  if (url === INTEL_KEY_URL) return { status: 200, text: KEY };
  const local = /^http:\/\/(?:127\.0\.0\.1|localhost|0\.0\.0\.0):(\d+)(\/.*)?$/.exec(url);
  const realPort = machine.listeners.get(Number(local?.[1]))?.realPort ?? null;
  if (local === null || realPort === null) return null;
  const body = options.get("-d");
  const response = await fetch(`http://127.0.0.1:${realPort}${local[2] ?? "/"}`, {
    method: body === undefined ? "GET" : "POST",
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
    signal: AbortSignal.any([machine.closing, AbortSignal.timeout(10_000)]),
  }).catch(() => null);
  return response === null ? null : { status: response.status, text: await response.text() };
}

async function gpg(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, ["--output", "-o"]);
  const to = options.get("--output") ?? options.get("-o");
  if (options.has("--version")) return ok("gpg (GnuPG) 2.2.27");
  const text = operands[0] === undefined ? call.stdin : ((await call.machine.disk.readText(operands[0])) ?? "");
  if (options.has("--show-keys")) {
    if (!text.includes(SIMULATED_FINGERPRINT)) return failed(2, "gpg: no valid OpenPGP data found.");
    return ok(
      `pub:-:3072:1:28DA432DAAC8BAEA:1620000000:::-:::scESC::::::23::0:\nfpr:::::::::${SIMULATED_FINGERPRINT}:`,
    );
  }
  if (!options.has("--dearmor")) return ok();
  if (!text.startsWith(ARMOR)) return failed(2, "gpg: no valid OpenPGP data found.");
  if (to === undefined) return { stdout: text, stderr: "", exitCode: 0 };
  if ((await call.machine.disk.exists(to)) && !options.has("--yes"))
    return failed(2, `gpg: dearmoring failed: File exists`);
  await call.machine.disk.writeFile(to, text.replace(ARMOR, "simulated keyring"));
  return ok();
}

function shortFlags(args: readonly string[]): string {
  return args.filter((word) => /^-[a-zA-Z]+$/.test(word)).join("");
}

function hostOf(url: string): string {
  return /^\w+:\/\/([^/]+)/.exec(url)?.[1] ?? url;
}
