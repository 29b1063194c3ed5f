import fc from 'fast-check';
import { test } from 'uvu';
import { equal } from 'uvu/assert';
import { offsetAt, positionAt, snippet } from '../../src/base/source.ts';

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
