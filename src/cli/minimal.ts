/**
 * A scenario without what its counterexample does not need: statement by statement, the largest first, as long as some
 * order still breaks the same judgement, and in the same way: what happened on the way there still happens.
 */
import type { Source } from '../base/source.ts';
import { type Block, type Line, spanOf } from '../dsl/layout.ts';
import { format } from '../dsl/print.ts';
import { parseTree } from '../dsl/tree.ts';
import { DEFAULTS } from '../explore/explore.ts';
import { exploredOf, movesOf, scheduled, scheduleOf } from '../explore/schedule.ts';
import { Search } from '../explore/search.ts';
import { shrink } from '../explore/shrink.ts';
import type { Program } from '../sim/program.ts';
import { tell } from '../sim/tell.ts';
import { programOf } from './planned.ts';
import { Refusal } from './refusal.ts';
import type { RecordedRun, RunFile } from './run_file.ts';

/** Whatever else is taken away, these are what the rest is read by, and the bounds. */
const KEPT: ReadonlySet<string> = new Set([
  'language',
  'title',
  'import',
  'states',
  'depth',
  'strategy',
  'preemptions',
]);
/** Blocks of settings. */
const SIZED: ReadonlySet<string> = new Set(['host', 'swap', 'vm', 'link']);
const ACTORS: ReadonlySet<string> = new Set(['task', 'irq', 'timer', 'nmi', 'idle']);
/** What has happened in the one counterexample is to happen in the other: else it may be of another bug. */
const TELLING: ReadonlySet<string> = new Set([
  'took_apf',
  'not_present',
  'completed',
  'ready',
  'halt',
  'nmi',
  'destroyed',
  'swap_wait',
]);
const TRIES_MOST = 300;
/** States that a try may visit, beside twice of what it takes now. */
const STATES_LEAST = 500;

export interface Minimal {
  readonly text: string;
  /** Statements that it does without. */
  readonly removed: number;
  readonly program: Program;
}

/** Throws a Refusal where the run is no counterexample, or none any more. */
export function minimalScenario(runFile: RunFile, run: RecordedRun): Minimal {
  const { schedule } = run;
  const source = runFile.sources.find(({ path }) => path === run.file);
  if (!schedule || !source) throw new Refusal(`'${run.case_name}' is no counterexample`);
  if (schedule.cycle) throw new Refusal(`'${schedule.breaks}' goes on for ever: nothing is left out of that`);
  const program = (text: string) => tried(() => programOf(runFile, { ...run, schedule: null }, text));
  let most = Number.POSITIVE_INFINITY;
  let best: Minimal | null = null;
  let story: ReadonlySet<string> = new Set();
  const attempt = (text: string, removed: number): boolean => {
    const timed = program(text);
    const found = timed && orderOf(timed, schedule.breaks, most);
    if (!timed || !found || (best && found.moves.length > (best.program.schedule?.moves.length ?? 0))) return false;
    const happened = kindsIn(found.program);
    if (best && [...story].some(kind => !happened.has(kind))) return false;
    if (!best) story = happened;
    best = { text, removed, program: found.program };
    most = 2 * found.states + STATES_LEAST;
    return true;
  };
  if (!attempt(source.text, 0)) throw new Refusal(`'${schedule.breaks}' is not broken any more`);
  let text = source.text;
  let removed = 0;
  let tries = 0;
  for (let again = true; again; ) {
    again = false;
    // Smaller ones behind what went keep their order; a second pass sees what only that made unneeded.
    for (let index = 0, lines = linesOf({ ...source, text }); index < lines.length && tries < TRIES_MOST; ) {
      tries += 1;
      const next = without(text, lines[index]!);
      if (attempt(next, removed + 1)) {
        text = next;
        removed += 1;
        again = true;
        lines = linesOf({ ...source, text });
      } else index += 1;
    }
    if (tries >= TRIES_MOST) break;
  }
  // A judgement without a name is named by its line.
  const formatted = format({ ...source, text: text.replace(/\n{3,}/g, '\n\n') });
  if ('text' in formatted) attempt(formatted.text, removed);
  return best ?? unreachable();
}

function unreachable(): never {
  throw new Refusal('nothing is left of it');
}

/** A counterexample with fewer switches and steps, in the scenario as it is. */
export function shrunk(program: Program): Program {
  // With a move less it might not go round.
  if (program.schedule?.cycle) return program;
  const explored = exploredOf(program);
  const breaks = program.schedule?.breaks ?? '';
  const { moves } = shrink(explored, movesOf(program), breaks);
  return scheduled(explored, scheduleOf(explored, moves, breaks));
}

function tried(make: () => Program | null): Program | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** The shortest order that breaks the judgement, shrunk, if there is one within so many states. */
function orderOf(timed: Program, breaks: string, states: number) {
  const explored = exploredOf(timed);
  const judgements = explored.judgements.filter(({ name }) => name === breaks);
  if (judgements.length === 0) return null;
  const bound = Number.isFinite(states) ? states : null;
  const going = new Search({ ...explored, judgements, expectations: [] }, { ...DEFAULTS, states: bound }).run();
  for (;;) {
    const { done, value } = going.next();
    if (!done) continue;
    const [found] = value.found;
    if (!found) return null;
    const { moves } = shrink(explored, found.path, breaks);
    return { moves, states: value.states, program: scheduled(explored, scheduleOf(explored, moves, breaks)) };
  }
}

/** Which of the things that make it this story happen in a run. */
function kindsIn(program: Program): ReadonlySet<string> {
  const texts = tell(program).turns.flatMap(({ doings }) => doings.map(({ text }) => text));
  const kinds = texts.flatMap(text => /^\w+(?=\()/.exec(text)?.[0] ?? []);
  return new Set(kinds.filter(kind => TELLING.has(kind)));
}

/** The largest first: with a task goes all that it does. */
function linesOf(source: Source): readonly Line[] {
  const size = (line: Line) => spanOf(line).end - spanOf(line).start;
  return removable(parseTree(source).root, '').toSorted((a, b) => size(b) - size(a));
}

/** Who acts, and on what. How large a world is stays: without its numbers it would be of another size. */
function removable({ lines }: Block, within: string): readonly Line[] {
  return lines.flatMap(line => {
    const word = line.tokens[0]?.image ?? '';
    const goes = within === 'guest' ? ACTORS.has(word) : !SIZED.has(within) && !KEPT.has(word);
    return [...(goes ? [line] : []), ...line.blocks.flatMap(block => removable(block, word))];
  });
}

/** Ends of lines stay, so that what follows keeps its number. */
function without(text: string, line: Line): string {
  const { start, end } = spanOf(line);
  const begin = line.separator === 'semicolon' ? text.lastIndexOf(';', start) : start;
  const after = line.separator === 'semicolon' ? 0 : (/^[ \t]*;/.exec(text.slice(end))?.[0].length ?? 0);
  return text.slice(0, begin) + text.slice(begin, end).replace(/[^\n]/g, '') + text.slice(end + after);
}
