/** Shadow tables: entries by address space, what takes them away, and that they are filled by faults. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { boot } from '../../../src/sim/boot.ts';
import { access_page, write_table } from '../../../src/sim/guest/access.ts';
import { gva_of_page, index_of_page } from '../../../src/sim/guest/pgtable.ts';
import { EXIT_REASON } from '../../../src/sim/kvm/exit_reason.ts';
import { fault_error_code } from '../../../src/sim/kvm/mmu.ts';
import { kvm_age_gfn, kvm_unmap_gfn, mapped_for_guest } from '../../../src/sim/kvm/notifier.ts';
import { shadow_access, shadow_frame, shadow_map, shadow_writable } from '../../../src/sim/kvm/shadow.ts';
import { createMachine, type Machine } from '../../../src/sim/machine.ts';
import { pte_target } from '../../../src/sim/mm/page.ts';
import { lowered } from '../../lowered.ts';

function machine(): Machine {
  const m = createMachine(
    lowered(`
language 1
title "shadows"
host h { cpus 1; ram 16MiB; swap d { size 16MiB } }
vm a on h { ram 1MiB; vcpus 1; guest { heap 64KiB; task t on vcpu[0] user { done } } }
vm b on h {
  ram 1MiB; vcpus 1; paging shadow
  guest { heap 256KiB; address_spaces per_task; task t on vcpu[0] user { done }; task u on vcpu[0] user { done } }
}
limit time 1ms
expect true
`),
  );
  boot(m);
  return m;
}

const FIRST = 16; // b's first page: a has 64 KiB.

test('at boot both processes have every page, each at its own place', () => {
  const m = machine();
  const frame = pte_target(m.hva.pte(FIRST + 5));
  equal([shadow_frame(m, 1, 0, 5), shadow_frame(m, 1, 1, 37)], [frame, frame]);
  is(index_of_page(m, 1, 1, 5), 37);
});

test('a page that is taken away goes from all shadows, and says whether it was written through any', () => {
  const m = machine();
  shadow_access(m, 1, 1, 37, true);
  is(kvm_unmap_gfn(m, 1, FIRST + 5), true, 'dirty in the second');
  equal([shadow_frame(m, 1, 0, 5), shadow_frame(m, 1, 1, 37), mapped_for_guest(m, 1, FIRST + 5)], [-1, -1, false]);
  is(kvm_unmap_gfn(m, 1, FIRST + 6), false, 'clean');
});

test('ageing looks at all shadows', () => {
  const m = machine();
  is(kvm_age_gfn(m, 1, FIRST + 5), false);
  shadow_access(m, 1, 1, 37, false);
  equal([kvm_age_gfn(m, 1, FIRST + 5), kvm_age_gfn(m, 1, FIRST + 5)], [true, false]);
});

test('a read-only entry refuses a write, and keeps what it knows when it becomes writable', () => {
  const m = machine();
  const frame = shadow_frame(m, 1, 0, 5);
  kvm_unmap_gfn(m, 1, FIRST + 5);
  shadow_map(m, 1, 0, 5, frame, false);
  equal([shadow_access(m, 1, 0, 5, true), shadow_access(m, 1, 0, 5, false)], [-1, frame]);
  shadow_map(m, 1, 0, 5, frame, true);
  is(shadow_writable(m, 1, 0, 5), true);
  is(kvm_age_gfn(m, 1, FIRST + 5), true, 'it was accessed before');
});

test('what is not there is a #PF exit with the linear address and the error code of the CPU', () => {
  const m = machine();
  const vcpu = m.vcpus[1]!;
  vcpu.cpl3 = 1;
  vcpu.cr3 = 1;
  const frame = shadow_frame(m, 1, 1, 37);
  kvm_unmap_gfn(m, 1, FIRST + 5);
  is(access_page(m, vcpu, FIRST + 5, true), false);
  equal(
    [vcpu.exit_reason, vcpu.cr2_or_gpa, fault_error_code(m, vcpu)],
    [EXIT_REASON.pf, gva_of_page(m, vcpu, FIRST + 5), 6],
  );
  shadow_map(m, 1, 1, 37, frame, false);
  access_page(m, vcpu, FIRST + 5, true);
  is(fault_error_code(m, vcpu), 7, 'there, and not for writing');
});

test('a write to a table is the host’s to carry out', () => {
  const m = machine();
  const vcpu = m.vcpus[1]!;
  is(write_table(m, vcpu, 5, 0), true);
  equal([vcpu.exit_reason, vcpu.pte_index], [EXIT_REASON.pf, 6]);
});

test.run();
