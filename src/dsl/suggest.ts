/** Did you mean: the nearest of a list of names, by edit distance with transpositions. */

/** The name nearest to what was written, if it is near enough to be a slip of the finger. */
export function nearest(written: string, names: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 1;
  const lower = written.toLowerCase();
  for (const name of names) {
    if (Math.abs(name.length - written.length) >= bestDistance) continue;
    const distance = name.toLowerCase() === lower ? 0 : editDistance(lower, name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** `did you mean 'shell'?`, else the list of what there is, cut where it would be no help any more. */
export function didYouMean(written: string, names: Iterable<string>, what: string): string | null {
  const all = [...names];
  const near = nearest(written, all);
  if (near !== null) return `did you mean '${near}'?`;
  return all.length === 0 ? null : listed(all, what);
}

/** `known: a, b, and 3 more`: as many as are still of help. */
export function listed(names: readonly string[], what: string): string {
  const shown = names.slice(0, 12).join(', ');
  return `${what}: ${shown}${names.length > 12 ? `, and ${names.length - 12} more` : ''}`;
}

/** Optimal string alignment: insert, delete, replace, swap neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(before, column - 2) + 1);
      }
      current.push(cost);
    }
    [before, previous] = [previous, current];
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
