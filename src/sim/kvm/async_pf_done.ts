/**
 * The done list of a vCPU, async_pf.done: workers append to it, the vCPU's thread takes from it.
 *
 * Under async_pf.lock an operation is one step, and the list no more than a queue. Without that lock (`guards remove
 * done_lock`) each is two: a look at the neighbours, and the stores of include/linux/list.h to whatever was found there.
 * The pointers are then kept as well, and the queue is what whoever follows `next` comes by. The newcomer's mistake is to
 * think that only an item is lost: an append behind an item that is gone leaves a list to which all later ones are lost.
 */
import { type Machine, vm_of_vcpu } from '../machine.ts';
import { GUARD, guarded } from '../protocol/guards.ts';
import type { Thread, Vcpu, Work } from '../schema.ts';

/** The list_head of the list itself, where an item is its row + 1: a list of zeroes is an empty one. */
const HEAD = 0;
const REF_BITS = 16;
const REF_MASK = 0xffff;

/** Whether what is done to the list is done under its lock. */
export function done_is_locked(m: Machine, vcpu: Vcpu): boolean {
  return guarded(m, vcpu, GUARD.done_lock);
}

function next_of(m: Machine, vcpu: Vcpu, node: number): number {
  return node === HEAD ? vcpu.apf_done_next : m.works[node - 1]!.link_next;
}

function set_next(m: Machine, vcpu: Vcpu, node: number, next: number): void {
  if (node === HEAD) vcpu.apf_done_next = next;
  else if (is_there(m, vcpu, node)) m.works[node - 1]!.link_next = next;
}

function set_prev(m: Machine, vcpu: Vcpu, node: number, prev: number): void {
  if (node === HEAD) vcpu.apf_done_prev = prev;
  else if (is_there(m, vcpu, node)) m.works[node - 1]!.link_prev = prev;
}

/** What is stored in an item that has been freed, nobody reads: set up again, it is zeroed. */
function is_there(m: Machine, vcpu: Vcpu, node: number): boolean {
  if (m.works[node - 1]!.used) return true;
  m.vms[vm_of_vcpu(m, vcpu)]!.nr_item_uses_after_free += 1;
  return false;
}

/** The queue again, from the pointers; whoever expects another length has lost something. */
function follow(m: Machine, vcpu: Vcpu, expected: number): void {
  while (vcpu.apf_done.shift() >= 0);
  for (let node = vcpu.apf_done_next; node !== HEAD; node = next_of(m, vcpu, node)) vcpu.apf_done.push(node - 1);
  if (vcpu.n_apf_done !== expected) vcpu.apf_list_corrupt = 1;
}

/** Models __list_add(), include/linux/list.h, before the head. */
function __list_add(m: Machine, vcpu: Vcpu, node: number, prev: number): void {
  const expected = vcpu.n_apf_done + 1;
  set_prev(m, vcpu, HEAD, node);
  set_next(m, vcpu, node, HEAD);
  set_prev(m, vcpu, node, prev);
  set_next(m, vcpu, prev, node);
  follow(m, vcpu, expected);
}

/** Models list_del(), include/linux/list.h. Differs: the pointers of what was taken out are cleared, not poisoned. */
function __list_del(m: Machine, vcpu: Vcpu, node: number, prev: number, next: number): void {
  const expected = vcpu.n_apf_done - (vcpu.apf_done.has(node - 1) ? 1 : 0);
  set_prev(m, vcpu, next, prev);
  set_next(m, vcpu, prev, next);
  m.works[node - 1]!.link_next = HEAD;
  m.works[node - 1]!.link_prev = HEAD;
  follow(m, vcpu, expected);
}

/** Appends an item in one go. */
export function done_add_tail(m: Machine, vcpu: Vcpu, work: Work): void {
  if (done_is_locked(m, vcpu)) vcpu.apf_done.push(work.id);
  else __list_add(m, vcpu, work.id + 1, vcpu.apf_done_prev);
}

/** Takes the oldest item in one go; null where there is none. */
export function done_del_first(m: Machine, vcpu: Vcpu): Work | null {
  if (vcpu.n_apf_done === 0) return null;
  const work = m.works[vcpu.apf_done.at(0)]!;
  if (done_is_locked(m, vcpu)) vcpu.apf_done.shift();
  else __list_del(m, vcpu, work.id + 1, work.link_prev, work.link_next);
  return work;
}

// -- In two steps, without the lock; what was found stays with the thread --------------------------

/** list_add_tail(): finds the end of the list. */
export function done_find_tail(thread: Thread, vcpu: Vcpu): void {
  thread.cursor = vcpu.apf_done_prev;
}

/** list_add_tail(): links the item to it. */
export function done_link(m: Machine, thread: Thread, vcpu: Vcpu, work: Work): void {
  __list_add(m, vcpu, work.id + 1, thread.cursor);
  thread.cursor = 0;
}

/**
 * list_del(): finds the item behind this one. The one before it is looked up with the stores: no append ever changes
 * that, and who else takes out is this thread.
 */
export function done_find_next(thread: Thread, work: Work): void {
  thread.cursor = ((work.id + 1) << REF_BITS) | work.link_next;
}

/** list_del(): takes out what done_find_next() was asked for. */
export function done_unlink(m: Machine, thread: Thread, vcpu: Vcpu): Work {
  const node = thread.cursor >>> REF_BITS;
  const work = m.works[node - 1]!;
  __list_del(m, vcpu, node, work.link_prev, thread.cursor & REF_MASK);
  thread.cursor = 0;
  return work;
}
