/** Matching observations against the event calls of a scenario, such as `completed(cold)`. */

import type { Actor, Entity, EventPattern, Mark } from './expr.ts';
import { row_named } from './incarnation.ts';
import type { Machine } from './machine.ts';
import { OBSERVATION_NAMES, OBSERVATIONS } from './observe.ts';
import type { Places } from './places.ts';
import { THREAD_KIND } from './schema.ts';

/** Threads of a VM by number: those of its vCPUs, the main thread of its VMM, and from here down its host's kworkers. */
export const MAIN_THREAD = -1;
export const FIRST_WORKER = -2;

/** The row that an entity stands for, in the table of its kind; -1 for a kind without rows. */
export function rowOf(places: Places, entity: Entity | Mark): number {
  if (entity.kind === 'mark') return places.marks.indexOf(entity.name);
  const vm = places.vms[entity.vm];
  switch (entity.kind) {
    case 'vm':
    case 'host':
    case 'swap':
    case 'migration':
    case 'link':
      return entity.id;
    case 'saved':
      return places.saved.findIndex(({ name }) => name === entity.name);
    case 'saved_vcpu':
      return places.saved.find(({ name }) => name === entity.name)?.first ?? -1;
    case 'vcpu':
      return (vm?.first_vcpu ?? 0) + entity.id;
    case 'task':
      return (vm?.first_task ?? 0) + entity.id;
    case 'page':
      return (vm?.first_page ?? 0) + entity.id;
    case 'thread':
      if (entity.id < MAIN_THREAD) return places.hosts[vm?.host ?? 0]?.workers[FIRST_WORKER - entity.id] ?? -1;
      return entity.id === MAIN_THREAD
        ? (vm?.vmm ?? -1)
        : (places.vcpus[(vm?.first_vcpu ?? 0) + entity.id]?.thread ?? -1);
    case 'handler':
      return vm?.uffd_readers[0] ?? -1;
    case 'nmi':
      return places.nmis.findIndex(({ name, vm: of }) => name === entity.name && (of < 0 || of === entity.vm));
    case 'timer':
    case 'irq': {
      const wanted = entity.kind === 'timer';
      let seen = 0;
      return places.interrupts.findIndex(
        interrupt => interrupt.vm === entity.vm && interrupt.timer >= 0 === wanted && seen++ === entity.id,
      );
    }
  }
}

export interface Matcher {
  readonly observation: number;
  /** Row ids to compare with; -1 matches any. */
  readonly a: number;
  readonly b: number;
  /** Who must have done it, or null. */
  readonly by: Doer | null;
}

/** A thread by its row, or whichever worker has the item of the page in this row; the other one is -1. */
interface Doer {
  readonly thread: number;
  readonly page: number;
}

export function doerOf(places: Places, actor: Actor): Doer {
  return actor.kind === 'worker'
    ? { thread: -1, page: rowOf(places, actor.page) }
    : { thread: rowOf(places, actor), page: -1 };
}

/** Whether it is this one that runs now. */
export function isDoing(m: Machine, { thread, page }: Doer): boolean {
  const { current_thread } = m.clock;
  if (page < 0) return thread === row_named(m, 'thread', current_thread);
  const current = m.threads[current_thread];
  if (current?.kind !== THREAD_KIND.kworker || current.work === 0) return false;
  return row_named(m, 'page', current.page) === page;
}

export function matcherOf(places: Places, pattern: EventPattern): Matcher {
  const argument = (index: number) => {
    const entity = pattern.args[index];
    if (!entity) return -1;
    const row = rowOf(places, entity);
    return row < 0 ? NEVER : row;
  };
  const observation = (OBSERVATION_NAMES as readonly string[]).indexOf(pattern.name);
  if (observation < 0)
    throw new Error(`no event named ${pattern.name}; there are: ${Object.keys(OBSERVATIONS).join(', ')}`);
  return { observation, a: argument(0), b: argument(1), by: pattern.by && doerOf(places, pattern.by) };
}

/** No row of any table: nothing like that is ever observed. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Whether an observation, made now by the current thread, is one of those meant. */
export function matches(m: Machine, matcher: Matcher, observation: number, a: number, b: number): boolean {
  return (
    observation === matcher.observation &&
    (matcher.a < 0 || matcher.a === a) &&
    (matcher.b < 0 || matcher.b === b) &&
    (matcher.by === null || isDoing(m, matcher.by))
  );
}
