/** Who did something, and in which step: what a follower of a run notes beside every change. */
import { durationText } from '../../base/duration.ts';
import { STEP_NAMES } from '../at.ts';
import { NO_THREAD } from '../engine.ts';
import type { Machine } from '../machine.ts';
import { moverOf } from '../scheduled.ts';

export interface Actor {
  readonly time_ns: number;
  /** Number of the step, from 1. */
  readonly step: number;
  /** A host thread by its name, or what else there is: a device, a timer, the scenario. */
  readonly who: string;
  /** The step of a thread, named for its kernel function; empty for others. */
  readonly at: string;
}

/** Names what took the latest step, from what was noted before it. */
export class Watcher {
  readonly #m: Machine;
  /** `at` of each thread before the step: afterwards it names the next one. */
  readonly #at: Uint8Array;
  #source = 0;

  constructor(m: Machine) {
    this.#m = m;
    this.#at = new Uint8Array(m.threads.length);
    this.before();
  }

  before(): void {
    const { clock, program, queue, threads } = this.#m;
    const move = program.schedule?.moves[clock.step];
    this.#source = move === undefined ? queue.nextSource : moverOf(this.#m, move).source;
    for (const thread of threads) this.#at[thread.id] = thread.at;
  }

  /** The step that the current thread is in, or has just taken; null where it is not a thread's. */
  get step(): (typeof STEP_NAMES)[number] | null {
    const { current_thread } = this.#m.clock;
    return current_thread === NO_THREAD ? null : STEP_NAMES[this.#at[current_thread]!]!;
  }

  actor(): Actor {
    const { clock, places } = this.#m;
    const thread = places.threads[clock.current_thread];
    return {
      time_ns: clock.now_ns,
      step: clock.step,
      who: thread ? thread.comm : sourceName(this.#m, this.#source),
      at: this.step ?? '',
    };
  }
}

function sourceName({ places }: Machine, source: number): string {
  const { source: first, sources } = places;
  if (source >= sources) return `the guest's choice of ${places.tasks[source - sources]?.spec.name ?? ''}`;
  if (source >= first.late) return 'what the scenario has delayed';
  if (source >= first.action) return 'the scenario';
  if (source >= first.handler)
    return `the contents for ${places.threads[places.first_handler + source - first.handler]?.comm ?? ''}`;
  if (source >= first.task) return `the sleep of ${places.tasks[source - first.task]?.spec.name ?? ''}`;
  if (source >= first.timer) return `timer ${places.timers[source - first.timer]?.name ?? ''}`;
  return 'the swap device';
}

/** Who makes a move: a thread in the step that it takes next, or what else there is. */
export function moverText(m: Machine, move: number): string {
  const { thread, source } = moverOf(m, move);
  if (thread < 0) return sourceName(m, source);
  return `${m.places.threads[thread]?.comm ?? ''} ${STEP_NAMES[m.threads[thread]!.at] ?? ''}`;
}

/** `CPU 0/KVM in kvm_vcpu_halt() at 320us`. */
export function actorText({ time_ns, who, at }: Actor): string {
  return `${who}${at === '' ? '' : ` in ${at}`} at ${durationText(time_ns)}`;
}
