/**
 * What the guest does about its own page tables: an ordinary #PF that it mends, and the edits of kvm-unit-tests.
 *
 * Each function is one step of a handler, whose frame says what comes next; an access to a table that is itself
 * missing leaves the guest, and the step is made again.
 */
import { index_of_gva } from '../addr.ts';
import { AT, type At } from '../at.ts';
import { shadow_zap_index } from '../kvm/shadow.ts';
import { type Machine, vm_of_vcpu, vmSpec } from '../machine.ts';
import { FRAME, FRAME_AT, type Vcpu } from '../schema.ts';
import { left_guest, write_table } from './access.ts';
import { invlpg, reload_cr3 } from './cr.ts';
import { frame_at, panic, set_frame_at } from './frames.ts';
import { index_of_page, make_guest_pte, PTE_PRESENT, PTE_USER, PTE_WRITABLE, root_of } from './pgtable.ts';

type FrameAt = (typeof FRAME_AT)[keyof typeof FRAME_AT];

const INJECTED_WRITE = 0x8000_0000;
const MAPPED = PTE_PRESENT | PTE_WRITABLE | PTE_USER;

/**
 * An ordinary #PF: where the address is one of the process's heap, the page is to be mapped. kvm-unit-tests expects
 * none and gives up. Models exc_page_fault(), arch/x86/mm/fault.c, up to handle_mm_fault().
 */
export function ordinary_page_fault(m: Machine, vcpu: Vcpu): void {
  const vm = vm_of_vcpu(m, vcpu);
  const index = m.places.vms[vm]!.spaces === 0 ? -1 : index_of_gva(m, vm, vcpu.cr2);
  if (index < 0) set_frame_at(vcpu, FRAME_AT.iret);
  else if (vmSpec(m, vm).guest.on_not_present === 'halt') panic(m, vcpu);
  else {
    // CR2 is read once; what comes in between may overwrite it.
    vcpu.set_frame_token(vcpu.depth - 1, index + 1);
    set_frame_at(vcpu, FRAME_AT.map);
  }
}

/** Maps the page of an ordinary fault. Models do_anonymous_page(), mm/memory.c, of the guest, whose page this was before. */
export function map_faulting_page(m: Machine, vcpu: Vcpu): At {
  const index = vcpu.frame_token(vcpu.depth - 1) - 1;
  return write_guest_pte(m, vcpu, index, MAPPED, FRAME_AT.iret);
}

/** kvm-unit-tests, x86/asyncpf.c: takes the page that is being accessed out of its table, and remembers it. */
export function unmap_accessed_page(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  const page = accessed_page(m, vcpu);
  if (page < 0) {
    set_frame_at(vcpu, FRAME_AT.wait);
    return AT.guest;
  }
  vcpu.test_phys = page + 1;
  return write_guest_pte(m, vcpu, index_of_accessed(m, vcpu, vm, page), 0, FRAME_AT.reload);
}

/** And puts it back, present and writable, when its token has come. */
export function remap_accessed_page(m: Machine, vcpu: Vcpu): At {
  const vm = vm_of_vcpu(m, vcpu);
  const then = vcpu.frame(vcpu.depth - 1) === FRAME.apf_ready ? FRAME_AT.eoi : FRAME_AT.iret;
  const at = write_guest_pte(m, vcpu, index_of_accessed(m, vcpu, vm, vcpu.test_phys - 1), MAPPED, then);
  if (frame_at(vcpu) === then) vcpu.test_phys = 0;
  return at;
}

function index_of_accessed(m: Machine, vcpu: Vcpu, vm: number, page: number): number {
  return index_of_page(m, vm, vcpu.cr3, page);
}

/** The page of the heap that the interrupted task accesses; -1 for none. */
function accessed_page(m: Machine, vcpu: Vcpu): number {
  if (vcpu.current === 0) return -1;
  const task = m.tasks[vcpu.current - 1]!;
  if (task.injected !== 0) return (task.injected & ~INJECTED_WRITE) - 1;
  return task.target - 1;
}

/** One write of the guest kernel to its tables, made again where the table is missing. */
function write_guest_pte(m: Machine, vcpu: Vcpu, index: number, bits: number, then: FrameAt): At {
  if (write_table(m, vcpu, index, bits)) set_frame_at(vcpu, then);
  return left_guest(vcpu);
}

/**
 * The guest kernel takes pages of the heap out of a task's tables, and has the task's CPU forget them: one by INVLPG,
 * more of them by loading CR3 again, as flush_tlb_func() does, arch/x86/mm/tlb.c.
 * Differs: the edit itself takes no time; with one address space for all, the other CPUs are not told. A nested guest has
 * tables of its own, which are as at its boot.
 */
export function unmap_of_task(m: Machine, vm: number, task: number, heap_pages: readonly number[]): void {
  const { space, vcpu: row } = m.places.tasks[task]!;
  for (const heap_page of heap_pages) {
    const index = index_of_page(m, vm, space, heap_page);
    m.gpt.set_entry(root_of(m, vm, space) + index, make_guest_pte(heap_page, 0));
    m.program.vms.forEach(({ paging, incarnation_of }, id) => {
      if (paging === 'shadow' && (id === vm || incarnation_of === vm)) shadow_zap_index(m, id, space, index);
    });
  }
  const vcpu = m.vcpus[row]!;
  if (vcpu.cr3 !== space) return;
  const [only, ...others] = heap_pages;
  if (only !== undefined && others.length === 0) invlpg(m, vcpu, m.places.vms[vm]!.first_page + only);
  else reload_cr3(m, vcpu);
}
