/** A scenario's text to the Program of its first case, cell and variant; whatever is wrong with it fails the test. */
import { compile } from '../src/dsl/compile.ts';
import type { Program } from '../src/sim/program.ts';

export function lowered(text: string, variant?: string): Program {
  const { diagnostics, suite } = compile({ path: 'test.apf', text: text.trimStart() }, () => null);
  const first = suite?.cases[0];
  const cell = first?.cells[0];
  if (!first || !cell) throw new Error(JSON.stringify(diagnostics));
  const { program, diagnostics: refused } = first.lower(cell, variant ?? first.variants[0] ?? '');
  if (!program) throw new Error(JSON.stringify(refused));
  return program;
}
