/**
 * Where two runs part: the first thing that one of them does and the other does not, at the same place in its order.
 *
 * Times do not count, since a version that checks more is slower from its first entry on without doing anything else;
 * from where the times differ is said beside it.
 */

import type { Program } from '../program.ts';
import type { KnobName } from '../protocol/knobs.ts';
import { knobsThatDiffer } from '../protocol/presets.ts';
import { Follower, type Happening } from './follower.ts';

/** How many of what each side does next are kept. */
const NEXT_KEPT = 4;

export interface Parting {
  /** How much both have done alike before. */
  readonly same: number;
  /** The last of that. */
  readonly last: Happening | null;
  /** What each does then, first what differs; empty where its run is over. */
  readonly a: readonly Happening[];
  readonly b: readonly Happening[];
  /** When, if ever, it does what the other does here. */
  readonly a_later_ns: number | null;
  readonly b_later_ns: number | null;
}

/** The first that both do at another time; null where there is none up to the parting. */
export interface Shifted {
  readonly a: Happening;
  readonly b: Happening;
}

export interface Comparison {
  readonly same: number;
  readonly shifted: Shifted | null;
  readonly parting: Parting | null;
}

/** Follows both to where they part, or to their end; what comes before `from_ns` does not count. */
export function compareRuns(a: Program, b: Program, from_ns: number): Comparison {
  const left = new Follower(a, from_ns);
  const right = new Follower(b, from_ns);
  let last: Happening | null = null;
  let shifted: Shifted | null = null;
  for (let same = 0; ; same += 1) {
    const one = left.peek();
    const other = right.peek();
    if (one === null && other === null) return { same, shifted, parting: null };
    if (one?.key !== other?.key) {
      return { same, shifted, parting: { same, last, ...partingAt(left, right) } };
    }
    if (one && other && shifted === null && one.time_ns !== other.time_ns) shifted = { a: one, b: other };
    last = one;
    left.take();
    right.take();
  }
}

function partingAt(left: Follower, right: Follower): Omit<Parting, 'same' | 'last'> {
  const [one, other] = [left.peek(), right.peek()];
  const a = restOf(left, other);
  const b = restOf(right, one);
  return { a: a.next, b: b.next, a_later_ns: a.later_ns, b_later_ns: b.later_ns };
}

/** What comes next on one side, and when it does what the other did. */
function restOf(
  side: Follower,
  wanted: Happening | null,
): { readonly next: readonly Happening[]; readonly later_ns: number | null } {
  const next: Happening[] = [];
  let later_ns: number | null = null;
  for (;;) {
    const happening = side.take();
    if (happening && next.length < NEXT_KEPT) next.push(happening);
    if (happening !== null && happening.key === wanted?.key) later_ns ??= happening.time_ns;
    const known = wanted === null || later_ns !== null;
    if (happening === null || (known && next.length === NEXT_KEPT)) return { next, later_ns };
  }
}

// -- Knobs ----------------------------------------------------------------------------------------

/** A knob in which two programs differ, and whether it alone turns the one run at the very place into the other. */
export interface KnobPart {
  readonly knob: KnobName;
  /** `same`: it then does what the other does there. `other`: it parts there too, but does something else. */
  readonly makes: 'same' | 'other' | 'nothing';
}

/** The knobs in which two programs differ, VM by VM. */
export function knobsBetween(a: Program, b: Program): readonly KnobName[] {
  const names = a.vms.flatMap((vm, index) => {
    const other = b.vms[index];
    return other ? knobsThatDiffer(vm.knobs, other.knobs) : [];
  });
  return [...new Set(names)];
}

/** Turns each knob alone and looks whether the runs still part at the same place. */
export function knobsOfParting(a: Program, b: Program, from_ns: number, parting: Parting): readonly KnobPart[] {
  return knobsBetween(a, b).map(knob => ({ knob, makes: whatItMakes(a, turned(a, b, knob), from_ns, parting) }));
}

function turned(a: Program, b: Program, knob: KnobName): Program {
  return {
    ...a,
    vms: a.vms.map((vm, index) => {
      const other = b.vms[index];
      return other ? { ...vm, knobs: { ...vm.knobs, [knob]: other.knobs[knob] } } : vm;
    }),
  };
}

function whatItMakes(a: Program, changed: Program, from_ns: number, { same, b: [wanted] }: Parting): KnobPart['makes'] {
  try {
    const [left, right] = [new Follower(a, from_ns), new Follower(changed, from_ns)];
    for (let nr = 0; nr < same; nr += 1) if (left.take()?.key !== right.take()?.key) return 'nothing';
    const [one, other] = [left.peek(), right.peek()];
    if (one?.key === other?.key) return 'nothing';
    return other?.key === wanted?.key ? 'same' : 'other';
  } catch {
    // A kernel that never was may leave the model no way on: it is not what the other version is.
    return 'nothing';
  }
}
