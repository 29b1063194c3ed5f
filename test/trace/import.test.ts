import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fileKind } from '../../src/trace/detect.ts';
import { Importer, importTrace } from '../../src/trace/import.ts';
import { LINE, type Recording } from '../../src/trace/recording.ts';
import { bytesOf, recordingFiles, shipped } from './recordings.ts';

const KINDS = new Map<number, string>(Object.entries(LINE).map(([name, kind]) => [kind, name]));

/** The file that a recording came from, remade. */
function printed(recording: Recording): string {
  const lines = Array.from({ length: recording.length }, (_, row) => recording.line(row));
  return lines.map((line, index) => (index < lines.length - 1 || recording.ended ? `${line}\n` : line)).join('');
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** What each line was taken for: the name of its tracepoint, or the kind of line. */
function check(text: string, expected: readonly string[]): Recording {
  const recording = importTrace(latin1(text));
  assert.is(printed(recording), text);
  const found = Array.from(
    { length: recording.length },
    (_, row) => recording.event(row)?.name ?? KINDS.get(recording.kind(row)),
  );
  assert.equal(found, expected);
  return recording;
}

for (const file of recordingFiles()) {
  test(`${file.name} prints back byte for byte, its events from their fields alone`, () => {
    const bytes = bytesOf(file);
    const recording = importTrace(bytes, file.name);
    assert.is(Buffer.compare(latin1(printed(recording)), bytes), 0);
    for (let row = 0; row < recording.length; row += 1) {
      if (recording.kind(row) < 0) assert.match(recording.line(row), /^(#|cpus=)/);
    }
  });
}

test('the size of the chunks makes no difference', () => {
  const bytes = shipped('mg-nested-pfvmexit/trace.txt').subarray(0, 20_000);
  const whole = printed(importTrace(bytes));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), cuts => {
      const importer = new Importer('');
      let from = 0;
      for (const to of [...cuts].sort((a, b) => a - b)) {
        importer.push(bytes.subarray(from, to));
        from = to;
      }
      importer.push(bytes.subarray(from));
      assert.is(printed(importer.finish()), whole);
    }),
    { numRuns: 30 },
  );
});

test('a damaged file prints back as it is: nothing is set right in silence', () => {
  for (const name of ['mg-nested-pfvmexit/trace.txt', 'mg-pv-1cpu/report.txt']) {
    const bytes = shipped(name);
    const place = fc.integer({ min: 0, max: 7_999 });
    const change = fc.record({
      at: place,
      put: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }),
      cut: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: bytes.length - 8_000 }),
        fc.array(change, { maxLength: 40 }),
        (from, changes) => {
          const spoilt = [...bytes.subarray(from, from + 8_000)];
          for (const { at, put, cut } of changes) spoilt.splice(at, cut, ...put);
          const text = Buffer.from(spoilt).toString('latin1');
          assert.is(printed(importTrace(latin1(text))), text);
        },
      ),
      { numRuns: 150 },
    );
  }
});

test('thread names contain blanks, slashes and dashes', () => {
  const recording = check(
    `\
       CPU 0/KVM-4706    [002] d..1.  1234.500001: kvm_entry: vcpu 0, rip 0x1000
          <idle>-0       [000] dNh4.  1234.500002: sched_wakeup: comm=CPU 0/KVM pid=4706 prio=120 target_cpu=002
 a-12    [003] x-77      [001] .....  1234.500003: sched_wakeup: comm= pid=x prio=1 pid=5 prio=120 target_cpu=000
 qemu-system-x86-1234567 [001] .....  1234.500004: kvm_fpu: load
   postcopy/listen-12345678 [1234] .....  1234.500005: kvm_fpu: unload
`,
    ['kvm_entry', 'sched_wakeup', 'sched_wakeup', 'kvm_fpu', 'kvm_fpu'],
  );
  const [entry, wakeup, odd, , long] = [0, 1, 2, 3, 4].map(row => recording.event(row));
  assert.equal(
    [entry?.comm, entry?.pid, entry?.cpu, entry?.flags, entry?.time_ns],
    ['CPU 0/KVM', 4706, 2, 'd..1.', 1234500001000],
  );
  assert.equal([wakeup?.comm, wakeup?.args], ['<idle>', ['CPU 0/KVM', 4706, 120, 2, undefined]]);
  assert.equal([odd?.comm, odd?.pid, odd?.args[0], odd?.args[1]], ['a-12    [003] x', 77, ' pid=x prio=1', 5]);
  assert.equal([long?.pid, long?.cpu], [12345678, 1234]);
});

test('each format and era is known by its lines', () => {
  const eras = {
    '2.6.38': '       CPU 0/KVM-4711  [002]  1234.500001: kvm_exit: reason EPT_VIOLATION rip 0x401136 info 182 0\n',
    '4.19': '       CPU 0/KVM-4711  [002] d..1  1234.500001: kvm_exit: reason npf rip 0x401136 info 182 0\n',
    '5.10': '       CPU 0/KVM-4711    [002] d..1  1234.500001: kvm_inj_virq: irq 243\n',
    '6.1': '       CPU 0/KVM-4711    [002] d..1.  1234.500001: kvm_inj_virq: IRQ 0xf3\n',
    report:
      '       CPU 0/KVM-4711  [002]  1234.500001: kvm_exit:             reason EXIT_NPF rip 0x401136 info 182 0\n',
    ns: '       CPU 0/KVM-4711  [002]  1234.500001234: kvm_fpu:              load\n',
    perf: '       CPU 0/KVM  4711 [002]  1234.500001:                kvm:kvm_entry: vcpu 0, rip 0x1000\n',
    wide: '       CPU 0/KVM    4711 [002]  1234.500001:                kvm:kvm_fpu: load\n',
  };
  const envelopes = Object.entries(eras).map(([era, line]) => {
    const recording = importTrace(latin1(line));
    assert.is(printed(recording), line);
    assert.ok(recording.event(0) !== null, era);
    const { format, pid_width, nr_flags, digits } = recording.envelopeOf(0);
    return `${format} ${pid_width} ${nr_flags} ${digits}`;
  });
  assert.equal(envelopes, [
    'ftrace 5 0 6',
    'ftrace 5 4 6',
    'ftrace 7 4 6',
    'ftrace 7 5 6',
    'trace-cmd 5 0 6',
    'trace-cmd 5 0 9',
    'perf 5 0 6',
    'perf 7 0 6',
  ]);
});

test('the process in brackets', () => {
  const recording = check(
    `\
       CPU 0/KVM-4706    (   4699) [002] d..1.  1234.500001: kvm_fpu: load
          <idle>-0       (-------) [000] .....  1234.500002: kvm_fpu: load
 a-long-name-of-a-kworker-4706    (   4699) [002] .....  1234.500003: kvm_fpu: load
          <idle>-0       (----699) [000] .....  1234.500004: kvm_fpu: load
`,
    ['kvm_fpu', 'kvm_fpu', 'kvm_fpu', 'damaged'],
  );
  assert.equal([recording.event(2)?.comm, recording.pid(2)], [' a-long-name-of-a-kworker', 4706]);
});

test('lost events, headings and what nobody declared are kept apart', () => {
  const recording = check(
    `\
# tracer: nop
##### CPU 1 buffer started ####
          mg-vmm-4521    [000] .....  1817.460378: irq_handler_entry: irq=24 name=virtio2-req.0
CPU:1 [LOST 123 EVENTS]
CPU:0 [LOST EVENTS]
CPU:1 [7 EVENTS DROPPED]
          mg-vmm-4521    [000] .....  1817.460379: kvm_fpu: reload
          mg-vmm-4521    [000] .....  1817.460380: kvm_eoi: apicid 0 vector 0243
          mg-vmm-4521    [000] .....  1817.460381: kvm_eoi: apicid 0 vector -1
whatever this is`,
    ['comment', 'comment', 'undeclared', 'lost', 'lost', 'lost', 'damaged', 'damaged', 'kvm_eoi', 'damaged'],
  );
  assert.equal(
    [3, 4, 5].map(row => [recording.cpu(row), recording.lost(row)]),
    [
      [1, 123],
      [0, 0],
      [1, 7],
    ],
  );
  assert.equal([recording.eventName(2), recording.pid(2), recording.eventName(6)], ['irq_handler_entry', 4521, null]);
  assert.is(recording.ended, false);
});

test('two hosts in one file: by the name before the line, or by a second heading', () => {
  const named = check(
    `\
cpus=2
  host-a:        CPU 0/KVM-4711  [002]  1234.500001: kvm_entry:             vcpu 0 rip 0x1000
host-b-2:        CPU 0/KVM-4711  [002]  1234.500001: kvm_entry:             vcpu 0 rip 0x2000
  host-a:        CPU 0/KVM-4711  [002]  1234.500003: kvm_fpu:              load
`,
    ['comment', 'kvm_entry', 'kvm_entry', 'kvm_fpu'],
  );
  assert.equal(
    [1, 2, 3].map(row => named.event(row)?.host),
    ['host-a', 'host-b-2', 'host-a'],
  );

  const parts = check(
    `\
# tracer: nop
       CPU 0/KVM-4711    [002] .....  1234.500001: kvm_fpu: load
# tracer: nop
       CPU 0/KVM-4711    [002] .....     1.500001: kvm_fpu: load
`,
    ['comment', 'kvm_fpu', 'comment', 'kvm_fpu'],
  );
  assert.is.not(parts.host(1), parts.host(3));
  assert.is(parts.event(3)?.host, 'host 2');
});

test('numbers of 64 bits are exact', () => {
  const recording = check(
    `\
            qemu-1       [000] .....     1.000001: kvm_write_tsc_offset: vcpu=0 prev=0 next=18446743899503337694
            qemu-1       [000] .....     1.000002: kvm_wait_lapic_expire: vcpu 0: delta -9223372036854775808 (early)
            qemu-1       [000] .....     1.000003: kvm_tdp_mmu_spte_changed: as id 0 gfn 0 level 4 old_spte 0 new_spte ffffffffffffffff
            qemu-1       [000] .....     1.000004: kvm_write_tsc_offset: vcpu=0 prev=0 next=18446744073709551616
`,
    ['kvm_write_tsc_offset', 'kvm_wait_lapic_expire', 'kvm_tdp_mmu_spte_changed', 'damaged'],
  );
  assert.equal(
    [recording.value(0, 2), recording.value(1, 1), recording.value(2, 2)],
    [18446743899503337694n, -(2n ** 63n), 2n ** 64n - 1n],
  );
});

test('what is not text is known by its first bytes', () => {
  assert.is(fileKind(Uint8Array.of(0x17, 0x08, 0x44, ...latin1('tracing'))), 'trace.dat');
  assert.is(fileKind(Uint8Array.of(0x1f, 0x8b, 8)), 'gzip');
  assert.is(fileKind(latin1('# tracer: nop\n')), 'text');
});

test.run();
