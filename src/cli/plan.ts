/** From operands to runs: files read and compiled, cases, cells and variants chosen, nothing executed. */
import type { Source } from '../base/source.ts';
import { compile, type Load } from '../dsl/compile.ts';
import type { Diagnostic } from '../dsl/diagnostic.ts';
import type { NamedSuite } from '../dsl/named_suites.ts';
import { listed, nearest } from '../dsl/suggest.ts';
import type { Case, Cell, Options, Suite } from '../dsl/suite.ts';
import { scheduled } from '../explore/schedule.ts';
import type { Schedule } from '../sim/program.ts';
import type { Args } from './args.ts';
import { hasErrors } from './diagnostics.ts';
import { Imports, importLabel, readScenario, scenarioPaths } from './files.ts';
import { Refusal } from './refusal.ts';
import type { RecordedRun, RunFile } from './run_file.ts';
import type { PlannedFile, PlannedRun } from './runner.ts';
import { takes, withSuites } from './suites.ts';
import type { Terminal } from './terminal.ts';
import { GREP, SEED, SET, TAG, VARIANTS } from './verbs.ts';

export interface Selection {
  readonly variants: readonly string[];
  readonly seed: number | null;
  readonly set: ReadonlyMap<string, string>;
  readonly grep: string | null;
  readonly tags: readonly string[];
}

export interface Plan {
  readonly files: readonly PlannedFile[];
  readonly set: ReadonlyMap<string, string>;
  /** The texts of the files and of everything that was imported. */
  readonly sources: readonly Source[];
}

/** A file that was read; without a suite where it has errors. */
export interface Loaded extends Omit<PlannedFile, 'runs'> {
  readonly suite: Suite | null;
  /** The suite that named it, where one did. */
  readonly chosen: NamedSuite | null;
}

export function selectionOf(args: Args): Selection {
  return {
    variants: args.get(VARIANTS),
    seed: args.get(SEED),
    set: args.get(SET),
    grep: args.get(GREP),
    tags: args.get(TAG),
  };
}

export function planOf(operands: readonly string[], selection: Selection, terminal: Terminal): Plan {
  const imports = new Imports(terminal);
  const sources = scenarioPaths(operands, terminal).map(path => readScenario(path, terminal));
  // In a folder the files of a suite run for themselves.
  const files = sources.flatMap(source => {
    const file = loaded(source, imports.load, null);
    return operands.includes(source.path) ? withSuites(file, imports.load, loaded) : [file];
  });
  return { files: planned(files, selection), set: selection.set, sources: [...sources, ...imports.read.values()] };
}

/** The runs of a run file, from the texts in it. `--variants` and `--grep` choose among them. */
export function planOfRunFile(runFile: RunFile, { variants, grep }: Selection): Plan {
  const texts = new Map(runFile.sources.map(source => [source.path, source]));
  const load: Load = (path, from) => texts.get(importLabel(path, from)) ?? null;
  const wanted = runFile.runs.filter(
    run => (variants.length === 0 || variants.includes(run.variant)) && (grep === null || run.case_name.includes(grep)),
  );
  if (wanted.length === 0) throw new Refusal('the run file holds no such run', contentsOf(runFile));
  const files = [...new Set(wanted.map(({ file }) => file))].map(file => {
    const source = texts.get(file);
    if (!source) throw new Refusal(`the run file lacks the text of ${file}`);
    const { suite, chosen: _, ...rest } = loaded(source, load, null);
    const own = wanted.filter(run => run.file === file);
    return { ...rest, runs: suite ? own.map(run => recordedRun(suite, run)) : [] };
  });
  return { files, set: new Map(), sources: runFile.sources };
}

function contentsOf({ runs }: RunFile): string {
  return `it holds: ${[...new Set(runs.map(({ case_name, variant }) => `'${case_name}' on ${variant}`))].join(', ')}`;
}

function loaded(source: Source, load: Load, chosen: NamedSuite | null): Loaded {
  const { diagnostics, suite } = isText(source)
    ? compile(source, load)
    : { diagnostics: [notText(source)], suite: null };
  return { file: source.path, diagnostics, suite, chosen };
}

/** NUL, or what decoding left where the bytes were no UTF-8. */
const NO_TEXT = /[\0\ufffd]/;

function isText({ text }: Source): boolean {
  return !NO_TEXT.test(text);
}

/** One error in place of thousands. */
function notText(source: Source): Diagnostic {
  const start = source.text.search(NO_TEXT);
  const span = { start, end: start + 1 };
  const message = 'this file is not text in UTF-8';
  return {
    code: 'unexpected-character',
    severity: 'error',
    message,
    source,
    span,
    labels: [],
    help: 'a recording is opened by apflab show',
  };
}

function recordedRun(suite: Suite, run: RecordedRun): PlannedRun {
  const found = suite.cases.find(({ name }) => name === run.case_name);
  const cell = found?.cells.find(each => {
    const recorded = JSON.stringify(nameOf(found, each, run.seed));
    return recorded === JSON.stringify(run.cell);
  });
  if (!found || !cell) throw new Refusal(`this version does not find '${run.case_name}' in the recorded ${run.file}`);
  const options = optionsOf(suite, new Map(Object.entries(run.set)));
  const planned = plannedRun(suite, found, cell, run.variant, run.seed, options);
  const { schedule } = run;
  return schedule ? { ...planned, lower: () => scheduledOf(planned.lower(), schedule) } : planned;
}

function scheduledOf({ program, diagnostics }: ReturnType<PlannedRun['lower']>, schedule: Schedule) {
  return { program: program && scheduled(program, schedule), diagnostics };
}

function planned(files: readonly Loaded[], selection: Selection): readonly PlannedFile[] {
  const suites = files.flatMap(({ suite }) => suite ?? []);
  if (suites.length > 0) checkNames(suites, selection);
  const exact = suites.some(suite => suite.cases.some(({ name }) => name === selection.grep));
  const matches = (each: Case, chosen: NamedSuite | null): boolean =>
    takes(chosen, each) &&
    (selection.grep === null || (exact ? each.name === selection.grep : each.name.includes(selection.grep))) &&
    (selection.tags.length === 0 || selection.tags.some(tag => each.tags.includes(tag)));

  const chosen = files.map(({ suite, chosen, ...file }) => {
    const cases = suite?.cases.filter(each => matches(each, chosen)) ?? [];
    const own = selection.variants.length > 0 ? selection : { ...selection, variants: chosen?.variants ?? [] };
    return { ...file, runs: suite ? cases.flatMap(each => runsOf(suite, each, own)) : [] };
  });
  const nothing = chosen.every(({ runs, diagnostics }) => runs.length === 0 && !hasErrors(diagnostics));
  const unfit = nothing
    ? files.flatMap(
        ({ suite, chosen }) => suite?.cases.filter(each => matches(each, chosen)).flatMap(unfitFor(selection)) ?? [],
      )
    : [];
  if (unfit.length > 0) throw new Refusal('nothing to run: no case needs these variants', unfit.join('; '));
  if (nothing)
    throw new Refusal(
      'nothing to run: no case matches',
      listed([...new Set(suites.flatMap(({ cases }) => cases.map(({ name }) => `'${name}'`)))], 'cases'),
    );
  // A file none of whose cases was asked for is left out; one with errors is not.
  return chosen.filter(({ runs, diagnostics }) => runs.length > 0 || hasErrors(diagnostics));
}

/** Why a case does not run on the variants that were asked for. */
function unfitFor({ variants }: Selection): (of: Case) => readonly string[] {
  return ({ name, applies }) =>
    variants.flatMap(variant => {
      const why = applies(variant);
      return why === null ? [] : [`'${name}' is not for ${variant}: ${why}`];
    });
}

function runsOf(suite: Suite, each: Case, selection: Selection): readonly PlannedRun[] {
  const { variants, set } = selection;
  const options = optionsOf(suite, set);
  const named = variants.includes('all') ? suite.variants : variants.filter(name => suite.variants.includes(name));
  const wanted = variants.length > 0 ? named.filter(name => each.applies(name) === null) : each.variants;
  // A name of the matrix chooses among its values; whatever else is set was given to the parameters.
  const cells = each.cells.filter(({ params }) =>
    Object.entries(params).every(([name, value]) => isSame(set.get(name) ?? value, value)),
  );
  const seeds = each.seeds(selection.seed);
  return cells.flatMap(cell =>
    wanted.flatMap(variant => seeds.map(seed => plannedRun(suite, each, cell, variant, seed, options))),
  );
}

/** What tells a run from the others of its case: where there are several seeds, the seed too. */
function nameOf(each: Case, { params }: Cell, seed: number): Readonly<Record<string, string>> {
  return each.seeds(null).length > 1 ? { ...params, seed: String(seed) } : params;
}

function plannedRun(suite: Suite, each: Case, cell: Cell, variant: string, seed: number, options: Options): PlannedRun {
  const { line, column } = each.place;
  return {
    line,
    column,
    case_name: each.name,
    cell: nameOf(each, cell, seed),
    variant,
    paranoid: suite.paranoid,
    tracepoints: suite.tracepoints,
    mutated_knobs: each.mutated_knobs,
    lower: () => each.lower(cell, variant, { ...options, seed }),
    ask: asked => each.ask(asked, cell, variant, { ...options, seed }),
  };
}

/** `64MiB` and `64 MiB` are one value. */
function isSame(given: string, value: string): boolean {
  return given.replaceAll(' ', '') === value.replaceAll(' ', '');
}

function optionsOf(suite: Suite, set: ReadonlyMap<string, string>): Options {
  const own = [...set].filter(([name]) => Object.hasOwn(suite.params, name));
  const values = own.map(([name, text]) => {
    const value = suite.value(name, text);
    if (typeof value === 'string') throw new Refusal(`--set ${name}=${text}: ${value}`);
    return [name, value] as const;
  });
  return { set: new Map(values) };
}

/** What no file knows was meant otherwise. */
function checkNames(suites: readonly Suite[], { variants, set }: Selection): void {
  const known = new Set(['all', ...suites.flatMap(suite => suite.variants)]);
  const settable = new Set(
    suites.flatMap(({ params, cases }) => [
      ...Object.keys(params),
      ...cases.flatMap(({ cells }) => cells.flatMap(cell => Object.keys(cell.params))),
    ]),
  );
  for (const name of variants)
    if (!known.has(name)) throw unknown(`no variant named '${name}'`, name, known, 'variants');
  for (const name of set.keys())
    if (!settable.has(name))
      throw unknown(`--set ${name}: no parameter and no matrix has this name`, name, settable, 'names');
}

function unknown(message: string, name: string, known: ReadonlySet<string>, what: string): Refusal {
  const near = nearest(name, known);
  return new Refusal(
    message,
    near ? `did you mean '${near}'?` : known.size > 0 ? `${what}: ${[...known].join(', ')}` : null,
  );
}
