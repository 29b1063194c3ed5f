/**
 * The incident library: the scenarios in scenarios/bugs, each a bug that some version really had.
 *
 * Nothing is declared for it. Where a file says `expect fail of … on VARIANTS because`, those variants are the incident
 * and the others of the same case its repair.
 */
import { basename, join, relative } from 'node:path';
import type { Source } from '../base/source.ts';
import { compile } from '../dsl/compile.ts';
import { didYouMean } from '../dsl/suggest.ts';
import type { Case, Cell, Suite } from '../dsl/suite.ts';
import type { Program } from '../sim/program.ts';
import { Imports, readScenario, scenarioPaths } from './files.ts';
import { packageFolder } from './package.ts';
import { Refusal } from './refusal.ts';
import type { PlannedRun } from './runner.ts';
import type { Terminal } from './terminal.ts';

/** Where they stand, in the package. */
const FOLDER = 'scenarios/bugs';

export interface Story {
  /** `b06`, or whatever the file's name begins with. */
  readonly id: string;
  /** The file's name without its ending: what the id is short for. */
  readonly name: string;
  /** From the folder that the user is in. */
  readonly file: string;
  readonly title: string;
  /** What the file says about it before anything is declared. */
  readonly about: string;
  readonly broken: readonly Told[];
  readonly repaired: readonly Told[];
}

/** One run of a story. */
interface Told {
  readonly each: Case;
  readonly cell: Cell;
  readonly variant: string;
  readonly program: Program;
}

/** All of them, in the order of their names. */
export function stories(terminal: Terminal): readonly Story[] {
  const folder = join(packageFolder(), FOLDER);
  const paths = scenarioPaths([folder], terminal);
  return paths.map(path => storyIn(readScenario(path, terminal), terminal));
}

/** The one whose name begins like this. */
export function storyNamed(name: string, terminal: Terminal): Story {
  const folder = join(packageFolder(), FOLDER);
  const paths = scenarioPaths([folder], terminal);
  const wanted = name.toLowerCase();
  const found = paths.filter(path => `${nameOf(path)}-`.startsWith(`${wanted}-`));
  const [path] = found;
  if (found.length > 1) {
    const names = found.map(each => `apflab story ${nameOf(each)}`);
    throw new Refusal(`there are ${found.length} stories of '${name}'`, names.join(', '));
  }
  if (path === undefined) {
    const names = paths.map(each => idOf(nameOf(each)));
    throw new Refusal(`no story named '${name}'`, didYouMean(wanted, names, 'stories'));
  }
  return storyIn(readScenario(path, terminal), terminal);
}

function nameOf(path: string): string {
  return basename(path, '.apf');
}

/** `b06-completion-eaten` is b06; `fc-3020-tokens-never-completed` is fc-3020. */
function idOf(name: string): string {
  return /^(b\d+|[a-z]+-\d+)(?=-|$)/.exec(name)?.[0] ?? name;
}

function storyIn(read: Source, terminal: Terminal): Story {
  const name = nameOf(read.path);
  // So that the command which repeats a run can be given from here.
  const file = relative(terminal.cwd, read.path);
  const { suite } = compile({ ...read, path: file }, new Imports(terminal).load);
  if (!suite) throw new Refusal(`${file} has errors`, `apflab check ${file}`);
  return storyOf(name, { file, text: read.text }, suite);
}

/** What is told in a file, whoever has read it. */
export function storyOf(name: string, { file, text }: { file: string; text: string }, suite: Suite): Story {
  const all = suite.cases.map(runsOf);
  // A case of which nothing is expected to fail is no part of the incident, unless it alone shows the repair.
  const incident = all.filter(each => each.some(isBroken)).flat();
  const told = incident.every(isBroken) ? all.flat() : incident;
  return {
    id: idOf(name),
    name,
    file,
    title: suite.title,
    about: aboutOf(text),
    broken: told.filter(isBroken),
    repaired: told.filter(each => !isBroken(each)),
  };
}

function runsOf(each: Case): readonly Told[] {
  return each.cells.flatMap(cell =>
    each.variants.flatMap(variant => {
      const { program } = each.lower(cell, variant);
      return program ? [{ each, cell, variant, program }] : [];
    }),
  );
}

function isBroken({ program }: Told): boolean {
  return program.expectations.some(({ verdict }) => verdict === 'fail');
}

/** The comment at the head of the file. */
function aboutOf(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex(line => line.startsWith('#'));
  const rest = lines.slice(first);
  const end = rest.findIndex(line => !line.startsWith('#'));
  return first < 0
    ? ''
    : rest
        .slice(0, end < 0 ? rest.length : end)
        .map(line => line.replace(/^# ?/, ''))
        .join('\n');
}

/** For the runner; what was expected to fail is no longer expected, so that it fails. */
export function plannedStory(told: readonly Told[]): readonly PlannedRun[] {
  return told.map(({ each, cell, variant, program }) => ({
    line: each.place.line,
    column: each.place.column,
    case_name: each.name,
    cell: cell.params,
    variant,
    paranoid: false,
    mutated_knobs: [],
    tracepoints: null,
    lower: () => ({ program: { ...program, expectations: [] }, diagnostics: [] }),
    ask: null,
  }));
}

/** Why the runs fail, each reason once, in the order of the file. */
export function reasonsOf(told: readonly Told[]): readonly string[] {
  return [...new Set(told.flatMap(({ program }) => program.expectations.map(({ because }) => because)))];
}

/** The variants of some runs, each once. */
export function variantsOf(told: readonly Told[]): readonly string[] {
  return [...new Set(told.map(({ variant }) => variant))];
}
