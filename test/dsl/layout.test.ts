/** Where statements begin and end, and what the scanner makes of numbers, units and names. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Report } from '../../src/dsl/diagnostic.ts';
import { type Block, layOut } from '../../src/dsl/layout.ts';
import { newParser } from '../../src/dsl/parser.ts';
import { lex } from '../../src/dsl/scanner.ts';
import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import { nearest } from '../../src/dsl/suggest.ts';
import { inBaseUnits, numberOf, UNITS } from '../../src/dsl/units.ts';

const layout = suite('layout');

layout.before(() => {
  // Makes the keywords.
  newParser(new Set(STATEMENTS), true);
});

/** Each statement on a line, blocks in braces. */
function lines(text: string): readonly string[] {
  const report = new Report({ path: 'x', text });
  const show = (block: Block): string[] =>
    block.lines.map(line => {
      const inside = line.blocks.map(each => `{ ${show(each).join('; ')} }`);
      return line.tokens
        .map(token => (token.image === '{' ? (inside.shift() ?? '{') : token.image === '}' ? '' : token.image))
        .join(' ')
        .trim();
    });
  const shown = show(layOut(lex(text), new Set(['case', 'host']), report));
  return [...shown, ...report.all.map(each => `! ${each.message}`)];
}

layout('newline and ; end a statement, brackets keep it together', () => {
  assert.equal(lines('a b; c\nd (e\n f) [g,\n h]\n\n\ni'), ['a b', 'c', 'd ( e f ) [ g , h ]', 'i']);
  assert.equal(lines('vm web on h { ram 1\n cpus 2; x } y'), ['vm web on h { ram 1; cpus 2; x }', 'y']);
});

layout('words that go on with the line before', () => {
  for (const word of [
    'unless x',
    'because "y"',
    'within 2ms',
    'and b',
    'or b',
    'iff b',
    'implies b',
    '-> b',
    'after done(move)',
    'after ready(p) + 5us',
  ]) {
    assert.is(lines(`expect a\n  ${word}`).length, 1, word);
  }
  assert.is(lines('expect a # why\n\n  unless b').length, 1, 'over a comment and a blank line');
});

layout('after begins a statement when an act or a block follows its event', () => {
  for (const trigger of [
    'after switchover(move) { mark "x" }',
    'after ready(web.page(1)) evict cold',
    'after ready(p) + 5us db reads p',
  ]) {
    assert.is(lines(`expect a\n${trigger}`).length, 2, trigger);
  }
  for (const clause of [
    'after ready(p) until done(db)',
    'after ready(p) during 1ms..2ms',
    'after ready(p) unless x',
    'after ready(p)\nevict q',
  ]) {
    assert.equal(lines(`expect a\n${clause}`).length, clause.includes('\n') ? 2 : 1, clause);
  }
});

layout('what is left open is closed by what cannot stand inside', () => {
  assert.equal(lines('case "a" {\n x\ncase "b" { y }'), [
    'case "a" { x }',
    'case "b" { y }',
    "! this '{' is never closed",
  ]);
  assert.equal(lines('expect (a\nevict b'), ['expect ( a', 'evict b', "! this '(' is never closed"]);
  assert.equal(lines('a }'), ['a', "! no '{' is open here"]);
  assert.equal(lines('a | b'), ['a', 'b', "! '|' stands only between the acts of 'any { … }'"]);
});

function scanned(text: string): string {
  return lex(text)
    .tokens.map(token => `${token.tokenType.name}:${token.image}`)
    .join(' ');
}

layout('a unit is one only behind a number or a list', () => {
  assert.is(
    scanned('5ms 40k pages/s 200k/s 10 Gbit/s'),
    'Numeral:5 Unit:ms Numeral:40k Unit:pages/s Numeral:200k Unit:/s Numeral:10 Unit:Gbit/s',
  );
  assert.is(
    scanned('[1] pages/s s / s'),
    'LSquare:[ Numeral:1 RSquare:] Unit:pages/s Identifier:s Slash:/ Identifier:s',
  );
  assert.is(
    scanned('1ms..5ms 0..1 5sec 5\ns'),
    'Numeral:1 Unit:ms DotDot:.. Numeral:5 Unit:ms Numeral:0 DotDot:.. Numeral:1 Numeral:5 UnknownUnit:sec Numeral:5 Newline:\n Identifier:s',
  );
});

layout('a star is a pattern where it cannot multiply', () => {
  assert.is(
    scanned('kvm_*, a.vcpu*.x kvm_*_ready'),
    'Glob:kvm_* Comma:, Identifier:a Dot:. Glob:vcpu* Dot:. Identifier:x Glob:kvm_*_ready',
  );
  assert.is(
    scanned('a*b a * b 2*a'),
    'Identifier:a Star:* Identifier:b Identifier:a Star:* Identifier:b Numeral:2 Star:* Identifier:a',
  );
});

layout('numbers are exact where their unit is whole', () => {
  assert.equal(
    ['0.1', '1.1', '2.3', '1.001'].map(image =>
      inBaseUnits(numberOf(image), UNITS['ms'] ?? { dimension: UNITS['s']!.dimension, factor: 0 }),
    ),
    [100_000, 1_100_000, 2_300_000, 1_001_000],
  );
  assert.equal(['40k', '2M', '1_000', '0x1001', '2.5k'].map(numberOf), [40_000, 2_000_000, 1000, 4097, 2500]);
});

layout('did you mean', () => {
  const names = ['halted', 'runnable', 'swap_wait', 'db', 'shell'];
  assert.equal(
    ['haltd', 'Runnable', 'swap_wiat', 'bd', 'zzz', 'x'].map(each => nearest(each, names)),
    ['halted', 'runnable', 'swap_wait', 'db', null, null],
  );
});

layout.run();
