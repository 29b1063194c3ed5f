/**
 * What a scenario can ask about a work item, and which items a vCPU has.
 *
 * An item is on queue from its set-up to its dequeue, and on done as well once the worker has finished. In between the
 * vCPU thread has it in hand: while it sets it up, and while it delivers it.
 */
import { gpa_of_page } from '../addr.ts';
import { AT } from '../at.ts';
import type { Machine } from '../machine.ts';
import { type Vcpu, WORK_STATE } from '../schema.ts';
import { address, count, type Description, entity, state, truth, words } from './attribute.ts';

export function settingUp(m: Machine, row: number): boolean {
  const { at } = m.threads[m.places.vcpus[row]!.thread]!;
  return (
    at === AT.kvm_setup_async_pf ||
    at === AT['kvm_setup_async_pf.link'] ||
    at === AT['kvm_setup_async_pf.schedule_work'] ||
    at === AT['kvm_async_pf_wakeup_all.append'] ||
    at === AT['kvm_async_pf_wakeup_all.link']
  );
}

/** The vCPU thread has taken the item off done and is delivering it. */
function beingDelivered(m: Machine, row: number): boolean {
  const { vcpu } = m.works[row]!;
  return vcpu > 0 && m.vcpus[vcpu - 1]!.completing === row + 1 && !settingUp(m, vcpu - 1);
}

// Items of a vCPU by place: first those on queue, then those on done, then the one that its thread has in hand.

export const itemPlaces = ({ apf_queue, apf_done }: Vcpu): number => apf_queue.length + apf_done.length + 1;

/** An item that stands in several places is at the first of them only; -1 for the others. */
export function itemAt({ apf_queue, apf_done, completing }: Vcpu, place: number): number {
  if (place < apf_queue.length) return apf_queue.at(place);
  if (place < apf_queue.length + apf_done.length) {
    const id = apf_done.at(place - apf_queue.length);
    return apf_queue.has(id) ? -1 : id;
  }
  const inHand = completing - 1;
  return inHand < 0 || apf_queue.has(inHand) || apf_done.has(inHand) ? -1 : inHand;
}

export function isOutstanding(m: Machine, row: number, id: number): boolean {
  if (m.works[id]!.wakeup_all === 1 || beingDelivered(m, id)) return false;
  const { apf_queue, apf_done } = m.vcpus[row]!;
  return apf_queue.has(id) || apf_done.has(id);
}

/** Items that are in use and nowhere to be found. */
export function leaked(m: Machine, row: number): number {
  const vcpu = m.vcpus[row]!;
  let inUse = 0;
  for (let id = 0; id < m.works.length; id += 1)
    if (m.works[id]!.used === 1 && m.works[id]!.vcpu === row + 1) inUse += 1;
  let found = 0;
  for (let place = 0; place < itemPlaces(vcpu); place += 1) if (itemAt(vcpu, place) >= 0) found += 1;
  return inUse - found;
}

export const work: Description = {
  attributes: {
    token: count('What names it to the guest.', (m, row) => m.works[row]!.token, 'work.token'),
    gpa: address(
      'gpa',
      'The guest-physical address that it fetches.',
      (m, row) => (m.works[row]!.wakeup_all === 1 ? 0 : gpa_of_page(m, m.works[row]!.page)),
      'work.page',
    ),
    gfn: address('gfn', 'Its guest page number.', (m, row) => m.works[row]!.gfn, 'work.gfn'),
    page: entity(
      'page',
      'The page that it fetches.',
      (m, row) => (m.works[row]!.wakeup_all === 1 ? -1 : m.works[row]!.page),
      'work.page',
    ),
    vcpu: entity('vcpu', 'The vCPU that faulted.', (m, row) => m.works[row]!.vcpu - 1, 'work.vcpu'),
    completed: truth(
      'The worker has left its mark on it: page, done or vcpu == NULL by version.',
      (m, row) => m.works[row]!.completed === 1,
      'work.completed',
    ),
    wakeup_all: truth('It is a broadcast.', (m, row) => m.works[row]!.wakeup_all === 1, 'work.wakeup_all'),
    notpresent_injected: truth(
      'The guest was told that the page is missing.',
      (m, row) => m.works[row]!.notpresent_injected === 1,
      'work.notpresent_injected',
    ),
    state: words(
      Object.keys(WORK_STATE),
      'Where it stands in the workqueue.',
      (m, row) => m.works[row]!.state,
      'work.state',
    ),
  },
  collections: {},
  states: {
    queued: state(
      'On queue.',
      (m, row) => m.works[row]!.vcpu > 0 && m.vcpus[m.works[row]!.vcpu - 1]!.apf_queue.has(row),
    ),
    done: state('On done.', (m, row) => m.works[row]!.vcpu > 0 && m.vcpus[m.works[row]!.vcpu - 1]!.apf_done.has(row)),
    being_delivered: state('The vCPU thread has taken it off done and delivers it.', beingDelivered),
  },
  series: {},
};
