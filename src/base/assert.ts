/**
 * Assertions: how the program says that it is itself wrong.
 *
 * A scenario that is wrong gives a diagnostic, a property that fails gives a violation; neither comes through here.
 * Assertions stay on in releases, since a verdict from a broken model is worse than none.
 */

/** A mistake of ours, whatever the input was. The command line turns it into exit code 5. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

/** Stop when `holds` is false. `claim` says what should have been true: `apf: the token slot is free`. */
export function assert(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Bug(`does not hold: ${claim}`);
}

/** The value of a lookup that cannot miss. */
export function present<T>(value: T | null | undefined, claim: string): T {
  if (value === null || value === undefined) throw new Bug(`missing: ${claim}`);
  return value;
}

/** Close a `switch` or a chain over a union: a member left out does not compile. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${String(value)}`);
}
