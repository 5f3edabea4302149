import type { HistorySpec, HostSpec } from "../config/run-config.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { Files } from "../ports/files.ts";
import type { LoopWatch } from "../ports/loop-watch.ts";
import type { ModelStream, ModelStreamOptions } from "../ports/model-stream.ts";
import type { RecordStore } from "../ports/record-store.ts";
import type { Shell } from "../ports/shell.ts";
import type { TruthServer } from "../ports/truth-server.ts";
import type { RunIdentity, SourceIdentity } from "../record/run-record.ts";
import type { ClientMachine } from "../trust/certificate.ts";

/** Every effect a command may use: built once at the edge (`real-world.ts`), replaced by fakes in tests. */
export interface World {
  readonly clock: Clock;
  readonly files: Files;
  readonly console: Console;
  /** Whether what a command prints at its end goes to a terminal that shows colours. */
  readonly color: boolean;
  readonly models: ModelStream;
  /** Another client, for a server that is reached in another way than by the network and public certificates. */
  readonly openModels: (options: ModelStreamOptions) => ModelStream;
  /** How busy this process was while it measured; null where it also is the server. */
  readonly loopWatch: LoopWatch | null;
  /** Starts a truth server in a process of its own, to compare this client with. */
  readonly startTruth: () => Promise<TruthServer>;
  /** Where this client runs. */
  readonly machine: ClientMachine;
  readonly openShell: (host: HostSpec) => Promise<Shell>;
  readonly openStore: (history: HistorySpec) => RecordStore;
  /** Aborts when the user or the runner cancels. */
  readonly signal: AbortSignal;
  readonly identity: Omit<RunIdentity, "endedAt">;
  readonly source: SourceIdentity | null;
  /** True when the hosts are the embedded one. */
  readonly simulated: boolean;
  /** Folder with playbooks/, for playbooks given by name. */
  readonly productRoot: string;
  /** Measures when no other host is being measured: what one brings upon this client must not be in another's numbers. */
  readonly measureInTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Called before a server is started, so that a later process (the Action's post step) can stop it. */
  readonly rememberServer: (host: string, port: number) => void;
}
