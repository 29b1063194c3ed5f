/** Diagnostics on their way out: to the terminal as frames, to the reports as places. */
import { positionAt } from '../base/source.ts';
import { type Diagnostic, type Paint, renderDiagnostic, tally } from '../dsl/diagnostic.ts';
import type { Problem } from '../report/result.ts';
import type { Channel } from './terminal.ts';

/** A file that is no scenario at all should not scroll everything else away. */
const SHOWN_MAX = 40;

export function sayDiagnostics(diagnostics: readonly Diagnostic[], { paint, write, columns }: Channel): void {
  if (diagnostics.length === 0) return;
  const colours: Paint = { error: paint.bad, warning: paint.warn, strong: paint.strong, frame: paint.dim };
  for (const diagnostic of diagnostics.slice(0, SHOWN_MAX))
    write(`${renderDiagnostic(diagnostic, colours, columns())}\n\n`);
  const rest = diagnostics.length - SHOWN_MAX;
  write(`${tally(diagnostics)}${rest > 0 ? ` (${rest} not shown)` : ''}\n`);
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

/** Errors first: reports take their place from the first. */
export function problemsOf(diagnostics: readonly Diagnostic[]): readonly Problem[] {
  const problems = diagnostics.map(({ code, severity, message, source, span, help }) => {
    return { file: source.path, ...positionAt(source.text, span.start), severity, code, message, help };
  });
  return [...problems.filter(isError), ...problems.filter(problem => !isError(problem))];
}

const isError = ({ severity }: Problem): boolean => severity === 'error';
