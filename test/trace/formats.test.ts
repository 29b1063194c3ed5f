import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareEvents } from '../../scripts/import_events.ts';
import { formatFolder } from './recordings.ts';

/** What a record has that its text shows only a part of, or from which the text is reckoned. */
const KNOWN = [
  'kvm_dirty_ring_push: the record has no used',
  'kvm_dirty_ring_reset: the record has no used',
  'kvm_emulate_insn: the record has len',
  'kvm_pic_set_irq: the record has elcr',
  'kvm_pic_set_irq: the record has imr',
  'kvm_pic_set_irq: the record has no level',
  'kvm_pic_set_irq: the record has no masked',
  'kvm_ple_window_update: the record has no growed',
  'check_mmio_spte: the record has no valid',
  'fast_page_fault: the record has ret',
  'fast_page_fault: the record has no spurious',
  'fast_page_fault: the record has no fixed',
];

for (const [kernel, version] of [
  ['linux-6.1.192', '6.1'],
  ['linux-6.12.100', '6.12'],
] as const) {
  test(`the declarations agree with the format files of ${kernel}`, () => {
    const folder = formatFolder(kernel);
    if (folder === null) {
      console.log(`skipped: the format files of ${kernel} are not beside the repository`);
      return;
    }
    assert.equal(compareEvents(folder, version).differences, KNOWN);
  });
}

test.run();
