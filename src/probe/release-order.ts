/** Orders kernel releases as people do, newest first: 6.8.0-45 before 6.8.0-9 before 6.5.0-35. */
export function newestFirst(a: string, b: string): number {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (right[index] ?? -1) - (left[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function numbersOf(release: string): number[] {
  return (release.match(/\d+/g) ?? []).map(Number);
}
