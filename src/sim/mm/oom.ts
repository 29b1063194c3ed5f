/**
 * Out of memory: no frame to be had, nothing to be reclaimed, and no request under way that could change that.
 *
 * A kernel kills a VMM then. Where the host says `oom kill`, so does the model; else it lets the thread sleep for ever
 * and remembers the first such allocation: whatever is judged of the run after that says nothing about the protocol, so
 * the run is invalid.
 */
import { durationText } from '../../base/duration.ts';
import { VM_END, VM_STATE } from '../life.ts';
import { type Machine, vmSpec } from '../machine.ts';
import { OBS } from '../observe.ts';
import type { Violation } from '../outcome.ts';
import { end_vm } from '../vmm/end.ts';
import { vm_of_page } from './page.ts';
import { wake_memory_waiters } from './swap.ts';

/** An allocation for a page has failed for good. Models out_of_memory(), mm/oom_kill.c. */
export function out_of_memory(m: Machine, host: number, page: number): void {
  if (m.program.hosts[host]!.oom === 'kill' && oom_kill_process(m, host, vm_of_page(m, page))) return;
  const row = m.hosts[host]!;
  row.oom += 1;
  if (row.oom > 1) return;
  row.oom_page = page;
  row.oom_ns = m.clock.now_ns;
  row.oom_step = m.clock.step;
}

/**
 * Kills the process that holds most: of the container that is full, or else of the host. While one that was killed
 * still holds memory nobody else is. False where there is nobody to kill.
 *
 * Models select_bad_process() and oom_kill_process(), mm/oom_kill.c. Differs: only VMMs are there to be chosen, by the
 * pages that they hold; and a guest never runs out of its own memory, as its tasks have all of it from the start.
 */
function oom_kill_process(m: Machine, host: number, vm: number): boolean {
  const { memory_limit_pages } = vmSpec(m, vm);
  const in_container = memory_limit_pages !== null && m.vms[vm]!.nr_charged_pages >= memory_limit_pages;
  const all = m.program.vms.flatMap((spec, id) => (spec.host === host && (!in_container || id === vm) ? [id] : []));
  if (all.some(id => oom_victim(m, id) && m.vms[id]!.nr_charged_pages > 0)) return true;
  let victim = -1;
  for (const id of all) {
    const { state, nr_charged_pages } = m.vms[id]!;
    if (state !== VM_STATE.RUNNING || nr_charged_pages === 0) continue;
    if (victim < 0 || nr_charged_pages > m.vms[victim]!.nr_charged_pages) victim = id;
  }
  if (victim < 0) return false;
  m.hosts[host]!.nr_oom_kills += 1;
  m.observe?.(OBS.oom_kill, victim, victim, -1);
  end_vm(m, victim, 'kill');
  // Those of its threads that wait for memory as well wait for nothing any more.
  wake_memory_waiters(m, host);
  return true;
}

/** It has been killed: what it asks for it need not get, as it will not use it. Models fatal_signal_pending(). */
export function oom_victim(m: Machine, vm: number): boolean {
  const { state, end } = m.vms[vm]!;
  return state !== VM_STATE.RUNNING && end === VM_END.kill;
}

/** Notes an `evict` of the scenario that could not be carried out. */
export function swap_is_full(m: Machine, page: number): void {
  const row = m.hosts[m.program.vms[vm_of_page(m, page)]!.host]!;
  row.evict_full += 1;
  if (row.evict_full > 1) return;
  row.evict_full_page = page;
  row.evict_full_ns = m.clock.now_ns;
  row.evict_full_step = m.clock.step;
}

/** The first page that was to be evicted and for which there was no slot, or null: the run is not what was asked for. */
export function notEvicted(m: Machine, repeat: string): Violation | null {
  const host = m.hosts.find(({ evict_full }) => evict_full > 0);
  if (!host) return null;
  const { swap, place } = m.program.hosts[host.id]!;
  const vm = vm_of_page(m, host.evict_full_page);
  const page = `${vmSpec(m, vm).name}.heap.page(${host.evict_full_page - m.places.vms[vm]!.first_page})`;
  const actual = `swap ${swap?.name ?? ''} is full: ${host.evict_full} page${host.evict_full === 1 ? '' : 's'} stayed in memory`;
  return {
    property: 'evict',
    line: place.line,
    at_ns: host.evict_full_ns,
    step: host.evict_full_step,
    expected: `a swap slot for ${page}`,
    actual,
    message: `not evicted: no swap slot for ${page} at ${durationText(host.evict_full_ns)}, step ${host.evict_full_step}; ${actual}`,
    repeat,
  };
}

/** What became of the first host that ran out of memory, or null. `repeat` is the command that shows it again. */
export function outOfMemory(m: Machine, repeat: string): Violation | null {
  const host = m.hosts.find(({ oom }) => oom > 0);
  if (!host) return null;
  const { name, swap, place } = m.program.hosts[host.id]!;
  const vm = vm_of_page(m, host.oom_page);
  const page = `${vmSpec(m, vm).name}.heap.page(${host.oom_page - m.places.vms[vm]!.first_page})`;
  const actual = `nothing could be reclaimed: ${swap ? `swap ${swap.name} is full` : `${name} has no swap`}, or every page is in use`;
  return {
    property: 'out of memory',
    line: place.line,
    at_ns: host.oom_ns,
    step: host.oom_step,
    expected: `a frame of ${name} for ${page}`,
    actual,
    message: `out of memory: no frame of ${name} for ${page} at ${durationText(host.oom_ns)}, step ${host.oom_step}; ${actual}`,
    repeat,
  };
}
