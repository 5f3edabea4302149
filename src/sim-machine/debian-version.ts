/** Orders two Debian versions (deb-version(7)): epoch, upstream, revision; "~" sorts before everything. */
export function compareVersions(left: string, right: string): number {
  const [leftEpoch, leftRest] = splitEpoch(left);
  const [rightEpoch, rightRest] = splitEpoch(right);
  if (leftEpoch !== rightEpoch) return leftEpoch - rightEpoch;
  const [leftUpstream, leftRevision] = splitRevision(leftRest);
  const [rightUpstream, rightRevision] = splitRevision(rightRest);
  return comparePart(leftUpstream, rightUpstream) || comparePart(leftRevision, rightRevision);
}

function splitEpoch(version: string): [number, string] {
  const match = /^(\d+):(.*)$/.exec(version);
  return match ? [Number(match[1]), match[2] as string] : [0, version];
}

function splitRevision(version: string): [string, string] {
  const dash = version.lastIndexOf("-");
  return dash < 0 ? [version, ""] : [version.slice(0, dash), version.slice(dash + 1)];
}

/** Runs of other characters and of digits by turns. */
function comparePart(left: string, right: string): number {
  const lefts = left.match(/\D+|\d+/g) ?? [];
  const rights = right.match(/\D+|\d+/g) ?? [];
  let [a, b] = [align(lefts), align(rights)];
  const length = Math.max(a.length, b.length);
  a = [...a, ...Array.from({ length: length - a.length }, (_, at) => ((a.length + at) % 2 === 0 ? "" : "0"))];
  b = [...b, ...Array.from({ length: length - b.length }, (_, at) => ((b.length + at) % 2 === 0 ? "" : "0"))];
  for (let at = 0; at < length; at += 1) {
    const order = at % 2 === 0 ? compareLetters(a[at] ?? "", b[at] ?? "") : Number(a[at]) - Number(b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** So that even places hold letters and odd places digits. */
function align(parts: readonly string[]): string[] {
  return /^\d/.test(parts[0] ?? "") ? ["", ...parts] : [...parts];
}

function compareLetters(left: string, right: string): number {
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const order = weight(left[at]) - weight(right[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(letter: string | undefined): number {
  if (letter === "~") return -1;
  if (letter === undefined) return 0;
  return /[a-z]/i.test(letter) ? letter.charCodeAt(0) : letter.charCodeAt(0) + 256;
}
