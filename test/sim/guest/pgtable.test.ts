/** The guest's own page tables: who has which page where, and what a walk of two dimensions costs. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import { gva_of_index, index_of_gva, page_of_gpa } from '../../../src/sim/addr.ts';
import { boot } from '../../../src/sim/boot.ts';
import { access_page } from '../../../src/sim/guest/access.ts';
import {
  gpa_of_entry,
  index_of_page,
  page_of_index,
  pte_page,
  pte_refuses,
  root_of,
  table_page,
} from '../../../src/sim/guest/pgtable.ts';
import { EXIT_REASON } from '../../../src/sim/kvm/exit_reason.ts';
import { tdp_zap } from '../../../src/sim/kvm/tdp.ts';
import { createMachine, type Machine } from '../../../src/sim/machine.ts';
import { lowered } from '../../lowered.ts';

/** Two VMs, so that the second one's tables do not begin with the first row. */
function machine(guest: string): Machine {
  const m = createMachine(
    lowered(`
language 1
title "tables"
host h { cpus 1; ram 16MiB; swap d { size 16MiB } }
vm a on h { ram 1MiB; vcpus 1; guest { heap 64KiB; page_tables walked; task t on vcpu[0] user { done } } }
vm b on h { ram 4MiB; vcpus 1; guest { heap 2400KiB; ${guest}; task t on vcpu[0] user { done }; task u on vcpu[0] user { done } } }
limit time 1ms
expect true
`),
  );
  boot(m);
  return m;
}

test('each process has the heap at another address, and all of it', () => {
  const m = machine('address_spaces per_task');
  is(m.places.vms[1]!.spaces, 2);
  equal(
    [0, 299, 300, 599].map(page => index_of_page(m, 1, 0, page)),
    [0, 299, 300, 599],
  );
  equal(
    [0, 299, 300, 599].map(page => index_of_page(m, 1, 1, page)),
    [300, 599, 0, 299],
  );
  for (const space of [0, 1])
    for (let page = 0; page < 600; page += 1) {
      const index = index_of_page(m, 1, space, page);
      is(page_of_index(m, 1, space, index), page);
      is(pte_page(m.gpt.entry(root_of(m, 1, space) + index)), page);
    }
});

test('addresses go back to what they came from, and others to nothing', () => {
  const m = machine('page_tables walked');
  is(index_of_gva(m, 1, gva_of_index(17, 300)), 300);
  equal([index_of_gva(m, 1, 0x1000), index_of_gva(m, 1, gva_of_index(0, 600))], [-1, -1]);
  const { first_page } = m.places.vms[1]!;
  equal([page_of_gpa(m, 1, 0x100_0000), page_of_gpa(m, 1, 0xfff_ffff_ffff)], [first_page, -1]);
});

test('an entry refuses with the bits of the error code', () => {
  equal(
    [
      pte_refuses(0, false, false),
      pte_refuses(0, true, true),
      pte_refuses(1, true, true),
      pte_refuses(7, true, true),
    ].map(bits => bits & 0xff),
    [0, 6, 7, 0],
  );
  is(pte_refuses(0, false, false) !== 0, true, 'refused, though the error code is 0');
});

test('a walk costs 24 memory references, and less where it stops', () => {
  const m = machine('page_tables swappable');
  const vcpu = m.vcpus[1]!;
  const { first_page } = m.places.vms[1]!;
  is(access_page(m, vcpu, first_page + 5, false), true);
  is(vcpu.walk_refs, 24);
  const table = table_page(m, 1, 0, 5);
  is(table, first_page + 600);
  tdp_zap(m, 1, table);
  is(access_page(m, vcpu, first_page + 5, false), false);
  equal(
    [vcpu.walk_refs, vcpu.exit_reason, vcpu.fault_page, vcpu.cr2_or_gpa],
    [19, EXIT_REASON.npf, table, gpa_of_entry(m, 1, 0, 5)],
  );
  vcpu.exit_reason = EXIT_REASON.none;
  // The second leaf table is another page: its entries are still there.
  is(access_page(m, vcpu, first_page + 599, true), true);
});

test('a page that the guest has unmapped is its own #PF, without an exit', () => {
  const m = machine('page_tables walked');
  const vcpu = m.vcpus[1]!;
  const { first_page } = m.places.vms[1]!;
  m.gpt.set_entry(root_of(m, 1, 0) + 5, 0);
  const { depth } = vcpu;
  is(access_page(m, vcpu, first_page + 5, true), false);
  equal([vcpu.exit_reason, vcpu.depth, index_of_gva(m, 1, vcpu.cr2)], [EXIT_REASON.none, depth + 1, 5]);
});

test('where nobody can tell, nobody looks', () => {
  const m = machine('apf on');
  equal([m.places.vms[1]!.spaces, m.vcpus[1]!.walks, m.vcpus[0]!.walks], [0, 0, 1]);
});

test.run();
