/**
 * What happens in a run, one after the other, as two runs are held against each other: records of tracepoints, and the
 * events that scenarios speak of.
 *
 * Things are named as a scenario names them, so that two programs can be compared whose rows stand elsewhere.
 */
import { present } from '../../base/assert.ts';
import { TP } from '../../trace/all.ts';
import { fieldNames, type TraceEvent } from '../../trace/event.ts';
import { formsOf, printPayload } from '../../trace/forms.ts';
import type { Version } from '../../trace/tracepoint.ts';
import { STEP_NAMES } from '../at.ts';
import { NO_THREAD } from '../engine.ts';
import { can_move, row_named } from '../incarnation.ts';
import { entityText } from '../judge/text.ts';
import type { Machine } from '../machine.ts';
import { type ArgumentKind, OBSERVATION_NAMES, OBSERVATIONS } from '../observe.ts';
import type { Program } from '../program.ts';
import { createSimulation, type Simulation } from '../simulation.ts';

export interface Happening {
  readonly time_ns: number;
  /** The host thread in whose step it came; a device or the scenario where there was none. */
  readonly who: string;
  /** The step, named for its kernel function; empty where no thread ran. */
  readonly at: string;
  /** Equal in two runs that do the same, whenever they do it. */
  readonly key: string;
  /** `halt(web.vcpu[0])`, or a line of the trace without its head. */
  readonly text: string;
  /** The same with every field, those too that the text of this version leaves out. */
  readonly whole: string;
  /** What an event of the scenarios means; empty for a record, which says it itself. */
  readonly means: string;
}

/** Steps between two looks at what has come. */
const SLICE_STEPS = 256;

export class Follower {
  readonly simulation: Simulation;
  readonly #program: Program;
  readonly #from_ns: number;
  #queue: Happening[] = [];
  #first = 0;

  /** What comes before `from_ns` is left out. */
  constructor(program: Program, from_ns: number) {
    this.#program = program;
    this.#from_ns = from_ns;
    const version = program.vms[0]?.knobs.trace_format ?? '6.12';
    const simulation = createSimulation(program, {
      record: event => {
        if (event.time_ns >= this.#from_ns) this.#queue.push(recordOf(m, event, version));
      },
    });
    this.simulation = simulation;
    const m = simulation.machine;
    const report = m.observe;
    m.observe = (observation, vm, a, b) => {
      report?.(observation, vm, a, b);
      if (m.clock.now_ns >= this.#from_ns) this.#queue.push(observationOf(m, observation, a, b));
    };
  }

  /** The next that nobody has taken yet; null when the run is over. */
  peek(): Happening | null {
    while (this.#first === this.#queue.length && this.simulation.over === null) {
      this.#queue = [];
      this.#first = 0;
      this.simulation.runUntil(this.#program.limit_ns, SLICE_STEPS);
    }
    return this.#queue[this.#first] ?? null;
  }

  take(): Happening | null {
    const next = this.peek();
    if (next) this.#first += 1;
    return next;
  }
}

/** Where the guest's code stands is invented; that it runs other code shows in what it does. */
const INVENTED: ReadonlySet<string> = new Set(['rip', 'guest_rip']);

export function recordOf(m: Machine, event: TraceEvent, version: Version): Happening {
  const { name, args, comm } = event;
  const fields = fieldNames(name);
  const told = args.map((value, index) => (INVENTED.has(fields[index] ?? '') ? '' : value));
  return {
    ...actorOf(m),
    key: `${comm} ${name} ${told.join(' ')}`,
    get text() {
      const { name: printed, text } = printPayload(formsOf(TP[name]), { format: 'ftrace', version, ns: true }, args);
      return `${printed}: ${text}`;
    },
    get whole() {
      return `${name}: ${args.map((value, index) => `${fields[index]} ${value}`).join(', ')}`;
    },
    means: '',
  };
}

export function observationOf(m: Machine, observation: number, a: number, b: number): Happening {
  const name = present(OBSERVATION_NAMES[observation], 'compare: an observation has a name');
  const { args, summary } = OBSERVATIONS[name];
  const text = `${name}(${args.map((kind, index) => argumentText(m, kind, index === 0 ? a : b)).join(', ')})`;
  return { ...actorOf(m), key: text, text, whole: text, means: summary };
}

function argumentText(m: Machine, kind: ArgumentKind, row: number): string {
  if (kind === 'mark') return JSON.stringify(m.places.marks[row] ?? '');
  return entityText(m, kind, can_move(m) ? row_named(m, kind, row) : row);
}

function actorOf({ clock, places, threads }: Machine): Pick<Happening, 'time_ns' | 'who' | 'at'> {
  const { now_ns: time_ns, current_thread } = clock;
  if (current_thread === NO_THREAD) return { time_ns, who: 'a device or the scenario', at: '' };
  const { comm } = present(places.threads[current_thread], 'compare: a thread has a place');
  return { time_ns, who: comm, at: STEP_NAMES[threads[current_thread]!.at] ?? '' };
}
