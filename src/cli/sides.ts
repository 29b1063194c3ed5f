/** What `apflab diff` is given, and which run of the one side is held against which of the other. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { present } from '../base/assert.ts';
import { caseTitle } from '../report/result.ts';
import type { Program } from '../sim/program.ts';
import { presetNamed } from '../sim/protocol/presets.ts';
import type { Recording } from '../trace/recording.ts';
import { hasErrors, sayDiagnostics } from './diagnostics.ts';
import { openInput, wholeOf } from './input.ts';
import { packageFolder } from './package.ts';
import { type Plan, planOf, planOfRunFile, type Selection } from './plan.ts';
import { openRecording } from './recording.ts';
import { Refusal } from './refusal.ts';
import { isRunFile, readRunFile } from './run_file.ts';
import type { PlannedRun } from './runner.ts';
import type { Terminal } from './terminal.ts';

/** What two presets are compared on where no scenario is named: one that nearly all of them can run. */
const DEMONSTRATION = 'scenarios/sync-or-async.apf';

export interface NamedRun {
  readonly file: string;
  readonly title: string;
  readonly variant: string;
  readonly program: Program;
}

export interface NamedRecording {
  readonly file: string;
  readonly recording: Recording;
}

export type Side = { readonly kind: 'run'; readonly run: NamedRun } | ({ readonly kind: 'recording' } & NamedRecording);

export interface Pair {
  readonly a: Side;
  readonly b: Side;
}

interface Planned {
  readonly file: string;
  readonly run: PlannedRun;
}

type Given =
  | { readonly kind: 'runs'; readonly runs: readonly Planned[] }
  | ({ readonly kind: 'recording' } & NamedRecording);

/** The pairs to compare; null where a scenario is invalid, which has been said then. */
export async function pairsOf(
  operands: readonly string[],
  scenario: string | null,
  selection: Selection,
  terminal: Terminal,
): Promise<readonly Pair[] | null> {
  const { variants } = selection;
  if (variants.length > 2) throw new Refusal('--variants: one for both sides, or one for each');
  const [first = '', second = first] = operands;
  if (operands.length < 2 && variants.length < 2)
    throw new Refusal('diff needs a second side', `apflab diff ${first} --variants A,B compares two variants of it`);
  const named = [first, second].map(operand => isVariantName(operand, terminal));
  const file = scenario ?? [first, second].find((_, index) => !named[index]) ?? demonstration(terminal);
  const wanted = [variants[0], variants.at(-1)];
  const given: Given[] = [];
  for (const [index, operand] of [first, second].entries()) {
    const variant = named[index] ? operand : wanted[index];
    const choice = { ...selection, variants: variant === undefined ? [] : [variant] };
    const side = await openSide(named[index] ? file : operand, choice, terminal);
    if (!side) return null;
    given.push(side);
  }
  const [a, b] = [present(given[0], 'diff: one side'), present(given[1], 'diff: the other side')];
  return lowered(a, b, wanted[0] === wanted[1] && !named.includes(true), terminal);
}

function demonstration({ cwd }: Terminal): string {
  return relative(cwd, join(packageFolder(), DEMONSTRATION));
}

/** A preset, or a word that is no file: the scenario may declare a variant of that name. */
function isVariantName(operand: string, { cwd }: Terminal): boolean {
  return presetNamed(operand) !== undefined || (/^[A-Za-z_]\w*$/.test(operand) && !existsSync(resolve(cwd, operand)));
}

/** Null where a scenario is invalid. */
async function openSide(path: string, selection: Selection, terminal: Terminal): Promise<Given | null> {
  if (path.endsWith('.apf')) return plannedSide(planOf([path], selection, terminal), terminal);
  const input = openInput(path, terminal);
  if (isRunFile(input.head))
    return plannedSide(planOfRunFile(await readRunFile(path, wholeOf(input)), selection), terminal);
  return { kind: 'recording', file: path, recording: await openRecording(input) };
}

function plannedSide({ files }: Plan, { err }: Terminal): Given | null {
  const broken = files.filter(({ diagnostics }) => hasErrors(diagnostics));
  for (const { diagnostics } of broken) sayDiagnostics(diagnostics, err);
  if (broken.length > 0) return null;
  return { kind: 'runs', runs: files.flatMap(({ file, runs }) => runs.map(run => ({ file, run }))) };
}

/** Runs of one title belong together; where no title is on both sides, the first of each do. */
function paired(
  a: readonly Planned[],
  b: readonly Planned[],
  alike: boolean,
): readonly (readonly [Planned, Planned])[] {
  const left = [...b];
  const found = a.flatMap(one => {
    const index = left.findIndex(
      other => caseTitle(other.run) === caseTitle(one.run) && (!alike || other.run.variant === one.run.variant),
    );
    if (index < 0) return [];
    return [[one, present(left.splice(index, 1)[0], 'diff: it was found')] as const];
  });
  if (found.length > 0) return found;
  if (alike) return paired(a, b, false);
  return [[present(a[0], 'diff: a plan has runs'), present(b[0], 'diff: a plan has runs')]];
}

function lowered(a: Given, b: Given, alike: boolean, { err }: Terminal): readonly Pair[] | null {
  const runOf = ({ file, run }: Planned): Side | null => {
    const { program, diagnostics } = run.lower();
    if (!program) sayDiagnostics(diagnostics, err);
    return program && { kind: 'run', run: { file, title: caseTitle(run), variant: run.variant, program } };
  };
  const sideOf = (given: Given): Side | null =>
    given.kind === 'recording' ? given : runOf(present(given.runs[0], 'diff: a plan has runs'));
  const pairs =
    a.kind === 'runs' && b.kind === 'runs'
      ? paired(a.runs, b.runs, alike).map(([one, other]) => [runOf(one), runOf(other)] as const)
      : [[sideOf(a), sideOf(b)] as const];
  const whole = pairs.flatMap(([one, other]) => (one && other ? [{ a: one, b: other }] : []));
  return whole.length === pairs.length ? whole : null;
}
