/** Since when each term of the runnable predicate has its value, and who gave it that. */
import { RUNNABLE_TERMS } from '../kvm/block.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../schema.ts';
import type { Actor, Watcher } from './actor.ts';

export interface TermHistory {
  /** Who gave it the value that it has; null where it had it from the start. */
  readonly changed: Actor | null;
  /** Where it does not hold any more: when it came to hold. */
  readonly held: Actor | null;
}

export class TermLog {
  readonly #m: Machine;
  readonly #vcpu: Vcpu;
  readonly #watcher: Watcher;
  readonly #value: boolean[];
  readonly #history: TermHistory[];

  constructor(m: Machine, vcpu: Vcpu, watcher: Watcher) {
    this.#m = m;
    this.#vcpu = vcpu;
    this.#watcher = watcher;
    this.#value = RUNNABLE_TERMS.map(term => term.holds(m, vcpu));
    this.#history = RUNNABLE_TERMS.map(() => ({ changed: null, held: null }));
  }

  get history(): readonly TermHistory[] {
    return this.#history;
  }

  stepped(): void {
    RUNNABLE_TERMS.forEach((term, index) => {
      const value = term.holds(this.#m, this.#vcpu);
      if (value === this.#value[index]) return;
      const held = value ? null : (this.#history[index]?.changed ?? null);
      this.#value[index] = value;
      this.#history[index] = { changed: this.#watcher.actor(), held };
    });
  }
}
