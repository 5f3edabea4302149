import type { Workload } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { certificateLine } from "../report/client-lines.ts";
import { type Certificate, certify, vouchesFor } from "../trust/certificate.ts";
import { type ClientLoad, expectedLoad, mostOf, producedLoad } from "../trust/client-load.ts";
import type { World } from "./world.ts";

export interface CertifiedWork {
  readonly workloads: readonly Workload[];
  /** Length of a check; 0: this client is not certified. */
  readonly seconds: number;
  /** Measures, and calls `onReady` when the server has shown that it answers. */
  readonly measure: (onReady: () => Promise<void>) => Promise<readonly LoadPoint[]>;
  /** Gets the certificate, null for none, before anything is measured; and once more when another one had to be made. */
  readonly keep: (certificate: Certificate | null) => Promise<void> | void;
}

/**
 * Measures with this client certified for the load that the workloads are expected to bring. When that certificate does
 * not vouch for the load that really came, another one is made for exactly that load.
 */
export async function certified(work: CertifiedWork, world: World): Promise<CertifiedPoints> {
  let before: Promise<Certificate | null> | null = null;
  // Not earlier: nobody should wait for a certificate to learn that nothing answers.
  const points = await work.measure(async () => {
    before ??= tryToCertify(expectedLoad(work.workloads), work, world);
    await work.keep(await before);
  });
  const certificate = await before;
  const produced = points.map(producedLoad).filter((load) => load !== null);
  if (certificate === null || produced.length === 0 || vouchesFor(certificate, points)) return { points, certificate };
  const another = await tryToCertify(mostOf(produced), work, world);
  await work.keep(another);
  return { points, certificate: another };
}

export interface CertifiedPoints {
  readonly points: readonly LoadPoint[];
  readonly certificate: Certificate | null;
}

/** A machine on which no truth server can be started can still measure: null, and a warning. */
async function tryToCertify(load: ClientLoad, { seconds }: CertifiedWork, world: World): Promise<Certificate | null> {
  const { models, clock, signal, loopWatch, console, machine, simulated } = world;
  // The embedded host shares this process: which of the two was late could not be told.
  if (seconds === 0 || simulated) return null;
  try {
    await using truth = await world.startTruth();
    const onProgress = (line: string) => console.progress(line);
    const context = { truth, models, clock, signal, loopWatch, machine, onProgress };
    const certificate = await certify(context, load, seconds);
    console.info(certificateLine(certificate));
    return certificate;
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    console.warn(`This client is not certified: ${error.message}`);
    return null;
  }
}
