/** How much of everything a program needs: address spaces that matter, items that can be outstanding, token tables. */
import type { ActionOp, Program, VmSpec } from './program.ts';
import { ASYNC_PF_PER_VCPU } from './schema.ts';

export type MemslotChange = Extract<ActionOp, { readonly op: 'memslot' }>;

export function changesMemslots(program: Program, vm: number): boolean {
  return program.actions.some(({ ops }) => ops.some(op => op.op === 'memslot' && op.vm === vm));
}

/**
 * How many address spaces of a VM have tables that matter: none where every access finds what it would have found at
 * boot, since nothing shadows the tables, moves them, edits them or tells two of them apart.
 */
export function addressSpaces(program: Program, vm: number): number {
  const { paging, guest, tlb, incarnation_of } = program.vms[vm]!;
  // All incarnations have one guest, whom acts name by the first.
  const named = incarnation_of ?? vm;
  const { address_spaces, page_tables, on_not_present } = guest;
  if (address_spaces === 'per_task') return Math.max(1, guest.tasks.length);
  const edited = program.actions.some(({ ops }) =>
    ops.some(op => (op.op === 'guest_unmap' || op.op === 'guest_paging') && op.vm === named),
  );
  const walked =
    tlb ||
    changesMemslots(program, named) ||
    paging !== 'tdp' ||
    !guest.paging ||
    page_tables !== 'fixed' ||
    on_not_present === 'halt' ||
    edited;
  return walked ? 1 : 0;
}

/** Whether the guest is a hypervisor that has tables of its own for what it runs. */
export function hasNestedTables({ nested, guest, paging }: VmSpec): boolean {
  return nested === 'tdp' && paging === 'tdp' && guest.tasks.some(task => task.nested);
}

/** Gfns that a vCPU can have outstanding, and one broadcast; `pages`: those of its VM that can be missing. */
export function outstandingOf(vm: VmSpec, pages: number): number {
  return Math.min(ASYNC_PF_PER_VCPU, vm.knobs.double_fault === 'second_token' ? ASYNC_PF_PER_VCPU : pages) + 1;
}

type PagesOfVms = readonly { readonly pages: number }[];

/** Rows for the items of one vCPU: those, and one that is being set up. */
export function itemsOf(vm: VmSpec, pages: number): number {
  return outstandingOf(vm, pages) + 1;
}

export function worksOf(program: Program, vms: PagesOfVms): number {
  return program.vms.reduce((total, vm, id) => total + vm.vcpus * itemsOf(vm, vms[id]!.pages), 0);
}

/** Entries of the guests' token tables: of each task, of each CPU's idle task, and for wakes that came early. */
export function nodesOf(program: Program, vms: PagesOfVms): number {
  return program.vms.reduce((total, vm) => total + vm.guest.tasks.length + vm.vcpus, worksOf(program, vms));
}

/** Acts that never clear a queue of asynchronous page faults. */
const LEAVES_WORK: ReadonlySet<ActionOp['op']> = new Set([
  'evict',
  'touch',
  'irq',
  'nmi',
  'smi',
  'pmi',
  'signal',
  'hold_event',
  'hold_actor',
  'release',
  'order',
  'fail',
  'interrupts',
  'lapic',
  'pin',
  'pending_exception',
  'get_mpstate',
  'query',
  'pause',
  'resume',
  'mark',
]);

/** Whether an item may be cancelled before it runs: a queue is cleared, or a VM or a guest goes another way. */
export function cancelsWork({ actions, migrations }: Program): boolean {
  return migrations.length > 0 || actions.some(({ ops }) => ops.some(({ op }) => !LEAVES_WORK.has(op)));
}
