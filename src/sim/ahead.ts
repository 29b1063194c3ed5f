/**
 * Looks ahead in a large machine: at what the next step of its kind will look at, so that the host's caches have it then.
 *
 * A fault goes to places that nobody has been to for a hundred thousand faults, and each waits for memory. A load whose
 * value nobody waits for costs next to nothing. What is looked at here decides nothing and changes nothing.
 */
import { peek32 } from '../base/rng.ts';
import type { Machine } from './machine.ts';
import { pte_swap, pte_target } from './mm/page.ts';
import { pageOfBits, type RandomChoice } from './sample.ts';
import type { Task } from './schema.ts';

/** Where what was looked at goes: for a value that is never used, V8 would not load it. */
const seen = new Uint32Array(1);

/** The page of the frame that reclaim comes to next, and the frame behind that. */
export function look_at_victims(m: Machine, vm: number): void {
  const next = m.vms[vm]!.lru_tail;
  if (next === 0) return;
  const page = m.frame.hva(next - 1);
  const behind = m.frame.prev(next - 1);
  if (page !== 0 && behind !== 0) seen[0] = m.hva.pte(page - 1) ^ m.frame.hva(behind - 1);
}

/** The slot of the page that is touched now, and the page that the task will touch after it. */
export function look_at_pages(m: Machine, task: Task, first_page: number, page: number, choice: RandomChoice): void {
  const pte = m.hva.pte(first_page + page);
  const slot = pte_swap(pte) ? m.slot.cache(pte_target(pte)) : 0;
  const ranks = m.draws.ranks[task.id]![task.pc]!;
  seen[0] = slot ^ m.hva.pte(first_page + pageOfBits(choice, ranks, peek32(task)));
}
