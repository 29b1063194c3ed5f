/** The verdict matrix: cases down, variants across; and what `report per variant` asked for, the same way. */
import type { Verdict } from '../sim/outcome.ts';
import { caseTitle, type Entry, type RunName, verdictOf } from './result.ts';

export interface Matrix {
  readonly variants: readonly string[];
  readonly rows: readonly {
    readonly title: string;
    /** Null where the case does not run on that variant. */
    readonly cells: readonly (Verdict | null)[];
  }[];
}

/** The runs of one file. Null where there is nothing to compare: fewer than two variants. */
export function matrixOf(entries: readonly Entry[]): Matrix | null {
  const runs = entries.flatMap(entry => (entry.run === null ? [] : [{ entry, run: entry.run }]));
  const variants = [...new Set(runs.map(({ run }) => run.variant))];
  if (variants.length < 2) return null;
  const rows = byTitle(runs).map(([title, beside]) => {
    const cells = variants.map(variant => {
      const found = beside.find(({ run }) => run.variant === variant);
      return found ? verdictOf(found.entry) : null;
    });
    return { title, cells };
  });
  return { variants, rows };
}

/** Runs of the same case and cell beside each other, in the order of their first. */
function byTitle<R extends { readonly run: RunName }>(
  runs: readonly R[],
): readonly (readonly [string, readonly R[]])[] {
  return [...Map.groupBy(runs, ({ run }) => caseTitle(run))];
}

export interface CostTable {
  readonly title: string;
  readonly variants: readonly string[];
  readonly rows: readonly { readonly title: string; readonly values: readonly string[] }[];
}

/** For each case whose file says `report`, the values beside each other. */
export function costTablesOf(entries: readonly Entry[]): readonly CostTable[] {
  const runs = entries.flatMap(({ run, end }) =>
    run && end.kind === 'ran' ? [{ run, report: end.outcome.report }] : [],
  );
  return byTitle(runs).flatMap(([title, beside]) => {
    const columns = [...new Set(beside.flatMap(({ report }) => report.map(column => column.title)))];
    if (columns.length === 0) return [];
    const rows = columns.map(column => {
      return {
        title: column,
        values: beside.map(({ report }) => report.find(each => each.title === column)?.value ?? '-'),
      };
    });
    return [{ title, variants: beside.map(({ run }) => run.variant), rows }];
  });
}
