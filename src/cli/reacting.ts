/** Files that a scenario asks for: `write`, a scenario that a run by time repeats, and `export`. Views are the report's. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { printable } from '../base/printable.ts';
import { EXPORTS } from '../report/exported.ts';
import type { Entry, Shown } from '../report/result.ts';
import type { ExportSpec } from '../sim/program.ts';
import { foundIn } from './found.ts';
import { heldScenario } from './holding.ts';
import { openOutput } from './output.ts';
import { version } from './package.ts';
import type { Plan } from './plan.ts';
import { recordedRun } from './record.ts';
import { Refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export function writeFound(plan: Plan, entries: readonly Entry[], terminal: Terminal): void {
  let number = 0;
  for (const { file, run, end } of entries) {
    if (end.kind !== 'explored' || run === null) continue;
    const { reaction } = end.exploration.program.exploration ?? {};
    if (!reaction || end.exploration.violations.length === 0) continue;
    end.found.forEach((shown, index) => {
      for (const spec of reaction.exports) exportTo(spec, shown, number + index + 1, terminal);
    });
    if (reaction.write.length === 0) {
      number += end.found.length;
      continue;
    }
    for (const outcome of foundIn(end.exploration)) {
      number += 1;
      const recorded = recordedRun({ file, run, outcome }, plan.set);
      const runFile = { engine: version(), sources: plan.sources, runs: [recorded] };
      for (const pattern of reaction.write) {
        const path = pathOf(pattern, outcome.program.title, number, '.apf', terminal.cwd);
        write(path, () => heldScenario(runFile, recorded), terminal);
      }
    }
  }
}

/** What files ask to have their runs written to. */
export function writeRuns(entries: readonly Entry[], terminal: Terminal): void {
  let number = 0;
  for (const { end } of entries) {
    if (end.kind !== 'ran' || !end.shown) continue;
    number += 1;
    for (const spec of end.outcome.program.shown?.exports ?? []) exportTo(spec, end.shown, number, terminal);
  }
}

function exportTo({ format, path }: ExportSpec, shown: Shown, number: number, terminal: Terminal): void {
  const { extension, text } = EXPORTS[format];
  const pattern = path ?? `%title-%n${extension}`;
  write(pathOf(pattern, shown.telling.program.title, number, extension, terminal.cwd), () => text(shown), terminal);
}

function write(path: string, text: () => string, terminal: Terminal): void {
  // A file that is there may be somebody's work.
  if (existsSync(resolve(terminal.cwd, path))) {
    terminal.err.write(`${printable(path)} exists and is left as it is\n`);
    return;
  }
  try {
    const scenario = text();
    mkdirSync(dirname(resolve(terminal.cwd, path)), { recursive: true });
    const output = openOutput(path, terminal);
    output.write(scenario);
    output.close();
    terminal.err.write(`wrote ${printable(path)}\n`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    terminal.err.write(`${printable(`${path}: ${error.message}`)}\n`);
  }
}

/** Scenarios come from strangers: what one writes stays below the folder that it is explored in, and is what it says. */
function pathOf(pattern: string, title: string, number: number, extension: string, cwd: string): string {
  const slug = title.replace(/\W+/g, '-').replace(/^-|-$/g, '').toLowerCase().slice(0, 60);
  const path = pattern.replaceAll('%title', slug).replaceAll('%n', String(number));
  const inside = relative(cwd, resolve(cwd, path));
  if (isAbsolute(path) || isAbsolute(inside) || inside.startsWith('..') || !path.endsWith(extension))
    throw new Refusal(
      extension === '.apf'
        ? `write "${path}": not a scenario below this folder`
        : `export to "${path}": not a ${extension} below this folder`,
      `such as "found/%title-%n${extension}"`,
    );
  return path;
}
