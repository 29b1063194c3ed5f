/** What of an expression has to be followed through a run, so that each thing it is about needs a place of its own to be remembered. */
import type { Expression } from './expression.ts';
import { EVENTS } from './vocabulary.ts';

/** Whether something of the variable has to be watched as the run goes on: its events, or what it was before. */
export function isWatched(of: Expression, variable: string): boolean {
  const inside = (each: Expression): boolean => isWatched(each, variable);
  switch (of.kind) {
    case 'call': {
      const isEvent = of.of.kind === 'name' && Object.hasOwn(EVENTS, of.of.name);
      const isPast = of.of.kind === 'name' && LOOKS_BACK.has(of.of.name);
      return of.args.some(
        ({ value }) => (isEvent && mentions(value, variable)) || (isPast && isAbout(value, variable)) || inside(value),
      );
    }
    case 'not':
    case 'negate':
      return inside(of.of);
    case 'is':
      return (of.past && isAbout(of.of, variable)) || inside(of.of);
    case 'lasting':
      return isAbout(of.of, variable) || inside(of.of);
    case 'binary':
      return (of.op === 'since' && isAbout(of, variable)) || inside(of.left) || inside(of.right);
    case 'quantifier':
      return inside(of.body) || (isOfRecords(of.over) && isAbout(of.body, variable));
    default:
      return false;
  }
}

/** Records are judged one by one as they are made, not when somebody asks. */
export function isOfRecords(of: Expression): boolean {
  return of.kind === 'call' && of.of.kind === 'name' && of.of.name === 'trace';
}

/** Functions that keep what has been. */
const LOOKS_BACK: ReadonlySet<string> = new Set(['prev', 'max_time']);

/** Whether the variable stands anywhere in it. */
export function isAbout(of: Expression, variable: string): boolean {
  const inside = (each: Expression): boolean => isAbout(each, variable);
  switch (of.kind) {
    case 'name':
      return of.name === variable;
    case 'member':
    case 'not':
    case 'negate':
    case 'is':
    case 'lasting':
      return inside(of.of);
    case 'index':
      return inside(of.of) || inside(of.index);
    case 'call':
      return of.args.some(({ value }) => inside(value));
    case 'binary':
      return inside(of.left) || inside(of.right);
    case 'quantifier':
      return inside(of.over) || inside(of.body);
    default:
      return false;
  }
}

function mentions(of: Expression, name: string): boolean {
  if (of.kind === 'name') return of.name === name;
  return (of.kind === 'member' || of.kind === 'index') && mentions(of.of, name);
}
