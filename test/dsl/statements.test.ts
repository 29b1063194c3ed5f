/** Every statement by its own declaration: examples parse, check, and print back the same; the grammar is sound. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../src/dsl/diagnostic.ts';
import { newParser } from '../../src/dsl/parser.ts';
import { format } from '../../src/dsl/print.ts';
import { lex } from '../../src/dsl/scanner.ts';
import { STATEMENTS } from '../../src/dsl/statements/all.ts';
import { parseTree } from '../../src/dsl/tree.ts';
import { AROUND, WORLD } from './world.ts';

const statements = suite('statements');

function problems(text: string): string {
  const { diagnostics } = compile({ path: 'example.apf', text }, () => ({ path: 'lib.apf', text: 'language 1\n' }));
  // What the world around an example declares may be declared by the example again.
  const real = diagnostics.filter(each => each.severity === 'error' && each.code !== 'duplicate');
  return real.map(each => renderDiagnostic(each)).join('\n');
}

statements('have ids of their own, and explain themselves in sentences', () => {
  const ids = STATEMENTS.map(each => each.id);
  assert.equal(ids.length, new Set(ids).size);
  for (const { id, summary, about, examples, keyword } of STATEMENTS) {
    assert.match(summary, /^[A-Z].*[.:]$|^[A-Z].*\.$/, id);
    if (about !== undefined) assert.match(about, /^[A-Z`].*\.$/, id);
    assert.ok(examples.length > 0, `${id} has no example`);
    for (const example of examples) if (keyword !== null) assert.ok(example.startsWith(keyword), `${id}: ${example}`);
  }
});

statements('build a grammar without faults', () => {
  assert.not.throws(() => newParser(new Set(STATEMENTS), false));
});

for (const { id, where, examples } of STATEMENTS) {
  statements(`${id}: its examples parse, check and print back`, () => {
    for (const example of examples) {
      for (const context of where) {
        const world = id === 'language' ? WORLD.replace('language 1\n', '') : WORLD;
        const text = `${id === 'language' ? '' : world}${AROUND[context].replace('%', () => example)}\n${id === 'language' ? world : ''}`;
        assert.is(problems(text), '', `${id} in ${context}`);
        const printed = format({ path: 'example.apf', text });
        if (!('text' in printed)) throw new Error(`${id} does not format`);
        assert.equal(words(printed.text), words(text), id);
        assert.ok(printed.text.includes(example), `${id} prints as\n${printed.text}`);
        const last = parseTree({ path: 'example.apf', text: printed.text });
        assert.ok(!last.report.failed);
      }
    }
  });
}

function words(text: string): readonly string[] {
  return lex(text)
    .tokens.map(token => token.image)
    .filter(image => !/[\r\n]/.test(image));
}

statements.run();
