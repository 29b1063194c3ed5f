/** What a file wants written where an exploration breaks a judgement that it does not expect to break. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import type { Entry, Explored } from '../report/result.ts';
import { reviewText } from '../report/review.ts';
import { foundIn } from './found.ts';
import { writeWhole } from './output.ts';
import type { Plan } from './plan.ts';
import { printRuns, type Ran } from './record.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { readRunFile } from './run_file.ts';
import type { Terminal } from './terminal.ts';

/** The names of the files that were written. Throws a Refusal where one cannot be. */
export async function keepFound(plan: Plan, entries: readonly Entry[], terminal: Terminal): Promise<readonly string[]> {
  const written: string[] = [];
  for (const { file, run, end } of entries) {
    if (run === null || end.kind !== 'explored') continue;
    const { program, violations } = end.exploration;
    const { write, shrink } = program.exploration?.reaction ?? { write: [], shrink: false };
    if (write.length === 0) continue;
    const surprising = new Set(violations.map(({ property }) => property));
    for (const outcome of foundIn(end.exploration, !shrink)) {
      if (!surprising.has(outcome.program.schedule?.breaks ?? '')) continue;
      for (const template of write) written.push(await keep(template, plan, { file, run, outcome }, end, terminal));
    }
  }
  return written;
}

async function keep(
  template: string,
  plan: Plan,
  ran: Ran,
  { found, repeat }: Explored,
  terminal: Terminal,
): Promise<string> {
  const text = await printRuns(plan, [ran]);
  const { title, schedule } = ran.outcome.program;
  const put = (path: string, content: string): string => {
    const free = freePath(path.replaceAll('%title', slugOf(title)), terminal);
    try {
      mkdirSync(resolve(terminal.cwd, dirname(free)), { recursive: true });
    } catch (error) {
      throw refusalOf('write', free, error);
    }
    writeWhole(free, content, terminal, true);
    return free;
  };
  const source = plan.sources.find(({ path }) => path === ran.file)?.text ?? '';
  const telling = found.find(({ property }) => property === schedule?.breaks)?.telling;
  switch (extname(template)) {
    case '.md':
      return put(template, telling ? reviewText(telling, source, repeat) : '');
    case '.apf': {
      const runFile = await readRunFile(template, Buffer.from(text));
      const { heldScenario } = await import('./holding.ts');
      try {
        return put(template, heldScenario(runFile, runFile.runs[0]!));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // No holds make time go this way: what is kept instead is the schedule.
        return put(`${template.slice(0, -'.apf'.length)}.run`, text);
      }
    }
    default:
      return put(template, text);
  }
}

/** With %n the first number that is free. */
function freePath(path: string, { cwd }: Terminal): string {
  if (!path.includes('%n')) return path;
  for (let number = 1; ; number += 1) {
    const numbered = path.replaceAll('%n', String(number));
    if (!existsSync(resolve(cwd, numbered))) return numbered;
  }
}

/** A title as the name of a file: nothing in it leads to another folder. */
function slugOf(title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, 60) || 'untitled';
}
