/** The three examples of the language's design: they parse, check, format, and lower as far as this version runs them. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Compiled, compile } from '../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../src/dsl/diagnostic.ts';
import { format } from '../../src/dsl/print.ts';
import { lex } from '../../src/dsl/scanner.ts';

const NAMES = ['review-halt.apf', 'migrate-owed.apf', 'explore-nmi-cancel.apf'] as const;
const examples = suite('examples');

function read(name: string): string {
  return readFileSync(new URL(`examples/${name}`, import.meta.url), 'utf8');
}

function compiled(name: string): Compiled {
  return compile({ path: name, text: read(name) }, path => ({ path, text: 'language 1\n' }));
}

for (const name of NAMES) {
  examples(`${name} checks whole`, () => {
    assert.is(
      compiled(name)
        .diagnostics.map(each => renderDiagnostic(each))
        .join('\n'),
      '',
    );
  });

  examples(`${name} formats once and for all, with its comments`, () => {
    const once = formatted(name, read(name));
    assert.is(formatted(name, once), once);
    assert.equal(comments(once), comments(read(name)));
  });
}

function formatted(path: string, text: string): string {
  const result = format({ path, text });
  if (!('text' in result)) throw new Error(result.diagnostics.map(each => renderDiagnostic(each)).join('\n'));
  return result.text;
}

function comments(text: string): readonly string[] {
  return lex(text).comments.map(each => each.image.trimEnd());
}

examples('the runs of review-halt: cases, cells and variants', () => {
  const { suite } = compiled('review-halt.apf');
  assert.equal(suite?.tags, ['review', 'smoke']);
  assert.equal(
    suite?.cases.map(each => [each.place.line, each.cells.length, each.variants.length]),
    [
      [26, 1, 4],
      [37, 1, 4],
      [47, 16, 4],
      [59, 1, 4],
      [68, 3, 4],
    ],
  );
  for (const each of suite?.cases ?? []) {
    for (const cell of each.cells) {
      for (const variant of each.variants) {
        const { program, diagnostics } = each.lower(cell, variant);
        assert.ok(program, diagnostics.map(one => renderDiagnostic(one)).join('\n'));
      }
    }
  }
});

examples('what later versions run is refused by name, and nothing else is wrong with it', () => {
  for (const name of ['migrate-owed.apf', 'explore-nmi-cancel.apf']) {
    for (const each of compiled(name).suite?.cases ?? []) {
      const [cell] = each.cells;
      const [variant] = each.variants;
      if (!cell || variant === undefined) throw new Error('nothing to run');
      const { program, diagnostics } = each.lower(cell, variant);
      if (!program) assert.equal([...new Set(diagnostics.map(one => one.code))], ['needs']);
    }
  }
});

examples('every case of migrate-owed is run', () => {
  for (const each of compiled('migrate-owed.apf').suite?.cases ?? [])
    for (const variant of each.variants)
      assert.ok(each.lower(each.cells[0]!, variant).program, `${each.name} on ${variant}`);
});

examples.run();
