import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PLAIN } from '../../src/report/paint.ts';
import { SUMMARY } from '../../src/report/schema/summary.ts';
import { latency, match, summary, summaryText } from '../../src/report/summary.ts';
import { importTrace } from '../../src/trace/import.ts';
import { bytesOf, recordingFiles } from '../trace/recordings.ts';

/** A README says `n 601, mean 8342 us, median 6047 us, ...`, in whole microseconds; halves went either way there. */
function agrees(values_ns: readonly number[], written: string, name: string): void {
  const { n, mean, p50, p90, min, max } = latency(values_ns);
  const expected = [...written.matchAll(/\d+(?= us)/g)].map(Number);
  assert.is(n, Number(/^n (\d+)/.exec(written)?.[1]), name);
  assert.is(expected.length, 5);
  [mean, p50, p90, min, max].forEach((value, index) => {
    assert.ok(Math.abs((value ?? 0) - (expected[index] ?? 0)) <= 0.5, `${name}: ${value} for ${written}`);
  });
}

for (const file of recordingFiles()) {
  test(`${file.name}: the counts and times are those of its README`, () => {
    const readme = readFileSync(file.readme, 'utf8');
    const recording = importTrace(bytesOf(file), file.name);
    const found = match(recording);
    const result = SUMMARY.parse(summary(recording, found));

    const rows = [...readme.matchAll(/^\| (\w+) \| (\d+) \|$/gm)].map(([, name = '', n]) => [name, Number(n)] as const);
    assert.ok(rows.length > 0);
    assert.equal(result.events, Object.fromEntries(rows));
    assert.is(
      result.lines.parsed,
      rows.reduce((sum, [, n]) => sum + n, 0),
    );
    assert.is(result.lines.damaged, 0);

    const threads = /^vCPU threads .*: (.*)$/m.exec(readme)?.[1];
    assert.is(result.vcpus.map(({ comm, pid, id }) => `${comm}-${pid} = vcpu ${id}`).join('; '), threads);

    const times = {
      'not_present to completed': found.not_present_to_completed,
      'not_present to ready': found.not_present_to_ready,
      'completed to ready': found.completed_to_ready,
      'completed line after its ready line': found.ready_to_completed,
    };
    for (const [name, values] of Object.entries(times)) {
      const expected = new RegExp(`^- ${name}: (n .*)$`, 'm').exec(readme)?.[1];
      if (expected === undefined) assert.is(values.length, 0, name);
      else agrees(values, expected, name);
    }
    const observed = (name: string): number => Number(new RegExp(`^- ${name}: (\\d+)`, 'm').exec(readme)?.[1] ?? 0);
    assert.is(result.tokens.open_at_end, observed('not_present left without ready at the end'));
    assert.is(result.tokens.broadcast, observed('ready for all \\(token 0xffffffff\\)'));
  });
}

function from(lines: string): ReturnType<typeof importTrace> {
  return importTrace(Buffer.from(lines, 'latin1'), 'a file');
}

test('a completed line may come last, and may belong to several faults', () => {
  const recording = from(`\
            qemu-1       [000] .....     1.000001: kvm_entry: vcpu 0, rip 0x1000
            qemu-1       [000] .....     1.000010: kvm_async_pf_not_present: token 0x1000 gva 0x5000
            qemu-2       [000] .....     1.000020: kvm_entry: vcpu 0, rip 0x1000
            qemu-2       [000] .....     1.000030: kvm_async_pf_not_present: token 0x1000 gva 0x5000
         kworker-9       [000] .....     1.000040: kvm_async_pf_completed: gva 0x5000 address 0x7f0000005000
            qemu-2       [000] .....     1.000050: kvm_async_pf_ready: token 0x1000 gva 0x5000
         kworker-9       [000] .....     1.000060: kvm_async_pf_completed: gva 0x5000 address 0x7f0000005000
            qemu-1       [000] .....     1.000070: kvm_async_pf_not_present: token 0x2000 gva 0x6000
            qemu-1       [000] .....     1.000080: kvm_async_pf_ready: token 0xffffffff gva 0x0
            qemu-1       [000] .....     1.000090: irq_handler_entry: irq=24
            qemu-1       [000] .....     1.000091: kvm_fpu: reload
`);
  const found = match(recording);
  const { ambiguous, open, ...times } = found;
  assert.equal({ ambiguous, open }, { ambiguous: 1, open: 2 });
  assert.equal(times, {
    not_present_to_completed: [30_000],
    not_present_to_ready: [20_000],
    completed_to_ready: [],
    ready_to_completed: [10_000],
  });
  assert.is(
    summaryText(summary(recording, found), found, PLAIN),
    `\
a file
  11 lines: 9 events read, 1 kept as they are, 1 damaged

vCPU threads
  vcpu 0  qemu-1
  vcpu 0  qemu-2

Async page faults
  3 not present, 0 repeated, 2 completed, 2 ready (1 for all), 2 open at the end
  microseconds                      n     mean      p50      p90      min      max
  not present to completed          1       30       30       30       30       30
  not present to ready              1       20       20       20       20       20
  late: 1 completed after the ready line of their token
  ambiguous: 1 completed could belong to several faults; the oldest was taken

Events
  3  kvm_async_pf_not_present
  2  kvm_async_pf_completed
  2  kvm_async_pf_ready
  2  kvm_entry
  1  irq_handler_entry
`,
  );
});

test('a thread number may be of two hosts, and a fault that was dropped is not matched', () => {
  const recording = from(`\
# tracer: nop
            qemu-1       [000] .....     1.000010: kvm_async_pf_not_present: token 0x1000 gva 0x5000
            qemu-1       [000] .....     1.000020: kvm_async_pf_not_present: token 0x2000 gva 0x5000
         kworker-9       [000] .....     1.000040: kvm_async_pf_completed: gva 0x5000 address 0x7f0000005000
# tracer: nop
            qemu-1       [000] .....     1.000010: kvm_async_pf_not_present: token 0x2000 gva 0x5000
            qemu-1       [000] .....     1.000060: kvm_async_pf_ready: token 0x2000 gva 0x5000
`);
  const { not_present_to_completed, not_present_to_ready, open } = match(recording);
  assert.equal([not_present_to_completed, not_present_to_ready, open], [[20_000], [50_000], 2]);
});

test('the middle value and the one at nine tenths', () => {
  const { p50, p90, mean } = latency([1000, 2000, 4000, 9000]);
  assert.equal([p50, p90, mean], [3, 4, 4]);
  assert.equal(latency([]), { n: 0, mean: null, p50: null, p90: null, min: null, max: null });
});

test.run();
