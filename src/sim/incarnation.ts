/**
 * Where a guest runs. A VM that can move has an incarnation on each host it may come to: a VM of the program of its own,
 * with vCPUs, threads, memslots and host pages, of which all but one stand still.
 *
 * The guest itself, its tasks, its token table, its page tables, there is once; it stands on the vCPUs of the incarnation
 * that `lives_in` of its first VM names. Moving it copies the state of its vCPUs and rehomes what refers to them.
 */
import type { Machine } from './machine.ts';
import type { Vcpu } from './schema.ts';

/** The VM that a scenario names, of an incarnation. */
export function guest_vm(m: Machine, vm: number): number {
  return m.program.vms[vm]!.incarnation_of ?? vm;
}

/** The incarnation in which a guest runs now. */
export function vm_now(m: Machine, vm: number): number {
  const moved = m.vms[vm]!.lives_in;
  return moved === 0 ? vm : moved - 1;
}

/** What a vCPU of the first incarnation is now. */
export function vcpu_now(m: Machine, cpu: number): Vcpu {
  const { vm, vcpu_id } = m.places.vcpus[cpu]!;
  return m.vcpus[m.places.vms[vm_now(m, vm)]!.first_vcpu + vcpu_id]!;
}

/** The row now of something that a scenario names: its VM may have moved. */
export function row_now(m: Machine, kind: string, row: number): number {
  if (row < 0) return row;
  switch (kind) {
    case 'vm':
      return vm_now(m, row);
    case 'vcpu':
      return vcpu_now(m, row).id;
    case 'thread': {
      const { vcpu } = m.places.threads[row]!;
      return vcpu < 0 ? row : m.places.vcpus[vcpu_now(m, vcpu).id]!.thread;
    }
    case 'page': {
      const vm = m.places.vms.findLastIndex(({ first_page }) => first_page <= row);
      return m.places.vms[vm_now(m, vm)]!.first_page + row - m.places.vms[vm]!.first_page;
    }
    default:
      return row;
  }
}

/** And the other way: the row by which a scenario names something of an incarnation. */
export function row_named(m: Machine, kind: string, row: number): number {
  if (row < 0) return row;
  switch (kind) {
    case 'vm':
      return guest_vm(m, row);
    case 'vcpu':
      return m.guest_of_vcpu[row]!;
    case 'thread': {
      const vcpu = m.places.threads[row]?.vcpu ?? -1;
      return vcpu < 0 ? row : m.places.vcpus[m.guest_of_vcpu[vcpu]!]!.thread;
    }
    case 'page': {
      const vm = m.places.vms.findLastIndex(({ first_page }) => first_page <= row);
      return m.places.vms[guest_vm(m, vm)]!.first_page + row - m.places.vms[vm]!.first_page;
    }
    default:
      return row;
  }
}

/** Whether any VM of the program can be anywhere but where it started. */
export function can_move(m: Machine): boolean {
  return m.program.vms.some(({ incarnation_of }) => incarnation_of !== null);
}
