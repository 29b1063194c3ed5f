/** What no scenario needs and no machine survives is refused in words. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';

/** Messages about a file with this in the guest, in the VM and below it; nothing may be thrown. */
function messages({ guest = '', vm = '', below = '' }): readonly string[] {
  const text = `language 1
title "limits"
host h { cpus 2; ram 1MiB; workers 1; swap s { size 1MiB; read fixed(90us); depth 1; readahead 8 pages } }
vm t on h { ram 64KiB; vcpus 1; ${vm}; protocol linux_6_12; guest { apf on; ${guest}
  task a on vcpu[0] user { loop { read heap uniform; work 5us } } } }
limit time 1ms
${below}
`.replace('; ;', ';');
  const { suite, diagnostics } = compile({ path: 'limits.apf', text }, () => null);
  const first = suite?.cases[0];
  const cell = first?.cells[0];
  const lowered = first && cell ? first.lower(cell, first.variants[0] ?? '').diagnostics : [];
  return [...diagnostics, ...lowered].map(({ message }) => message);
}

test('vCPUs are pinned to CPUs that the host has', () => {
  assert.equal(messages({ vm: 'pin [1]' }), []);
  for (const pin of ['[2]', '[0.5]']) assert.equal(messages({ vm: `pin ${pin}` }), ['h has 2 CPUs, numbered from 0']);
});

test('a host may be declared behind the VM on it', () => {
  const text = 'language 1\ntitle "order"\nvm t on h { vcpus 1; pin [1] }\nhost h { cpus 2; ram 1MiB; swap none }\n';
  const { suite, diagnostics } = compile({ path: 'order.apf', text }, () => null);
  assert.equal(diagnostics, []);
  const [first] = suite?.cases ?? [];
  const [cell] = first?.cells ?? [];
  assert.is(cell && first?.lower(cell, 'linux_6_12').program?.vms[0]?.host, 0);
});

test('a page is evicted to a swap device', () => {
  const text =
    'language 1\ntitle "nowhere"\nhost h { cpus 1; ram 1MiB; swap none }\nvm t on h { ram 64KiB; vcpus 1 }\nevict t.page(3)\n';
  const { suite } = compile({ path: 'nowhere.apf', text }, () => null);
  const [first] = suite?.cases ?? [];
  const [cell] = first?.cells ?? [];
  const lowered = cell && first?.lower(cell, 'linux_6_12').diagnostics.map(({ code, message }) => [code, message]);
  assert.equal(lowered, [['no-swap', 'h has no swap that a page could go to']]);
});

test('each timer of a vCPU has a vector', () => {
  const timers = (count: number) =>
    Array.from({ length: count }, (_, index) => `timer k${index} every 1ms on vcpu[0] { work 1us }`).join('\n');
  assert.equal(messages({ guest: timers(128) }), []);
  assert.equal(messages({ guest: timers(129) }), ['a vCPU has 128 timers and interrupts at most']);
});

test('expressions are as deep as one may go', () => {
  const nested = (depth: number) => `expect x: ${'('.repeat(depth)}1 == 1${')'.repeat(depth)}`;
  assert.equal(messages({ below: nested(64) }), []);
  const refused = ['this expression is too long or too deep'];
  assert.equal(messages({ below: nested(20_000) }), refused);
  assert.equal(messages({ below: `expect x: ${'not '.repeat(20_000)}1 == 1` }), refused);
  assert.equal(messages({ below: `expect x: ${'1 == 1 and '.repeat(20_000)}1 == 1` }), refused);
});

test.run();
