/** A counterexample as a scenario that `apflab run` repeats: the few holds that make time go its way. */
import type { Source, Span } from '../base/source.ts';
import { type Block, type Line, spanOf } from '../dsl/layout.ts';
import { parseTree } from '../dsl/tree.ts';
import { holdsOf, type Placed } from '../explore/holds.ts';
import type { Place, Program } from '../sim/program.ts';
import { createSimulation } from '../sim/simulation.ts';
import { programOf } from './planned.ts';
import { Refusal } from './refusal.ts';
import type { RecordedRun, RunFile } from './run_file.ts';

/** A run that ends within this has the judgement broken early or not at all. */
const STEPS_MOST = 200_000;
const TRIES_MOST = 600;

/** The text of the run's scenario with holds in its case. Throws a Refusal where no holds do. */
export function heldScenario(runFile: RunFile, run: RecordedRun): string {
  const { schedule } = run;
  if (!schedule) throw new Refusal('this run goes by time: its scenario repeats it', `apflab run ${run.file}`);
  const scheduled = programOf(runFile, run, null);
  const source = runFile.sources.find(({ path }) => path === run.file);
  if (!scheduled || !source) throw new Refusal(`'${run.case_name}' does not run any more`);
  const { holds, acts } = holdsOf(scheduled);
  const [judgement] = scheduled.judgements;
  for (const placed of acts.length === 0 ? [acts] : [[], acts]) {
    let tries = 0;
    const textWith = (lines: readonly string[]) =>
      heldText(source, run.case_name, judgement?.place ?? null, placed, lines);
    const breaks = (lines: readonly string[]): boolean => {
      tries += 1;
      const program = programOf(runFile, { ...run, schedule: null }, textWith(lines));
      return program !== null && isBroken(program, schedule.breaks);
    };
    const lines = fewest(holds, breaks, () => tries < TRIES_MOST);
    if (lines) return textWith(lines);
  }
  throw new Refusal(
    `no holds by step and event make a run by time break '${schedule.breaks}'`,
    'the run file itself repeats it: apflab replay',
  );
}

/** None, one, two, or all and then without each that is not needed; null if nothing does. */
function fewest(
  holds: readonly string[],
  breaks: (lines: readonly string[]) => boolean,
  goes_on: () => boolean,
): readonly string[] | null {
  if (breaks([])) return [];
  for (const hold of holds) if (breaks([hold])) return [hold];
  for (const [index, one] of holds.entries())
    for (const other of holds.slice(index + 1)) {
      if (!goes_on()) return null;
      if (breaks([one, other])) return [one, other];
    }
  if (!breaks(holds)) return null;
  return holds.reduce((kept, hold) => {
    const without = kept.filter(each => each !== hold);
    return breaks(without) ? without : kept;
  }, holds);
}

function isBroken(program: Program, name: string): boolean {
  const simulation = createSimulation(program);
  simulation.runUntil(program.limit_ns, STEPS_MOST);
  return simulation.outcome().judgements.some(each => each.name === name && each.holds === 'no');
}

interface Edit extends Span {
  readonly text: string;
}

/**
 * The scenario as a run by time takes it: with more statements at the end of the case, acts when something has happened
 * rather than at a time, and what an `explore` block alone judges as a judgement of the case.
 */
function heldText(
  source: Source,
  case_name: string,
  judged: Place | null,
  acts: readonly Placed[],
  holds: readonly string[],
): string {
  const { root } = parseTree(source);
  const lines = allLines(root);
  const of = ({ line, column }: Place) =>
    lines.find(({ tokens: [first] }) => first?.startOffset === offsetOf(source.text, line, column));
  const own = root.lines.find(
    ({ tokens: [first, second] }) => first?.image === 'case' && second?.image === JSON.stringify(case_name),
  );
  const explorations = lines.filter(({ tokens: [first] }) => first?.image === 'explore');
  const moved = judged && explorations.some(each => allLines(blockOf(each)).some(inside => inside === of(judged)));
  const added = [...(moved ? [judged.text] : []), ...holds];
  const edits: Edit[] = explorations.map(each => ({ ...spanOf(each), text: '' }));
  for (const { place, after } of acts) {
    const line = of(place);
    if (!line) continue;
    const race = lines.find(
      ({ tokens, blocks: [block] }) => tokens.some(({ image }) => image === 'race') && block?.lines.includes(line),
    );
    const act = place.text.replace(/^at\s+[\d.]+\s*\w+\s+/, '');
    if (race && race.blocks[0]?.lines.length === 1) edits.push({ ...spanOf(race), text: `after ${after} ${act}` });
    else if (race) {
      edits.push({ ...spanOf(line), text: '' });
      added.push(`after ${after} ${act}`);
    } else edits.push({ ...spanOf(line), text: `after ${after} ${act}` });
  }
  const end = own?.tokens.at(-1)?.startOffset ?? source.text.length;
  if (added.length > 0) edits.push({ start: end, end, text: `${added.map(each => `\n  ${each}`).join('')}\n` });
  return edited(source.text, edits);
}

/** Lines and columns count from 1. */
function offsetOf(text: string, line: number, column: number): number {
  const before = text.split('\n').slice(0, line - 1);
  return before.reduce((sum, each) => sum + each.length + 1, column - 1);
}

function edited(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { start, end, text: put } of edits.toSorted((a, b) => b.start - a.start)) {
    // What goes takes its line along, what comes starts on one of its own.
    const before = put.startsWith('\n') || put === '' ? result.slice(0, start).trimEnd() : result.slice(0, start);
    result = before + put + result.slice(end);
  }
  return result;
}

function blockOf({ blocks }: Line): Block {
  return { open: null, lines: blocks.flatMap(({ lines }) => lines) };
}

function allLines({ lines }: Block): readonly Line[] {
  return lines.flatMap(line => [line, ...allLines(blockOf(line))]);
}
