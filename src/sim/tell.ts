/**
 * A run as it can be told: whose turn it was, what he did in it that somebody can see, and how it all stands at the end.
 *
 * A turn is a run of steps of one actor. Steps that nobody can tell from nothing are counted and left out, and turns that
 * only these stood between are one.
 */
import { type Happening, observationOf, recordOf } from './compare/follower.ts';
import { NO_THREAD } from './engine.ts';
import { entityText, hexText } from './judge/text.ts';
import { KVM_REQ_NAMES } from './kvm/requests.ts';
import type { Machine } from './machine.ts';
import type { JudgementResult } from './outcome.ts';
import type { Program } from './program.ts';
import { GUEST_TASK, MP_STATE, TASK_STATE } from './schema.ts';
import { createSimulation } from './simulation.ts';
import { Watcher } from './why/actor.ts';
import { missingWake, termsOf } from './why/explain.ts';
import { whereIsVcpu } from './why.ts';

/** Something that a step did. */
export interface Doing {
  /** The step, named for its kernel function; empty for a device, a timer or the scenario. */
  readonly at: string;
  /** `took_apf(t.heap.page(1))`, or what a field was and is. */
  readonly text: string;
  /** What that means, in a sentence; empty where the text says it. */
  readonly means: string;
  /** The actor that it is done to, such as a thread that is woken; null for none. */
  readonly to: string | null;
}

export interface Turn {
  readonly actor: string;
  readonly time_ns: number;
  /** Number of the first of its steps that are told, from 1. */
  readonly step: number;
  /** How many steps it took, the private ones too. */
  readonly steps: number;
  readonly doings: readonly Doing[];
}

/** One step of the run, whether anybody can see what it did or not. */
export interface Move {
  readonly actor: string;
  /** As in Doing. */
  readonly at: string;
  readonly doings: readonly Doing[];
}

export interface Telling {
  readonly program: Program;
  /** All steps, in order. */
  readonly moves: readonly Move[];
  /** In the order in which they come on. */
  readonly actors: readonly string[];
  readonly turns: readonly Turn[];
  readonly steps: number;
  /** How often another actor went on than the one before. */
  readonly context_switches: number;
  readonly judgements: readonly JudgementResult[];
  /** Of each vCPU where it is at the end, and what is missing for it to go on. */
  readonly standings: readonly { readonly name: string; readonly says: string; readonly missing: readonly string[] }[];
}

/** Observations that happen all the time, or that a field says better. */
const USUAL: ReadonlySet<string> = new Set(['progresses', 'wakeup', 'entry', 'exit']);

/** Records that an observation beside them says already. */
const SAID: ReadonlySet<string> = new Set([
  'kvm_entry',
  'kvm_exit',
  'kvm_page_fault',
  'kvm_try_async_get_page',
  'kvm_async_pf_completed',
  'kvm_async_pf_not_present',
  'kvm_async_pf_ready',
  'kvm_hypercall',
  'kvm_fpu',
  'kvm_pic_set_irq',
  'kvm_ioapic_set_irq',
]);

interface OpenTurn extends Turn {
  steps: number;
  readonly doings: Doing[];
}

/** Runs the program from its start to its end, or so many steps of it. */
export function tell(program: Program, steps_max = Number.MAX_SAFE_INTEGER): Telling {
  const doings: Doing[] = [];
  const version = program.vms[0]?.knobs.trace_format ?? '6.12';
  const simulation = createSimulation(program, {
    record: event => {
      if (!SAID.has(event.name)) doings.push(doingOf(recordOf(m, event, version)));
    },
  });
  const m = simulation.machine;
  const report = m.observe;
  m.observe = (observation, vm, a, b) => {
    report?.(observation, vm, a, b);
    const happening = observationOf(m, observation, a, b);
    if (!USUAL.has(happening.text.slice(0, happening.text.indexOf('(')))) doings.push(doingOf(happening));
  };
  const watcher = new Watcher(m);
  const eye = new Eye(m);
  const moves: Move[] = [];
  const turns: OpenTurn[] = [];
  let last = '';
  let context_switches = 0;
  let pending = 0;
  while (m.clock.step < steps_max) {
    watcher.before();
    const { step, now_ns: time_ns } = m.clock;
    simulation.step();
    if (m.clock.step === step) break;
    const { at, who: actor } = watcher.actor();
    const mover = m.clock.current_thread === NO_THREAD ? -1 : m.clock.current_thread;
    doings.push(...eye.look(mover).map(each => ({ ...each, at })));
    if (last !== '' && last !== actor) context_switches += 1;
    last = actor;
    pending += 1;
    const found = doings.splice(0);
    moves.push({ actor, at, doings: found });
    if (found.length > 0) {
      const open = turns.at(-1);
      if (open?.actor === actor) {
        open.steps += pending;
        open.doings.push(...found);
      } else turns.push({ actor, time_ns, step: m.clock.step, steps: pending, doings: found });
      pending = 0;
    }
    if (simulation.over !== null) break;
  }
  const standings = m.vcpus.map(vcpu => ({
    name: entityText(m, 'vcpu', vcpu.id),
    says: whereIsVcpu(m, vcpu),
    missing: missingWake(m, vcpu, termsOf(m, vcpu)),
  }));
  const { judgements } = simulation.outcome();
  return {
    program,
    moves,
    actors: [...new Set(turns.map(({ actor }) => actor))],
    turns,
    steps: m.clock.step,
    context_switches,
    judgements,
    standings,
  };
}

function doingOf({ at, text, means }: Happening): Doing {
  return { at, text, means, to: null };
}

/** What is looked at after each step: fields whose change the others can see or will feel. */
class Eye {
  readonly #m: Machine;
  #before: Map<string, string>;

  constructor(m: Machine) {
    this.#m = m;
    this.#before = this.#read();
  }

  /** What has changed since the look before. */
  look(mover: number): readonly Omit<Doing, 'at'>[] {
    const now = this.#read();
    const changed = [...now].filter(([field, value]) => this.#before.get(field) !== value);
    const before = this.#before;
    this.#before = now;
    return changed.map(([field, value]) => {
      const [kind = '', row = ''] = field.split(' ');
      if (kind === 'thread') return this.#ofThread(Number(row), mover, value);
      return { text: `${field}: ${before.get(field) ?? ''} -> ${value}`, means: '', to: null };
    });
  }

  #ofThread(row: number, mover: number, value: string): Omit<Doing, 'at'> {
    const name = this.#m.places.threads[row]!.comm;
    if (value !== 'runs') return { text: `${name} ${value}`, means: '', to: null };
    return { text: `wakes ${name}`, means: '', to: row === mover ? null : name };
  }

  #read(): Map<string, string> {
    const m = this.#m;
    const read = new Map<string, string>();
    for (const thread of m.threads) {
      const asleep = thread.task_state !== TASK_STATE.RUNNING && !thread.on_rq;
      read.set(`thread ${thread.id}`, asleep ? 'sleeps' : 'runs');
    }
    for (const vcpu of m.vcpus) {
      const name = entityText(m, 'vcpu', vcpu.id);
      read.set(`${name}.mp_state`, nameIn(MP_STATE, vcpu.mp_state));
      read.set(`${name}.apf_halted`, vcpu.apf_halted ? 'yes' : 'no');
      read.set(`${name}.done`, String(vcpu.apf_done.length));
      read.set(`${name}.queue`, String(vcpu.apf_queue.length));
      read.set(`${name}.token`, hexText(vcpu.area_token));
      for (const [bit, request] of KVM_REQ_NAMES.entries())
        if (request.includes('APF') || request === 'UNHALT')
          read.set(`${name}.${request}`, (vcpu.requests & (1 << bit)) === 0 ? 'clear' : 'set');
    }
    for (const task of m.tasks) read.set(`${entityText(m, 'task', task.id)}.state`, nameIn(GUEST_TASK, task.state));
    return read;
  }
}

function nameIn(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find(name => names[name] === value) ?? String(value);
}
