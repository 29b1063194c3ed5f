import fc from 'fast-check';
import { test } from 'uvu';
import { equal, is, ok } from 'uvu/assert';
import { cellsOf, offsetAt, positionAt, shortened, snippet } from '../../src/base/source.ts';

/** Mark what stands between « and » in `marked`, and show the line as a diagnostic would. */
function check(marked: string, expected: string): void {
  const start = marked.indexOf('«');
  const end = marked.indexOf('»') - 1;
  const text = marked.replace(/[«»]/g, '');
  const shown = snippet(text, { start, end });
  const { line, column } = positionAt(text, start);
  equal(`${line}:${column}\n${shown.text}\n${' '.repeat(shown.indent)}${'^'.repeat(shown.width)}`, expected);
}

test('a word in a line', () => {
  check('one\nmigrate to «host-c» now\nthree', '2:12\nmigrate to host-c now\n           ^^^^^^');
});

test('lines end in any of the three ways, and the mark stays on its line', () => {
  check('one\r\ntwo «and\r\nthree»', '2:5\ntwo and\n    ^^^');
  check('one\rtwo «and\rthree»', '2:5\ntwo and\n    ^^^');
});

test('a tab is one column and goes on to the next stop', () => {
  check('\tx\t«here»', '1:4\n    x   here\n        ^^^^');
});

test('wide and combining characters keep the mark in its place', () => {
  check('title "漢字" «x»', '1:12\ntitle "漢字" x\n             ^');
  check('e\u0301 «x»', '1:4\ne\u0301 x\n  ^');
  check('😀 «x»', '1:3\n😀 x\n   ^');
});

test('an escape sequence in a name is shown, not sent', () => {
  check('vm \u001b[31m«x»', '1:9\nvm ␛[31mx\n        ^');
});

test('a missing token is a mark of one cell, also at the end and at -1', () => {
  check('vm «»', '1:4\nvm\n   ^');
  equal(positionAt('abc', -1), { line: 1, column: 1 });
  equal(positionAt('abc', Number.NaN), { line: 1, column: 1 });
  equal(snippet('abc', { start: 99, end: 120 }), { text: 'abc', indent: 3, width: 1 });
});

test('a long line is cut around the mark', () => {
  const shown = (marked: string, columns: number): string => {
    const [before = '', rest = ''] = marked.split('«');
    const [inside = '', after = ''] = rest.split('»');
    const span = { start: before.length, end: before.length + inside.length };
    const { text, indent, width } = shortened(snippet(before + inside + after, span), columns);
    return `${text}\n${' '.repeat(indent)}${'^'.repeat(width)}`;
  };
  is(shown('short «x»', 20), 'short x\n      ^');
  is(shown(`«here» ${'x'.repeat(40)}`, 20), `here ${'x'.repeat(12)}...\n^^^^`);
  is(shown(`${'x'.repeat(40)} «here»`, 20), `...${'x'.repeat(12)} here\n                ^^^^`);
  is(shown(`${'x'.repeat(40)} «here» ${'y'.repeat(40)}`, 20), `...xx here ${'y'.repeat(6)}...\n      ^^^^`);
  is(shown(`${'x'.repeat(40)}«${'y'.repeat(40)}»`, 20), `...xxx${'y'.repeat(11)}...\n      ^^^^^^^^^^^`);
  is(shown(`${'x'.repeat(40)}«»`, 20), `...${'x'.repeat(16)}\n                   ^`);
  is(shown(`\t${'漢'.repeat(40)}«字»${'漢'.repeat(40)}`, 21), '...漢漢字漢漢漢漢...\n       ^^');
  for (let columns = 12; columns < 100; columns += 1) {
    const [text = '', mark = ''] = shown(`${'漢'.repeat(20)}\t«here»\t${'字'.repeat(20)}`, columns).split('\n');
    const cells = [...text].reduce((sum, character) => sum + cellsOf(character), 0);
    ok(cells <= columns, `${cells} cells in ${columns}`);
    let at = 0;
    const below = [...text].filter(character => {
      const isMarked = mark[at] === '^';
      at += cellsOf(character);
      return isMarked;
    });
    is(below.join(''), 'here');
  }
});

test('position and offset are inverse wherever a character starts', () => {
  const text = fc.array(fc.constantFrom('a', '\t', '\n', '\r\n', '漢', '😀')).map(parts => parts.join(''));
  fc.assert(
    fc.property(text, sample => {
      let offset = 0;
      for (const character of sample) {
        // The LF of a CRLF belongs to the line before and has no position that leads back to it.
        const inside = character === '\n' && sample[offset - 1] === '\r';
        if (!inside) equal(offsetAt(sample, positionAt(sample, offset)), offset);
        offset += character.length;
      }
    }),
  );
});

test.run();
