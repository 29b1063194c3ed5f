/**
 * Diagnostics, asserted where they point: below a wrong line stands a comment with the mark and the message.
 *
 * `check()` takes the scenario with those comments, compiles it without them and writes them again from what it finds.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { positionAt } from '../../src/base/source.ts';
import { compile, type Load } from '../../src/dsl/compile.ts';
import { CODES, renderDiagnostic } from '../../src/dsl/diagnostic.ts';

const HEAD = `language 1
host h0 { cpus 1; ram 512MiB; swap nvme { size 1GiB; read fixed(90us) } }
vm web on h0 {
  ram 128MiB; vcpus 1
  guest {
    task db on vcpu[0] user { loop { read heap uniform; work 20us } }
    irq disk on vcpu[0] { work 2us }
  }
}
`;

const none: Load = () => null;

/** Lines with marks below them: `#   ^^^ code: message`. */
function check(
  expected: string,
  { head = HEAD, load = none }: { readonly head?: string; readonly load?: Load } = {},
): void {
  const marked = `${head}${expected.replace(/^\n/, '')}`;
  const text = marked.replace(/^#! .*\n/gm, '');
  const { diagnostics } = compile({ path: 'case.apf', text }, load);
  const lines = text.split('\n');
  const out = lines.flatMap((line, index) => [
    line,
    ...diagnostics.flatMap(each => {
      const from = positionAt(text, each.span.start);
      if (from.line !== index + 1 || each.source.path !== 'case.apf') return [];
      const width = Math.max(
        1,
        Math.min(
          each.span.end,
          text.indexOf('\n', each.span.start) < 0 ? text.length : text.indexOf('\n', each.span.start),
        ) - each.span.start,
      );
      // The mark stands under the column, the comment sign and its blank in front of it.
      const gap = from.column >= 4 ? `${' '.repeat(from.column - 4)}${'^'.repeat(width)}` : `<${from.column},${width}>`;
      return [`#! ${gap} ${each.severity === 'warning' ? 'warning ' : ''}${each.code}: ${each.message}`];
    }),
  ]);
  assert.is(out.join('\n'), marked);
}

const diagnostics = suite('diagnostics');

diagnostics('name the distributions where one is wanted, and what one takes', () => {
  check(`
host h1 { ram 1MiB; swap d { size 1MiB; read exponential(20us); write exp(mean: 20us) } }
#!                                           ^^^^^^^^^^^ unknown-word: no distribution is called 'exponential'
#!                                                                        ^^^^ unknown-word: 'mean' is not an argument of exp
`);
});

diagnostics('name the dimension that is wanted and the one that was found', () => {
  check(`
host h1 { ram 5ms }
#!            ^^^ dimension: expected a size, found a time
at 5 evict web.page(1)
#! ^ dimension: expected a time, found a plain number
expect web.stall > 3
#!     ^^^^^^^^^ type: expected a plain number, found samples of time
expect p99(web.stall) > 30%
#!                      ^^^ dimension: a time is compared with a percentage
expect 5ms + 1MiB > 1ms
#!     ^^^^^^^^^^ dimension: a size is added to a time
expect 10MiB / 1s < 1 Gbit/s
`);
});

diagnostics('know units, and those that people mix up', () => {
  check(`
host h1 { ram 5MB; workers 2 }
#!             ^^ unknown-unit: no unit is called 'MB'
at 5sec evict web.page(1)
#!  ^^^ unknown-unit: no unit is called 'sec'
`);
});

diagnostics('keep kinds of addresses apart', () => {
  check(`
let cold = web.heap.page(3)
expect cold.gva == cold.gpa
#!                 ^^^^^^^^ address-kind: a gva is compared with a gpa
expect cold.gpa == gpa(0x1003000)
expect cold.gfn < cold.hva
#!                ^^^^^^^^ address-kind: a gfn is compared with an hva
expect gpa(cold.gva) == cold.gpa
#!         ^^^^^^^^ address-kind: a gva is no gpa
`);
});

diagnostics('find names, fields, events, states and words that do not exist', () => {
  check(`
let cold = web.heap.page(3)
expect bd is runnable
#!     ^^ unknown-name: nothing is named 'bd' here
expect web.vcpu[0].mp_stat == HALTED
#!                 ^^^^^^^ unknown-field: a vCPU has no 'mp_stat'
never swap_wiat(cold)
#!    ^^^^^^^^^ unknown-event: no event or function is called 'swap_wiat'
expect web.vcpu[0] is haltd
#!                    ^^^^^ unknown-state: a vCPU is never 'haltd'
expect web.vcpu[0] is halted(sintetic)
#!                           ^^^^^^^^ unknown-state: 'halted' has no kind 'sintetic'
expect web.vcpu[0].mp_state == SLEEPING
#!                             ^^^^^^^^ unknown-word: 'SLEEPING' is not one of RUNNABLE, UNINITIALIZED, INIT_RECEIVED, HALTED, SIPI_RECEIVED
always each t in trace(kvm_async_fp_*): t.address.kind is known
#!                     ^^^^^^^^^^^^^^ unknown-tracepoint: no tracepoint fits 'kvm_async_fp_*'
hold web.vcpu[0] at before_entri until ready(cold)
#!                  ^^^^^^^^^^^^ unknown-name: no step is called 'before_entri'
`);
});

diagnostics('know variants, knobs and judgements', () => {
  check(`
run on variants [v6, linux_6_13]
#!                   ^^^^^^^^^^ unknown-variant: no variant named 'linux_6_13'
variant other extends s390_pfalt
#!                    ^^^^^^^^^^ unknown-variant: no variant named 's390_pfalt'
variant mine extends v6 { wake requset; wkae none; wake add none }
#!                             ^^^^^^^ unknown-word: 'requset' is not a value of the knob wake
#!                                      ^^^^ unknown-knob: the protocol has no knob 'wkae'
#!                                                      ^^^ type: the knob 'wake' has one value, it is no set
variant v7 extends v6
#!      ^^ duplicate: 'v7' is a variant that ships with apflab
always one: web.vcpu[0] is runnable unless variant has lists = moved
#!                                                             ^^^^^ unknown-word: 'moved' is not a value of the knob lists
expect fail of on on variant v6 because "no such judgement"
#!             ^^ unknown-judgement: no judgement is named 'on'
`);
});

diagnostics('report one error for each statement, and go on with the next', () => {
  check(
    `
irq disk on web.vcpu[0] vai lapic
#!                      ^^^ syntax: expected the end of the statement, found 'vai'
expect
#! <7,1> syntax: expected a value, found the end of the statement
at 5ms
#! <7,1> syntax: expected an act or '{', found the end of the statement
evict web.page(1
#!            ^ unclosed-bracket: this '(' is never closed
mark "open
#!   ^^^^^ unterminated-text: this text does not end on its line
wrok 5ms
#! <1,4> unknown-statement: no statement begins with 'wrok' in a file
depth 5
#! <1,5> misplaced-statement: 'depth' does not belong in a file
expect web.vcpu[0] is runnable
`
      .replaceAll('<7,1>', '   ^')
      .replace('expect\n#!    ^', 'expect\n#!    ^'),
  );
});

diagnostics('find where a brace is missing', () => {
  check(`
case "one" {
#!         ^ unclosed-bracket: this '{' is never closed
  at 1ms evict web.page(1)
case "two" {
  at 1ms evict web.page(x)
#!                      ^ unknown-name: nothing is named 'x' here
}
case "three"
#!          ^ syntax: expected '{', found the end of the statement
  at 1ms mark "lost"
}
`);
});

diagnostics('names are declared once, and used', () => {
  check(
    `
let cold = web.heap.page(3)
#!  ^^^^ warning unused: 'cold' is never used
param db = 3
vm web on h0 { ram 1MiB; ram 2MiB }
#! ^^^ duplicate: 'web' is already a VM
#!                       ^^^ duplicate: 'ram' is given twice
case "a" {
  matrix { chip in [kernel, usr] }
  set web.irqchip = chip
#!                  ^^^^ unknown-word: 'usr' is not one of kernel, split, user
}
`.replace(
      "#!                  ^^^^ unknown-word: 'usr' is not one of kernel, split, user\n",
      '#!                  ^^^^ type: expected one of kernel, split, user, found one of kernel, usr\n',
    ),
  );
});

diagnostics('imports stay inside the folder, exist, and do not go round', () => {
  const load: Load = path => {
    if (path === 'a.apf') return { path: 'a.apf', text: 'language 1\nimport "b.apf"\n' };
    if (path === 'b.apf') return { path: 'b.apf', text: 'language 1\nproperty fine(v): v is runnable\n' };
    if (path === 'loop.apf') return { path: 'case.apf', text: '' };
    return null;
  };
  check(
    `
import "../secret.apf"
#!     ^^^^^^^^^^^^^^^ import: '../secret.apf' does not stay inside the folder of this file
import "/etc/passwd"
#!     ^^^^^^^^^^^^^ import: '/etc/passwd' does not stay inside the folder of this file
import "c.apf"
#!     ^^^^^^^ import: cannot read 'c.apf'
import "loop.apf"
#!     ^^^^^^^^^^ import: 'loop.apf' imports this file in turn
import "a.apf"
always fine(web.vcpu[0])
`,
    { load },
  );
});

diagnostics('a file says which language it speaks', () => {
  check(`title "x"\n#! <1,5> language: the file does not say which language it is written in\n`, { head: '' });
  check('language 2\n#!       ^ language: this apflab reads language 1, not 2\n', { head: '' });
});

diagnostics('are shown with frame, mark, help and second place; nothing in them reaches the terminal', () => {
  const text = 'language 1\nhost h0 { cpus 1; cpus 2 }\nvm \u001b[31mweb on h9 { ram 1MiB }\n';
  const { diagnostics: found } = compile({ path: 'bad\u001b.apf', text }, none);
  const shown = found.map(each => renderDiagnostic(each)).join('\n');
  assert.not.match(shown, /\u001b/);
  assert.ok(
    shown.startsWith(`error[duplicate]: 'cpus' is given twice
 --> bad␛.apf:2:19
2 | host h0 { cpus 1; cpus 2 }
  |                   ^^^^
  |           ---- given here first`),
    shown,
  );
});

diagnostics('every code has its paragraph', () => {
  for (const [code, text] of Object.entries(CODES)) assert.match(text, /^[A-Z`].*\.$/s, code);
});

diagnostics('a long line is cut to the width of the terminal, the mark in sight', () => {
  const text = `${HEAD}report [${'web.exits, '.repeat(40)}web.exit, ${'web.exits, '.repeat(40)}web.exits]\n`;
  const [found] = compile({ path: 'case.apf', text }, none).diagnostics;
  assert.ok(found);
  for (const columns of [40, 80, 120]) {
    const [, , line = '', mark = ''] = renderDiagnostic(found, undefined, columns).split('\n');
    assert.is(line.length, columns);
    assert.match(line, /^10 \| \.\.\..*\.\.\.$/);
    assert.is(line.slice(mark.indexOf('^'), mark.lastIndexOf('^') + 1), 'exit');
  }
});

diagnostics.run();
