/** What a scenario has kernel threads and VMMs do with pages, by the rows of these. */
import type { ActionOp, Program } from '../program.ts';

export interface PageJob {
  readonly op: ActionOp;
  /** Rows of the pages concerned, in order. */
  readonly pages: readonly number[];
}

type FirstPages = readonly { readonly first_page: number }[];

function jobsOf(program: Program, vms: FirstPages, names: readonly ActionOp['op'][]): readonly PageJob[] {
  return program.actions.flatMap(({ ops }) =>
    ops.flatMap(op => {
      if (!names.includes(op.op)) return [];
      const pages = 'pages' in op ? op.pages.map(page => vms[op.vm]!.first_page + page) : [];
      return [{ op, pages }];
    }),
  );
}

/** What kswapd does. */
export function evictionsOf(program: Program, vms: FirstPages): readonly PageJob[] {
  return jobsOf(program, vms, ['evict', 'evict_part', 'merge']);
}

/** What the main threads of VMMs do. */
export function memoryJobsOf(program: Program, vms: FirstPages): readonly PageJob[] {
  return jobsOf(program, vms, ['mmap', 'balloon', 'truncate', 'restore']);
}
