/** What checks and cannot be run: said in the words of the scenario, with what to write instead. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';

const MACHINE = `language 1
host h { cpus 1; ram 16MiB; swap d { size 16MiB; read fixed(1ms) } }
`;
const VM = 'vm web on h { ram 1MiB; guest { apf on; task db on vcpu[0] user { read page(1); done } } }\n';

function refusals(text: string): readonly string[] {
  const { suite, diagnostics } = compile({ path: 'x.apf', text: MACHINE + text }, () => null);
  const [one] = suite?.cases ?? [];
  const [cell] = one?.cells ?? [];
  if (!one || !cell) throw new Error(JSON.stringify(diagnostics));
  const { program, diagnostics: refused } = one.lower(cell, 'linux_6_12');
  assert.is(program, null);
  return refused.map(({ message, help }) => `${message}: ${help}`);
}

test('pages that only the host can tell apart', () => {
  assert.equal(refusals(`${VM}at 0us pin web.heap.pages(cold: 30%)`), [
    'only evict takes pages by how hot they are: name them, web.heap.pages(0..7): null',
  ]);
  const task = 'vm web on h { ram 1MiB; guest { task db on vcpu[0] user { read heap.pages(cold: 30%); done } } }';
  assert.equal(refusals(task), ['a task cannot tell which pages these are: name them, such as heap.pages(0..7)']);
  assert.equal(refusals(`${VM}always each v in web.vcpus: web.heap.page(v.number) is resident`), [
    'only the moment tells what this is: such as web.heap.page(17)',
  ]);
});

test('a state in the place of an event', () => {
  const message = "'deadlock' is a state, not something that happens: judge it: never deadlock";
  assert.equal(refusals(`${VM}after deadlock { mark "here" }`), [message]);
  assert.equal(refusals(`${VM}expect count(deadlock) == 0`), [message]);
});

test('repeats have room for four', () => {
  const nested = `${'repeat 2 { '.repeat(5)}work 1us${' }'.repeat(5)}`;
  const text = `vm web on h { ram 1MiB; guest { task db on vcpu[0] user { ${nested}; done } } }`;
  assert.match(refusals(text)[0] ?? '', 'four repeats inside one another, not more');
});

test.run();
