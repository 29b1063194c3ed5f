/** Nothing that anybody types makes the language throw, and what formats once formats to itself. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../src/dsl/diagnostic.ts';
import { format } from '../../src/dsl/print.ts';
import { lex } from '../../src/dsl/scanner.ts';
import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import { AROUND, WORLD } from './world.ts';

const fuzz = suite('fuzz');
const seed = 20101004;

function survives(text: string): void {
  const { diagnostics, suite } = compile({ path: 'fuzz.apf', text }, () => null);
  for (const each of diagnostics) {
    assert.ok(each.span.start >= 0 && each.span.end <= text.length + 1, `${each.code} points outside of the text`);
    renderDiagnostic(each);
  }
  for (const each of suite?.cases ?? []) {
    const [cell] = each.cells;
    if (cell) each.lower(cell, each.variants[0] ?? 'v6');
  }
  const once = format({ path: 'fuzz.apf', text });
  if (!('text' in once)) return;
  const again = format({ path: 'fuzz.apf', text: once.text });
  assert.ok('text' in again, `formatted, it no longer parses:\n${once.text}`);
  if ('text' in again) assert.is(again.text, once.text);
  assert.equal(images(once.text), images(text), 'formatting changed a token');
}

/** Tokens and comments; a newline and `;` both end a statement, and may stand for one another. */
function images(text: string): readonly string[] {
  const { tokens, comments } = lex(text);
  const ends = /^(?:[\r\n]+|;)$/;
  return [
    ...tokens.map(each => each.image).filter(image => !ends.test(image)),
    ...comments.map(each => each.image.trimEnd()),
  ];
}

const words = [
  ...new Set(STATEMENTS.flatMap(each => [each.keyword ?? 'db', ...each.syntax.text.split(/[^a-z_]+/)])),
].filter(each => each !== '');
const marks = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '\n',
  '\n',
  ';',
  ',',
  '.',
  '..',
  '->',
  ':',
  '=',
  '==',
  '<',
  '+',
  '-',
  '*',
  '/',
  '|',
  '#c\n',
  '"t"',
  '"',
  '5',
  '5ms',
  '1.5',
  '0..1',
  '30%',
  '0x10',
  'kvm_*',
  '@',
  "'",
];

fuzz('random tokens never throw', () => {
  const text = fc.array(
    fc.oneof(fc.constantFrom(...words), fc.constantFrom(...marks), fc.constantFrom('web', 'cold', 'db', 'v6')),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(text, tokens => survives(`language 1\n${tokens.join(' ')}`)),
    { numRuns: 1500, seed },
  );
});

fuzz('random characters never throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), text => survives(text)),
    { numRuns: 500, seed },
  );
});

fuzz('a good file with a piece cut out, doubled or moved never throws', () => {
  const cut = fc.record({
    from: fc.nat(WORLD.length),
    length: fc.nat(40),
    to: fc.nat(WORLD.length),
    keep: fc.boolean(),
  });
  fc.assert(
    fc.property(cut, ({ from, length, to, keep }) => {
      const piece = WORLD.slice(from, from + length);
      const rest = keep ? WORLD : WORLD.slice(0, from) + WORLD.slice(from + length);
      survives(rest.slice(0, to) + piece + rest.slice(to));
    }),
    { numRuns: 500, seed },
  );
});

fuzz('files put together at random format to themselves, comments and all', () => {
  const statement = fc.constantFrom(...STATEMENTS).chain(each =>
    fc.record({
      statement: fc.constant(each),
      example: fc.constantFrom(...each.examples),
      context: fc.constantFrom(...each.where),
    }),
  );
  const piece = fc.record({
    statement,
    before: fc.constantFrom('', '\n', '\n\n\n', '# a note\n', '   '),
    after: fc.constantFrom('', ' # why', ';', '  '),
  });
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), pieces => {
      const text = pieces
        .map(
          ({ statement: { example, context }, before, after }) =>
            `${before}${AROUND[context].replace('%', () => `${example}${after}`)}\n`,
        )
        .join('');
      const once = format({ path: 'x.apf', text });
      if (!('text' in once)) return; // What may stand only once stands twice.
      survives(text);
    }),
    { numRuns: 400, seed },
  );
});

fuzz.run();
