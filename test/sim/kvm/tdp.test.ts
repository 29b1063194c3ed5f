/** The radix tree of the two-dimensional page tables. */
import { test } from 'uvu';
import { equal, is } from 'uvu/assert';
import {
  tdp_access,
  tdp_age,
  tdp_huge,
  tdp_map,
  tdp_map_huge,
  tdp_mapped,
  tdp_split_huge_page,
  tdp_writable,
  tdp_zap,
} from '../../../src/sim/kvm/tdp.ts';
import { createMachine, type Machine } from '../../../src/sim/machine.ts';
import { lowered } from '../../lowered.ts';

/** Two VMs, so that the second one's tables do not begin with the first row; nothing is mapped. */
function machine(): Machine {
  return createMachine(
    lowered(`
language 1
title "tables"
host h { cpus 1; ram 16MiB; swap d { size 16MiB } }
vm a on h { ram 3MiB; vcpus 1; guest { heap 3MiB; task t on vcpu[0] user { done } } }
vm b on h { ram 8MiB; vcpus 1; guest { heap 8MiB; task t on vcpu[0] user { done } } }
limit time 1ms
expect true
`),
  );
}

const FIRST = 768; // b's first page: a has 3 MiB.

test('nothing is mapped at the start', () => {
  const m = machine();
  equal([tdp_access(m, 1, FIRST, false), tdp_mapped(m, 1, FIRST), tdp_zap(m, 1, FIRST)], [-1, false, false]);
});

test('a leaf maps its own page and no other, in its own VM', () => {
  const m = machine();
  tdp_map(m, 1, FIRST + 700, 42, true);
  equal(
    [699, 700, 701].map(page => tdp_access(m, 1, FIRST + page, false)),
    [-1, 42, -1],
  );
  is(tdp_access(m, 0, 700, false), -1);
  // In the same 2 MiB as what is mapped, and in another.
  equal([tdp_mapped(m, 1, FIRST + 512), tdp_mapped(m, 1, FIRST + 100)], [false, false]);
});

test('a walk stops at the first level that is not there', () => {
  const m = machine();
  tdp_map(m, 1, FIRST, 7, true);
  m.vms[1]!.set_tdp_l4(0, 0);
  is(tdp_access(m, 1, FIRST, false), -1);
});

test('an access sets accessed, a write dirty as well; ageing takes accessed back and keeps dirty', () => {
  const m = machine();
  tdp_map(m, 1, FIRST, 7, true);
  is(tdp_age(m, 1, FIRST), false, 'not touched yet');
  tdp_access(m, 1, FIRST, false);
  equal([tdp_age(m, 1, FIRST), tdp_age(m, 1, FIRST)], [true, false]);
  is(tdp_zap(m, 1, FIRST), false, 'read only: clean');
  tdp_map(m, 1, FIRST, 7, true);
  tdp_access(m, 1, FIRST, true);
  tdp_age(m, 1, FIRST);
  is(tdp_zap(m, 1, FIRST), true, 'written');
  is(tdp_access(m, 1, FIRST, false), -1, 'and gone');
});

test('a 2 MiB leaf maps 512 pages in a row, and goes as a whole', () => {
  const m = machine();
  tdp_map_huge(m, 1, FIRST + 512, 1024);
  equal(
    [511, 512, 513, 1023, 1024].map(page => tdp_access(m, 1, FIRST + page, false)),
    [-1, 1024, 1025, 1535, -1],
  );
  equal([tdp_huge(m, 1, FIRST + 600), tdp_huge(m, 1, FIRST + 100)], [true, false]);
  tdp_access(m, 1, FIRST + 900, true);
  is(tdp_zap(m, 1, FIRST + 513), true, 'dirty through another of its pages');
  equal([tdp_mapped(m, 1, FIRST + 512), tdp_mapped(m, 1, FIRST + 1023)], [false, false]);
});

test('a 2 MiB leaf takes the place of the small ones, and keeps what they knew', () => {
  const m = machine();
  tdp_map(m, 1, FIRST + 700, 42, true);
  tdp_access(m, 1, FIRST + 700, true);
  tdp_map_huge(m, 1, FIRST + 700, 1024);
  is(tdp_zap(m, 1, FIRST + 512), true, 'dirty');
  tdp_map(m, 1, FIRST + 600, 7, true);
  is(tdp_mapped(m, 1, FIRST + 700), false, 'the old leaf is gone');
});

test('a 2 MiB leaf is split into small ones of the same frames, which know what it knew', () => {
  const m = machine();
  tdp_map_huge(m, 1, FIRST + 512, 1024);
  tdp_access(m, 1, FIRST + 900, true);
  tdp_split_huge_page(m, 1, FIRST + 513);
  equal(
    [512, 513, 1023].map(page => tdp_access(m, 1, FIRST + page, false)),
    [1024, 1025, 1535],
  );
  is(tdp_huge(m, 1, FIRST + 512), false);
  is(tdp_zap(m, 1, FIRST + 600), true, 'dirty, as the whole was');
  equal([tdp_mapped(m, 1, FIRST + 600), tdp_mapped(m, 1, FIRST + 601)], [false, true]);
});

test('mapping what is mapped changes nothing', () => {
  const m = machine();
  tdp_map(m, 1, FIRST, 7, true);
  tdp_access(m, 1, FIRST, true);
  tdp_map(m, 1, FIRST, 7, true);
  is(tdp_zap(m, 1, FIRST), true, 'still dirty');
  tdp_map_huge(m, 1, FIRST + 512, 1024);
  tdp_map(m, 1, FIRST + 513, 1025, true);
  is(tdp_huge(m, 1, FIRST + 513), true, 'still huge');
});

test('a leaf that is not for writing faults a write, until it is mapped for writing', () => {
  const m = machine();
  tdp_map(m, 1, FIRST, 7, false);
  equal([tdp_access(m, 1, FIRST, false), tdp_access(m, 1, FIRST, true), tdp_writable(m, 1, FIRST)], [7, -1, false]);
  tdp_map(m, 1, FIRST, 7, true);
  equal([tdp_age(m, 1, FIRST), tdp_writable(m, 1, FIRST)], [true, true], 'and keeps what it knew');
  is(tdp_access(m, 1, FIRST, true), 7);
  tdp_map(m, 1, FIRST, 7, false);
  is(tdp_writable(m, 1, FIRST), true, 'nobody takes it back');
});

test.run();
