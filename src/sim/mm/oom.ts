/**
 * Out of memory: no frame to be had, nothing to be reclaimed, and no request under way that could change that.
 *
 * A kernel would kill the VMM here. The model lets the thread sleep for ever and remembers the first such allocation:
 * whatever is judged of the run after that says nothing about the protocol, so the run is invalid.
 */
import { durationText } from '../../base/duration.ts';
import { type Machine, vmSpec } from '../machine.ts';
import type { Violation } from '../outcome.ts';
import { vm_of_page } from './page.ts';

/** Notes an allocation that failed for good. Models out_of_memory(), mm/oom_kill.c. Differs: nobody is killed. */
export function out_of_memory(m: Machine, host: number, page: number): void {
  const row = m.hosts[host]!;
  row.oom += 1;
  if (row.oom > 1) return;
  row.oom_page = page;
  row.oom_ns = m.clock.now_ns;
  row.oom_step = m.clock.step;
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
