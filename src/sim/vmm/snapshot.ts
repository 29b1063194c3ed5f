/**
 * Snapshots of a VM: keeping the latest of several, and starting one on another host.
 *
 * To start one elsewhere, the VMM at home stops its vCPUs for good. The one over there reads the memory in, page by page,
 * has each vCPU thread write its saved state, and lets them run: what the host at home still owed is paid by nobody, but
 * for what the destination does of its own.
 * Differs: a VMM that the VM comes back to is the one that it left, reset, not a new one; there is one guest, so the VM at
 * home cannot go on beside its snapshot; reading the file takes no longer than bringing in the pages that it fills.
 */
import { guest_vm, vm_now } from '../incarnation.ts';
import type { Machine } from '../machine.ts';
import { clear_row, copy_row } from '../migrate/copy.ts';
import { queue_memory_job } from '../mm/memory_job.ts';
import { OBS } from '../observe.ts';
import type { Command } from './command.ts';
import type { SavedPlace } from './places.ts';

type Restore = Extract<Command, { readonly op: 'restore' }>;

export function savedPlace(m: Machine, name: string, back: number): SavedPlace {
  return m.places.saved[m.places.saved.findIndex(each => each.name === name) + back]!;
}

/** Where a save is read into: of several that are kept, none of these. */
export function placeToFill(m: Machine, name: string): SavedPlace {
  const place = savedPlace(m, name, 0);
  return place.keep === 1 ? place : savedPlace(m, name, place.keep);
}

/** A save has been read whole: it is the latest, and the oldest is gone. */
export function keep_saved(m: Machine, name: string): void {
  const first = m.places.saved.findIndex(each => each.name === name);
  const { keep } = m.places.saved[first]!;
  if (keep > 1) {
    for (let back = keep - 1; back > 0; back -= 1) move(m, first + back - 1, first + back);
    move(m, first + keep, first);
    forget(m, first + keep);
  }
  m.saveds[first]!.taken = 1;
}

function move(m: Machine, from: number, to: number): void {
  const [source, target] = [m.places.saved[from]!, m.places.saved[to]!];
  for (let index = 0; index < source.vcpus; index += 1)
    copy_row(m, 'saved_vcpu', source.first + index, 'saved_vcpu', target.first + index);
  for (let index = 0; index < source.tasks; index += 1)
    copy_row(m, 'saved_task', source.first_task + index, 'saved_task', target.first_task + index);
  for (let index = 0; index < source.nodes; index += 1)
    copy_row(m, 'saved_node', source.first_node + index, 'saved_node', target.first_node + index);
  for (let index = 0; index < source.locks; index += 1)
    copy_row(m, 'saved_lock', source.first_lock + index, 'saved_lock', target.first_lock + index);
  m.saveds[to]!.taken = m.saveds[from]!.taken;
}

function forget(m: Machine, row: number): void {
  const place = m.places.saved[row]!;
  for (let index = 0; index < place.vcpus; index += 1) clear_row(m, 'saved_vcpu', place.first + index);
  for (let index = 0; index < place.tasks; index += 1) clear_row(m, 'saved_task', place.first_task + index);
  for (let index = 0; index < place.nodes; index += 1) clear_row(m, 'saved_node', place.first_node + index);
  for (let index = 0; index < place.locks; index += 1) clear_row(m, 'saved_lock', place.first_lock + index);
  m.saveds[row]!.taken = 0;
}

// -- On another host ------------------------------------------------------------------------------

/** The incarnation that a restore starts: the VM itself where it is, or another, on the host that is named. */
function incarnation_for(m: Machine, vm: number, { on }: Restore): number {
  const named = guest_vm(m, vm);
  if (on === null || m.program.vms[vm]!.host === on) return vm;
  return m.program.vms.findIndex((spec, id) => spec.host === on && (id === named || spec.incarnation_of === named));
}

/** Whether a restore has stopped a VM here in order to start it elsewhere. */
export function leaves(m: Machine, vm: number, op: Restore): boolean {
  return incarnation_for(m, vm, op) !== vm && is_home(m, vm);
}

/** Whether the guest runs here, or would if it ran. */
export function is_home(m: Machine, vm: number): boolean {
  return vm_now(m, guest_vm(m, vm)) === vm;
}

/** The vCPUs here are out of KVM_RUN and stay there: the VMM on the other host begins. */
export function leave(m: Machine, vm: number, op: Restore): void {
  const job = m.places.memory_jobs.findIndex(each => each.op === op);
  queue_memory_job(m, incarnation_for(m, vm, op), job);
}

/** The vCPUs have their state: from here on the guest is here. A vCPU that would not take it keeps all of them back. */
export function arrived_from_snapshot(m: Machine, vm: number, failed: boolean): void {
  const named = guest_vm(m, vm);
  m.vms[named]!.lives_in = vm === named ? 0 : vm + 1;
  m.vms[vm]!.paused = failed ? 1 : 0;
  m.observe?.(OBS.restored, vm, vm, -1);
}
