/** The runs that a scenario of the repository asks for; whatever is wrong with the file fails the test. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from '../src/base/source.ts';
import { compile } from '../src/dsl/compile.ts';
import { type Diagnostic, renderDiagnostic } from '../src/dsl/diagnostic.ts';
import type { Case } from '../src/dsl/suite.ts';
import type { Program } from '../src/sim/program.ts';

const ROOT = join(import.meta.dirname, '..');

const load = (path: string): Source | null => {
  const full = join(ROOT, path);
  return existsSync(full) ? { path, text: readFileSync(full, 'utf8') } : null;
};

const refuse = (diagnostics: readonly Diagnostic[]): never => {
  throw new Error(diagnostics.map(each => renderDiagnostic(each)).join('\n'));
};

/** One Program for each case, matrix cell and variant of the file. */
export function runsOf(path: string): readonly Program[] {
  return programsOf(path, ({ variants }) => variants);
}

/** One for each variant that a case makes sense on and does not name itself: what `--variants all` adds. */
export function otherRunsOf(path: string): readonly Program[] {
  return programsOf(path, (each, all) =>
    all.filter(variant => each.applies(variant) === null && !each.variants.includes(variant)),
  );
}

function programsOf(path: string, variantsOf: (of: Case, all: readonly string[]) => readonly string[]) {
  const source = load(path);
  if (!source) throw new Error(`no scenario ${path}`);
  const { suite, diagnostics } = compile(source, load);
  if (!suite || diagnostics.length > 0) return refuse(diagnostics);
  return suite.cases.flatMap(each =>
    each.cells.flatMap(cell =>
      variantsOf(each, suite.variants).map(variant => {
        const { program, diagnostics: refused } = each.lower(cell, variant);
        return program ?? refuse(refused);
      }),
    ),
  );
}

/** What tells a run from the others of its file. */
export function runName({ case_name, params, variant }: Program): string {
  const cell = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return [case_name, ...cell, variant].join(' ');
}
