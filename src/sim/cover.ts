/**
 * What of the model a run has reached: guards that were asked, terms that decided, knobs that were read, steps, states.
 *
 * A listener like a trace: it changes nothing, and a machine that nobody covers only tests for it where a guard is asked.
 * Knobs are told by what reads them, so a run that never reads one would be the same with any other value.
 */
import type { Column } from '../base/table.ts';
import { tracepoints } from '../trace/all.ts';
import { AT, STEP_NAMES } from './at.ts';
import { RUNNABLE_TERMS } from './kvm/block.ts';
import type { Machine } from './machine.ts';
import { OBSERVATION_NAMES } from './observe.ts';
import type { Program } from './program.ts';
import { GUARD_NAMES } from './protocol/guards.ts';
import { isSetKnob, KNOB_NAMES, KNOBS, type KnobName, type Knobs } from './protocol/knobs.ts';
import { compiledSchema, type S } from './schema.ts';

/** What there is to reach, in the order of a report. */
export const COVER_KINDS = ['guard', 'branch', 'knob', 'step', 'transition', 'state', 'event', 'tracepoint'] as const;
export type CoverKind = (typeof COVER_KINDS)[number];

export const COVER_SUMMARIES: { readonly [K in CoverKind]: string } = {
  guard: 'conditions that every version has, and that were asked',
  branch: 'terms of the gate that held or refused, and terms that made a vCPU runnable',
  knob: 'values of knobs that something asked for while a version had them',
  step: 'steps that a thread took',
  transition: 'steps that followed one another, of those that are known to',
  state: 'values that a field of the machine had after some step',
  event: 'what can be said to have happened, and did',
  tracepoint: 'tracepoints of the model that were hit',
};

/** Tables of which there are few rows, so that they can be looked at after every step. */
const WATCHED: ReadonlySet<string> = new Set([
  'vm',
  'vcpu',
  'thread',
  'work',
  'task',
  'node',
  'hold',
  'action',
  'migration',
  'memslot',
]);

interface Watched {
  readonly table: keyof S & string;
  readonly name: string;
  /** By value: `vcpu.mp_state HALTED`. */
  readonly names: readonly string[];
}

/** Fields that name a step are told as steps. */
function isStep(names: readonly string[]): boolean {
  return names.length === STEP_NAMES.length;
}

const STATES: readonly Watched[] = compiledSchema.fields.flatMap(({ table, name, kind, hashed }) =>
  hashed && WATCHED.has(table) && kind.shape === 'scalar' && kind.names !== null && !isStep(kind.names)
    ? [{ table: table as keyof S & string, name, names: kind.names.map(value => `${table}.${name} ${value}`) }]
    : [],
);

const GATE_NAMES: readonly string[] = KNOBS.gate.values;
const RUNNABLE_TEXTS = RUNNABLE_TERMS.map(({ text }) => text);
const gateBranch = (term: string, holds: boolean): string => `gate ${term} ${holds ? 'holds' : 'refuses'}`;
const runnableBranch = (text: string): string => `runnable: ${text}`;
const transition = (from: number, to: number): string => `${STEP_NAMES[from]} -> ${STEP_NAMES[to]}`;

/** What is known from runs and sources alone: which steps follow one another, what the model traces at all. */
interface Known {
  readonly transitions: readonly string[];
  readonly tracepoints: readonly string[];
}

/** All that can be reached. */
export function reachable(known: Known): Readonly<Record<CoverKind, readonly string[]>> {
  return {
    guard: GUARD_NAMES,
    branch: [
      ...GATE_NAMES.flatMap(term => [gateBranch(term, true), gateBranch(term, false)]),
      ...RUNNABLE_TEXTS.map(runnableBranch),
    ],
    knob: KNOB_NAMES.filter(knob => knob !== 'guards').flatMap(knob =>
      KNOBS[knob].values.map(value => `${knob} ${value}`),
    ),
    step: STEP_NAMES.filter(name => name !== 'off'),
    transition: known.transitions,
    state: STATES.flatMap(({ names }) => names),
    event: OBSERVATION_NAMES,
    tracepoint: tracepoints.map(({ name }) => name).filter(name => known.tracepoints.includes(name)),
  };
}

/** The elements of a set knob, which tell what they are asked for. */
class AskedSet extends Array<string> {
  // Arrays made from it, by map() and filter(), are plain ones.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  readonly asked = new Set<string>();

  override includes(element: string): boolean {
    this.asked.add(element);
    return super.includes(element);
  }
}

/** Names of a list whose flags are set. */
function flagged(names: readonly string[], flags: Uint8Array): readonly string[] {
  return names.filter((_, index) => flags[index] === 1);
}

/** What is looked at after every step: nothing, which step it was, or the states as well, which takes the most time. */
type Follows = 'nothing' | 'steps' | 'states';

/** What one run has reached, or several of them. Told while they run, by numbers; asked afterwards, by names. */
export class Cover {
  readonly #reached = new Map<CoverKind, Set<string>>(COVER_KINDS.map(kind => [kind, new Set()]));
  /** Knobs that were read at all, and `KNOB ELEMENT` of the sets, whether there or not. */
  readonly #read = new Set<string>();
  readonly #sets: (readonly [knob: string, set: AskedSet])[] = [];
  readonly #observations = new Uint8Array(OBSERVATION_NAMES.length);
  readonly #tracepoints = new Uint8Array(tracepoints.length);
  readonly #gate_held = new Uint8Array(GATE_NAMES.length);
  readonly #gate_refused = new Uint8Array(GATE_NAMES.length);
  readonly #runnable = new Uint8Array(RUNNABLE_TERMS.length);
  readonly #transitions = new Uint8Array(STEP_NAMES.length * STEP_NAMES.length);
  readonly #states = STATES.map(({ names }) => new Uint8Array(names.length));
  #guards = 0;
  readonly #follows: Follows;
  #started = false;
  #at: Uint16Array = new Uint16Array(0);
  #columns: readonly Column[] = [];

  constructor(follows: Follows = 'states') {
    this.#follows = follows;
  }

  /** Whether anything read the knob, of a set knob this element of it. */
  read(knob: string, element: string | null = null): boolean {
    return this.#read.has(element === null ? knob : `${knob} ${element}`);
  }

  /** Takes over what another run has reached. */
  add(other: Cover): void {
    for (const kind of COVER_KINDS) this.#add(kind, [...other.of(kind)]);
  }

  /** What was reached, by name. */
  of(kind: CoverKind): ReadonlySet<string> {
    return this.#reached.get(kind)!;
  }

  // -- Told by the model, while it runs -----------------------------------------------------------

  guard(bit: number): void {
    this.#guards |= bit;
  }

  gate(term: string, holds: boolean): void {
    (holds ? this.#gate_held : this.#gate_refused)[GATE_NAMES.indexOf(term)] = 1;
  }

  runnable(text: string): void {
    this.#runnable[RUNNABLE_TEXTS.indexOf(text)] = 1;
  }

  event(observation: number): void {
    this.#observations[observation] = 1;
  }

  tracepoint(id: number): void {
    this.#tracepoints[id] = 1;
  }

  /** The program with knobs that tell who reads them. */
  over(program: Program): Program {
    return { ...program, vms: program.vms.map(vm => ({ ...vm, knobs: this.#overKnobs(vm.knobs) })) };
  }

  #overKnobs(knobs: Knobs): Knobs {
    const told = { ...knobs };
    for (const knob of KNOB_NAMES) {
      const value: string | readonly string[] = knobs[knob];
      if (typeof value === 'string') this.#tell(told, knob, value);
      else {
        const set = new AskedSet(...value);
        this.#sets.push([knob, set]);
        Object.defineProperty(told, knob, { value: set });
      }
    }
    return told;
  }

  /** Until it is known, that it was read and that it was read by a step, is told. */
  #tell(told: Knobs, knob: KnobName, value: string): void {
    Object.defineProperty(told, knob, {
      configurable: true,
      enumerable: true,
      get: () => {
        this.#read.add(knob);
        // What lays out the machine asks as well, and decides nothing.
        if (this.#started) {
          this.#note('knob').add(`${knob} ${value}`);
          Object.defineProperty(told, knob, { value });
        }
        return value;
      },
    });
  }

  /** The machine is there, and nothing has happened yet. */
  start(m: Machine): void {
    this.#started = true;
    this.#at = Uint16Array.from(m.threads, thread => thread.at);
    this.#columns = this.#follows === 'states' ? STATES.map(({ table, name }) => m.layout.column(table, name)) : [];
  }

  /** After every step. */
  stepped(m: Machine): void {
    if (this.#follows === 'nothing') return;
    const before = this.#at;
    const { current_thread } = m.clock;
    // Nobody but a thread itself moves on where it stands.
    if (current_thread < before.length) {
      const { at } = m.threads[current_thread]!;
      this.#transitions[before[current_thread]! * STEP_NAMES.length + at] = 1;
      before[current_thread] = at;
    }
    for (let index = 0; index < this.#columns.length; index += 1) {
      const { values, first, step } = this.#columns[index]!;
      const seen = this.#states[index]!;
      for (let at = first; at < values.length; at += step) seen[values[at]!] = 1;
    }
  }

  /** The run is over: what it has told is known by name from now on. */
  finish(): void {
    for (const [knob, set] of this.#sets.filter(([name]) => name !== 'guards'))
      for (const element of set.asked) {
        this.#read.add(`${knob} ${element}`);
        if (set.indexOf(element) >= 0) this.#add('knob', [`${knob} ${element}`]);
      }
    this.#add(
      'guard',
      GUARD_NAMES.filter((_, index) => (this.#guards & (1 << index)) !== 0),
    );
    const held = flagged(GATE_NAMES, this.#gate_held);
    const refused = flagged(GATE_NAMES, this.#gate_refused);
    for (const term of refused) this.#read.add(`gate ${term}`);
    this.#add(
      'knob',
      [...held, ...refused].map(term => `gate ${term}`),
    );
    this.#add('branch', [
      ...held.map(term => gateBranch(term, true)),
      ...refused.map(term => gateBranch(term, false)),
      ...flagged(RUNNABLE_TEXTS, this.#runnable).map(runnableBranch),
    ]);
    this.#add('event', flagged(OBSERVATION_NAMES, this.#observations));
    this.#add(
      'tracepoint',
      flagged(
        tracepoints.map(({ name }) => name),
        this.#tracepoints,
      ),
    );
    this.#transitions.forEach((seen, index) => {
      const from = Math.floor(index / STEP_NAMES.length);
      if (!seen || from === AT.off) return;
      this.#add('step', [STEP_NAMES[from]!]);
      this.#add('transition', [transition(from, index % STEP_NAMES.length)]);
    });
    for (const [index, { names }] of STATES.entries()) this.#add('state', flagged(names, this.#states[index]!));
  }

  #note(kind: CoverKind): Set<string> {
    return this.#reached.get(kind)!;
  }

  #add(kind: CoverKind, names: readonly string[]): void {
    for (const name of names) this.#note(kind).add(name);
  }
}

/** Whether taking one guard away could have made a difference to a run that reached this. */
export function mattersTo(cover: Cover, knob: keyof Knobs, element: string | null): boolean {
  if (knob === 'guards') return element === null || cover.of('guard').has(element);
  if (!isSetKnob(knob) || element === null) return cover.read(knob);
  // Of these two one is enough, so that each stands in for the other.
  const pair = ['interrupt_allowed', 'nmi_allowed'];
  const asked = knob === 'gate' && pair.includes(element) ? pair : [element];
  return asked.some(each => cover.read(knob, each));
}
