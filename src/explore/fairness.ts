/**
 * Who has to move, some time, if he could all the time: weak fairness, of all that goes on by itself unless a file names
 * less. Devices and threads that no word is for are always fair; what a budget allows never is.
 */
import type { FairWord } from '../sim/fair.ts';
import { may_be_picked } from '../sim/guest/sched.ts';
import type { Machine } from '../sim/machine.ts';
import { THREAD_KIND } from '../sim/schema.ts';

/** What is fair where a file says nothing: a guest may choose the same task again and again. */
const USUAL: readonly FairWord[] = ['vcpus', 'workers', 'timers'];

/** For each move 1 or 0. `group`: of each source the budget that it is within, -1 for none. */
export function fairMoves({ program, places, threads, tasks }: Machine, group: Int16Array): Uint8Array {
  const named = new Set(program.exploration?.fair ?? USUAL);
  const { source, sources } = places;
  const fair = new Uint8Array(threads.length + sources + tasks.length).fill(1);
  threads.forEach(({ kind }, id) => {
    if (kind === THREAD_KIND.vcpu) fair[id] = named.has('vcpus') || named.has('scheduler') ? 1 : 0;
    if (kind === THREAD_KIND.kworker) fair[id] = named.has('workers') ? 1 : 0;
  });
  const sourceFrom = (from: number) => threads.length + from;
  if (!named.has('timers')) {
    fair.fill(0, sourceFrom(source.task), sourceFrom(source.handler));
    fair.fill(0, sourceFrom(source.throttle), sourceFrom(source.late));
  }
  group.forEach((of, each) => {
    if (of >= 0) fair[sourceFrom(each)] = 0;
  });
  fair.fill(named.has('scheduler') ? 1 : 0, sourceFrom(sources));
  return fair;
}

const NOBODY: readonly number[] = [];

/**
 * Whose turn it is in a guest, where its scheduler is said to be fair: a task of the highest priority that waits is not
 * passed over for ever. Where the scheduler has nothing to say, since a task never gives its CPU up, nobody is passed over.
 */
export class Turns {
  readonly #m: Machine;
  readonly #fair: boolean;
  /** Of each vCPU, before a move: the task that it executed, and the one that was to be next. */
  readonly #current: Int32Array;
  readonly #preferred: Int32Array;

  constructor(m: Machine) {
    this.#m = m;
    this.#fair = m.program.exploration?.fair?.includes('scheduler') ?? false;
    this.#current = new Int32Array(m.vcpus.length);
    this.#preferred = new Int32Array(m.vcpus.length);
  }

  /** Tasks that wait to be picked. */
  waiting(): readonly number[] {
    if (!this.#fair) return NOBODY;
    return this.#m.tasks.flatMap(({ id, vcpu }) =>
      this.#m.vcpus[vcpu]!.current !== id + 1 && may_be_picked(this.#m, id) ? [id] : [],
    );
  }

  /** Before a move. */
  note(): void {
    if (!this.#fair) return;
    for (const { id, current, preferred } of this.#m.vcpus) {
      this.#current[id] = current;
      this.#preferred[id] = preferred;
    }
  }

  /** After it: those that waited before, and still do although another was picked. */
  passed(waited: readonly number[]): readonly number[] {
    if (waited.length === 0) return NOBODY;
    const still = this.waiting();
    return waited.filter(id => {
      const { id: vcpu, current, preferred } = this.#m.vcpus[this.#m.tasks[id]!.vcpu]!;
      const picked = (current !== 0 && current !== this.#current[vcpu]) || preferred < this.#preferred[vcpu]!;
      return picked && still.includes(id);
    });
  }
}
