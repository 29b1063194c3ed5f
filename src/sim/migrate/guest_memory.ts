/**
 * The part of a guest's memory that the model knows by its meaning: the words shared with the host, the guest kernel's
 * stacks, its tasks, its spinlocks and its table of tokens. A snapshot keeps them with the state of the vCPUs.
 *
 * Differs: what is in the pages of the heap is not kept, as the model does not know it; restoring them takes no time and
 * leaves each where it is, in memory or in swap.
 */
import type { Machine } from '../machine.ts';
import { GUEST_TASK, NODE, type Node } from '../schema.ts';
import type { SavedPlace } from '../vmm/places.ts';
import { clear_row, copy_row, load_fields, save_fields } from './copy.ts';

/** Rows of the token table that belong to a VM: those of its tasks and CPUs have fixed places, dummies have not. */
function ownNodes(m: Machine, vm: number): readonly number[] {
  const { first_task, first_vcpu } = m.places.vms[vm]!;
  const { guest, vcpus } = m.program.vms[vm]!;
  return [
    ...Array.from({ length: guest.tasks.length }, (_, index) => first_task + index),
    ...Array.from({ length: vcpus }, (_, index) => m.tasks.length + first_vcpu + index),
  ];
}

function dummiesOf(m: Machine, vm: number): readonly number[] {
  return m.nodes.flatMap(({ id, state, vcpu }) =>
    id >= m.tasks.length + m.vcpus.length && state === NODE.dummy && m.vcpus[vcpu - 1]!.vm === vm ? [id] : [],
  );
}

/** Reads it. All vCPUs are out of the guest. */
export function save_guest(m: Machine, vm: number, place: SavedPlace): void {
  const { first_vcpu, first_task, first_lock } = m.places.vms[vm]!;
  for (let index = 0; index < place.locks; index += 1)
    copy_row(m, 'lock', first_lock + index, 'saved_lock', place.first_lock + index);
  for (let index = 0; index < place.vcpus; index += 1)
    save_fields(m, m.vcpus[first_vcpu + index]!, m.saved_vcpus[place.first + index]!, 'ram');
  for (let index = 0; index < place.tasks; index += 1) {
    copy_row(m, 'task', first_task + index, 'saved_task', place.first_task + index);
    const source = m.places.source.task + first_task + index;
    const asleep = m.tasks[first_task + index]!.state === GUEST_TASK.SLEEPING;
    m.layout.tables.saved_task.set_sleep_left_ns(
      place.first_task + index,
      asleep ? m.queue.dueNs(source) - m.clock.now_ns : 0,
    );
  }
  if (place.nodes === 0) return;
  const own = ownNodes(m, vm);
  const kept = [...own, ...dummiesOf(m, vm)];
  for (let index = 0; index < place.nodes; index += 1) {
    const node = kept[index];
    if (node === undefined) clear_row(m, 'saved_node', place.first_node + index);
    else copy_row(m, 'node', node, 'saved_node', place.first_node + index);
  }
}

/** A CPU of the guest as it is in this incarnation of its VM: it may have been saved in another. */
function vcpu_here(m: Machine, vm: number, saved: number): number {
  return m.places.vms[vm]!.first_vcpu + m.places.vcpus[saved]!.vcpu_id;
}

function name_vcpu_here(m: Machine, vm: number, node: Node): void {
  if (node.vcpu > 0) node.vcpu = vcpu_here(m, vm, node.vcpu - 1) + 1;
}

/** Writes it, over whatever the guest has become since. */
export function load_guest(m: Machine, vm: number, place: SavedPlace): void {
  const { first_vcpu, first_task, first_lock } = m.places.vms[vm]!;
  for (let index = 0; index < place.locks; index += 1)
    copy_row(m, 'saved_lock', place.first_lock + index, 'lock', first_lock + index);
  for (let index = 0; index < place.vcpus; index += 1)
    load_fields(m, m.vcpus[first_vcpu + index]!, m.saved_vcpus[place.first + index]!, 'ram');
  for (let index = 0; index < place.tasks; index += 1) {
    const task = m.tasks[first_task + index]!;
    copy_row(m, 'saved_task', place.first_task + index, 'task', task.id);
    task.vcpu = vcpu_here(m, vm, task.vcpu);
    const source = m.places.source.task + task.id;
    m.queue.disarm(source);
    if (task.state === GUEST_TASK.SLEEPING)
      m.queue.arm(source, m.clock.now_ns + m.layout.tables.saved_task.sleep_left_ns(place.first_task + index));
  }
  if (place.nodes === 0) return;
  for (const id of dummiesOf(m, vm)) {
    const node = m.nodes[id]!;
    node.state = NODE.free;
    node.token = 0;
    node.since_ns = 0;
    node.vcpu = 0;
  }
  const own = ownNodes(m, vm);
  own.forEach((node, index) => {
    copy_row(m, 'saved_node', place.first_node + index, 'node', node);
    name_vcpu_here(m, vm, m.nodes[node]!);
  });
  let dummies = 0;
  for (let index = own.length; index < place.nodes; index += 1) {
    const saved = place.first_node + index;
    if (m.layout.tables.saved_node.state(saved) === NODE.free) continue;
    const free = m.nodes.find(({ id, state }) => id >= m.tasks.length + m.vcpus.length && state === NODE.free);
    if (!free) break;
    copy_row(m, 'saved_node', saved, 'node', free.id);
    name_vcpu_here(m, vm, free);
    dummies += 1;
  }
  m.vms[vm]!.nr_dummies = dummies;
}
