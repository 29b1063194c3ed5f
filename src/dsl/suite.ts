/**
 * A checked file as the runs that it asks for: case x matrix cell x variant, each lowered to a Program on demand.
 */
import { Bug } from '../base/assert.ts';
import type { Source } from '../base/source.ts';
import type { Answerable } from '../sim/expr.ts';
import type { Place, Program } from '../sim/program.ts';
import type { Knobs } from '../sim/protocol/knobs.ts';
import { DEFAULT_PRESET, PRESET_NAMES } from '../sim/protocol/presets.ts';
import { type Applies, appliesTo, checkNeeds } from './applies.ts';
import { type Asked, type ReadQuestion, readAsked, refusalOf } from './asked.ts';
import { Check } from './check.ts';
import { entryType } from './check_expression.ts';
import type { Unit } from './compile.ts';
import { type Diagnostic, Report } from './diagnostic.ts';
import type { Things } from './entity.ts';
import { type Environment, evaluate, type Value, valueText } from './evaluate.ts';
import { type Expression, pathText } from './expression.ts';
import { Lowering } from './lower.ts';
import { type NamedSuite, namedSuites } from './named_suites.ts';
import { readExpression } from './read_expression.ts';
import type { Scope } from './scope.ts';
import type { Node } from './statement.ts';
import { didYouMean } from './suggest.ts';
import { childrenOf, isNode } from './syntax.ts';
import { parseTree } from './tree.ts';
import { numberOf } from './units.ts';
import { knobsOfVariant, type Turn } from './variant.ts';
import { placeOf } from './where.ts';
import { wordsOf } from './words.ts';

export interface Suite {
  readonly file: string;
  readonly source: Source;
  readonly title: string;
  readonly tags: readonly string[];
  /** Parameters that `--set` may change, with the text of their defaults. */
  readonly params: Readonly<Record<string, string>>;
  /** The file asks for `--paranoid`. */
  readonly paranoid: boolean;
  /** Tracepoints that the file wants printed, by name or pattern; null for all. */
  readonly tracepoints: readonly string[] | null;
  /** None where it names suites and has no machine. */
  readonly cases: readonly Case[];
  readonly suites: readonly NamedSuite[];
  /** A value for a parameter, as `--set` gives it; a text says what is wrong with it. */
  value(param: string, text: string): Value | string;
  /** Every variant that can be named here: those that ship, and the file's own. */
  readonly variants: readonly string[];
  /** The knobs of one of these. */
  knobs(variant: string): Knobs | null;
}

export interface Case {
  readonly name: string;
  readonly place: Place;
  readonly tags: readonly string[];
  /** One without a matrix. */
  readonly cells: readonly Cell[];
  /** Those that it runs on when the command line does not say. */
  readonly variants: readonly string[];
  /** The knobs and guards that `mutate` in the case, or else in the file, restricts `apflab mutate` to; empty for all. */
  readonly mutated_knobs: readonly string[];
  /** Why a variant is none of those that the case makes sense on; null where it is one. */
  readonly applies: Applies;
  /** One, or as many as `repeat` says; `first` wins over the seed of the file. */
  seeds(first: number | null): readonly number[];
  /** The Program of one run, or why this version cannot run it. */
  lower(cell: Cell, variant: string, options?: Options): Lowered;
  /** An expression for the machine of that run. */
  ask(asked: Asked, cell: Cell, variant: string, options?: Options): Answerable;
}

export interface Cell {
  /** Matrix values by name, as text. */
  readonly params: Readonly<Record<string, string>>;
  readonly values: ReadonlyMap<string, Value>;
}

export interface Options {
  /** Wins over `seed` in the file. */
  readonly seed?: number;
  /** Values of parameters by name: `--set ram=64MiB`, given as the value itself. */
  readonly set?: ReadonlyMap<string, Value>;
}

export interface Lowered {
  readonly program: Program | null;
  readonly diagnostics: readonly Diagnostic[];
}

const DEFAULT_SEED = 1;

export function suiteOf(unit: Unit): Suite {
  const { nodes, source } = unit.tree;
  const found = nodes.filter(each => each.statement.id === 'case');
  const variants = [...PRESET_NAMES, ...unit.scope.variants().map(each => each.name)];
  const suites = namedSuites(nodes);
  const only_suites = suites.length > 0 && !nodes.some(each => each.statement.id === 'vm');
  const whole = { unit, fileVariants: variantsOf(nodes, variants) ?? protocolOf(unit), variants };
  return {
    file: source.path,
    source,
    title: wordsOf(nodes, 'title', 'title')[0] ?? '',
    tags: wordsOf(nodes, 'tags', 'tags'),
    params: Object.fromEntries(
      unit.scope
        .ofKind('param')
        .map(each => [each.name, textOfValue(each.value && evaluate(each.value, plainEnvironment(unit.scope), true))]),
    ),
    paranoid: nodes.some(each => each.statement.id === 'paranoid'),
    tracepoints: tracepointsOf(nodes),
    cases: found.length > 0 || only_suites ? found.map(node => caseOf(node, whole)) : [caseOf(null, whole)],
    suites,
    variants,
    value: (param, text) => valueFor(param, text, unit),
    knobs: variant => knobsOfVariant(variant, unit.scope, node => turnsOf(node, unit)),
  };
}

/** What is wrong with the variants that a file lists, given what it and its cases need. */
export function misfits(unit: Unit): readonly Diagnostic[] {
  const { nodes, source } = unit.tree;
  const report = new Report(source);
  checkNeeds(nodes, unit.scope, source, report, each => turnsOf(each, unit));
  return report.all;
}

/** Parsed and checked as if the file said `param NAME = TEXT`. */
function valueFor(param: string, text: string, { scope, tree }: Unit): Value | string {
  const known = scope.ofKind('param').find(each => each.name === param);
  if (!known)
    return `no parameter named '${param}'; ${
      didYouMean(
        param,
        scope.ofKind('param').map(each => each.name),
        'the file has',
      ) ?? 'the file has none'
    }`;
  const given = parseTree({ path: '--set', text: `param ${param} = ${text}` });
  const [node] = given.nodes;
  const [value] = node ? childrenOf(node.cst, 'value') : [];
  if (given.report.failed || given.nodes.length !== 1 || !value || !isNode(value))
    return given.report.all[0]?.message ?? 'this is no value';
  const read = readExpression(value);
  const check = new Check(given.report, scope, () => null);
  check.expect(read, entryType(known, new Check(tree.report, scope, () => null)));
  return (
    given.report.all[0]?.message ??
    evaluate(read, plainEnvironment(scope), true) ??
    'this is no value known before the run'
  );
}

interface Whole {
  readonly unit: Unit;
  readonly fileVariants: readonly string[];
  readonly variants: readonly string[];
}

function caseOf(node: Node | null, whole: Whole): Case {
  const { tree, scope, scopes } = whole.unit;
  const body = node?.body ?? [];
  const inner = (node && scopes.get(node)) ?? scope;
  const [first] = tree.root.lines;
  const line = node?.line ?? first;
  if (!line) throw new Bug('a suite of an empty file');
  const name = node ? (wordsOf([node], 'case', 'title')[0] ?? '') : (wordsOf(tree.nodes, 'title', 'title')[0] ?? '');
  const place = placeOf(line, tree.source);
  const settings = [...importsOf(whole.unit).flatMap(each => each.tree.nodes), ...tree.nodes, ...body];
  const seed = numberIn(settings, 'seed', 'seed') ?? DEFAULT_SEED;
  const times = numberIn(body, 'repeat', 'times') ?? 1;
  const of_several = times > 1;
  const applies = appliesTo([...tree.nodes, ...body], inner, tree.source, each => turnsOf(each, whole.unit));
  const run: Run = { whole, body, scope: inner, name, place, seed, of_several, question: null };
  return {
    name,
    place,
    tags: [...wordsOf(tree.nodes, 'tags', 'tags'), ...wordsOf(body, 'tags', 'tags')],
    cells: cellsOf(body, inner),
    variants: (variantsOf(body, whole.variants) ?? whole.fileVariants).filter(name => applies(name) === null),
    mutated_knobs: mutatedKnobs(body) ?? mutatedKnobs(tree.nodes) ?? [],
    applies,
    seeds: first => Array.from({ length: times }, (_, index) => (first ?? seed) + index),
    lower: (cell, variant, options) => lowerRun(run, cell, variant, options ?? {}),
    ask(asked, cell, variant, options) {
      const question = readAsked(asked, inner);
      if (!question.node) return refusalOf(question.diagnostics, asked);
      const { program, diagnostics } = lowerRun({ ...run, question }, cell, variant, options ?? {});
      if (!program) return refusalOf(diagnostics, asked);
      return { ok: true, values: program.report.map(({ value }) => value) };
    },
  };
}

// -- Reading what runs there are ------------------------------------------------------------------

/** What the last of such statements says. */
function numberIn(nodes: readonly Node[], id: string, label: string): number | null {
  const image = wordsOf(nodes, id, label).at(-1);
  return image === undefined ? null : numberOf(image);
}

function variantsOf(nodes: readonly Node[], all: readonly string[]): readonly string[] | null {
  const node = nodes.find(each => each.statement.id === 'run' || each.statement.id === 'variants');
  if (!node) return null;
  if (wordsOf([node], node.statement.id, 'group').includes('all')) return all;
  return [...wordsOf([node], node.statement.id, 'one'), ...wordsOf([node], node.statement.id, 'many')];
}

/** The protocol of the first VM that says one. */
function protocolOf({ tree, imports }: Unit): readonly string[] {
  const nodes = [...imports.flatMap(each => each.tree.nodes), ...tree.nodes];
  const vms = nodes.filter(each => each.statement.id === 'vm');
  const [given] = vms.flatMap(each => wordsOf(each.body, 'vm_protocol', 'variant'));
  return [given ?? DEFAULT_PRESET];
}

function tracepointsOf(nodes: readonly Node[]): readonly string[] | null {
  const block = nodes.find(each => each.statement.id === 'tracepoints');
  const enable = block?.body.find(each => each.statement.id === 'tracepoints_enable');
  return enable ? namesIn(enable, 'patterns') : null;
}

function mutatedKnobs(nodes: readonly Node[]): readonly string[] | null {
  const block = nodes.find(each => each.statement.id === 'mutate');
  const knobs = block?.body.find(each => each.statement.id === 'mutate_knobs');
  return knobs ? namesIn(knobs, 'value') : null;
}

/** A list of names that stands in one place of a statement, or the only one. */
function namesIn({ cst }: Node, label: string): readonly string[] | null {
  const [names] = childrenOf(cst, label);
  if (!names || !isNode(names)) return null;
  const read = readExpression(names);
  return (read.kind === 'list' ? read.items : [read]).map(pathText);
}

/** All combinations of the matrix, the last name varying fastest. */
function cellsOf(body: readonly Node[], scope: Scope): readonly Cell[] {
  const matrix = body.find(each => each.statement.id === 'matrix');
  const entries = matrix?.body.filter(each => each.statement.id === 'matrix_entry') ?? [];
  let cells: Cell[] = [{ params: {}, values: new Map() }];
  for (const entry of entries) {
    const [name] = wordsOf([entry], 'matrix_entry', 'name');
    const [values] = childrenOf(entry.cst, 'values');
    if (name === undefined || !values || !isNode(values)) continue;
    const list = evaluate(readExpression(values), plainEnvironment(scope), true);
    const items = list?.v === 'list' ? list.items : list?.v === 'range' ? numbersIn(list) : [];
    cells = cells.flatMap(cell =>
      items.map(item => ({
        params: { ...cell.params, [name]: valueText(item) },
        values: new Map(cell.values).set(name, item),
      })),
    );
  }
  return cells;
}

function numbersIn({ from, to }: Extract<Value, { readonly v: 'range' }>): readonly Value[] {
  if (from.v !== 'number' || to.v !== 'number') return [];
  return Array.from({ length: Math.max(0, to.value - from.value + 1) }, (_, index) => ({
    ...from,
    value: from.value + index,
  }));
}

function plainEnvironment(scope: Scope): Environment {
  const [name] = PRESET_NAMES;
  const knobs = name === undefined ? null : knobsOfVariant(name, scope, () => []);
  if (name === undefined || !knobs) throw new Bug('no presets');
  return { scope, values: new Map(), variant: name, knobs, outOfRange: () => undefined };
}

function textOfValue(value: Value | null): string {
  return value ? valueText(value) : '';
}

// -- One run --------------------------------------------------------------------------------------

interface Run {
  readonly whole: Whole;
  readonly body: readonly Node[];
  readonly scope: Scope;
  readonly name: string;
  readonly place: Place;
  readonly seed: number;
  readonly of_several: boolean;
  /** Stands in for what the file reports. */
  readonly question: ReadQuestion | null;
}

function lowerRun(run: Run, cell: Cell, variant: string, { seed, set }: Options): Lowered {
  const { whole, body, scope, name, place } = run;
  const { unit } = whole;
  const { source, nodes } = unit.tree;
  const report = new Report(source);
  const knobs = knobsOfVariant(variant, scope, node => turnsOf(node, unit));
  if (!knobs) {
    report.error('unknown-variant', {
      span: { start: 0, end: 0 },
      message: `no variant named '${variant}'`,
      help: `known here: ${whole.variants.join(', ')}`,
    });
    return { program: null, diagnostics: report.all };
  }
  const values = new Map([...(set ?? []), ...cell.values]);
  const outOfRange = (of: Pick<Expression, 'span'>, message: string): void =>
    report.error('range', { span: of.span, message });
  const env: Environment = { scope, values, variant, knobs, outOfRange };
  const lowering = new Lowering(env, source, report, savedIn([...nodes, ...body]), nmisIn([...nodes, ...body]));
  const imported = importsOf(unit);
  for (const round of ['settings', 'hosts', 'vms', 'moves', 'behaviour'] as const) {
    if (round !== 'behaviour') for (const each of imported) lowering.round(round, each.tree.nodes, each.tree.source);
    lowering.round(round, nodes, source);
    if (round === 'behaviour') lowering.acts_of_file = lowering.actions.length;
    lowering.round(round, body, source);
  }
  const { question } = run;
  if (question?.node) {
    lowering.columns.splice(0);
    lowering.round('behaviour', [question.node], question.source);
  }
  lowering.moves.restores(lowering.actions);
  lowering.judge.finish();
  if (lowering.hosts.length === 0)
    report.error('missing', {
      span: { start: 0, end: 0 },
      message: 'there is no host',
      help: 'declare one: host h0 { cpus 1; ram 512MiB }',
    });
  if (lowering.vms.length === 0)
    report.error('missing', {
      span: { start: 0, end: 0 },
      message: 'there is no VM',
      help: 'declare one: vm web on h0 { ram 128MiB }',
    });
  if (report.failed) return { program: null, diagnostics: report.all };
  const program: Program = {
    title: lowering.name,
    file: source.path,
    place,
    case_name: name,
    tags: lowering.allTags,
    params: paramsOf(scope, env, cell),
    chosen: { set: { ...cell.params, ...changedOf(set ?? new Map(), scope, cell) }, of_several: run.of_several },
    variant,
    seed: seed ?? run.seed,
    limit_ns: lowering.limit_ns,
    limit_steps: lowering.limit_steps,
    hosts: lowering.hosts,
    vms: lowering.vms,
    links: lowering.moves.links,
    migrations: lowering.moves.migrations,
    actions: lowering.actions,
    baseline: lowering.recordings.length > 0 ? { names: lowering.recordings, actions: lowering.acts_of_file } : null,
    judgements: lowering.judge.judgements,
    expectations: lowering.judge.expectations,
    report: lowering.columns,
    ...lowering.exploration.shown,
    exploration: lowering.exploration.spec(),
    outcomes: lowering.judge.outcomes,
  };
  return { program, diagnostics: report.all };
}

/** Names that are given to what a VMM reads; '' for those without one. */
function savedIn(nodes: readonly Node[]): Things['saved'] {
  const all = nodes.flatMap(withBodies);
  const named = (id: string) =>
    all.filter(each => each.statement.id === id).map(each => wordsOf([each], id, 'name')[0] ?? '');
  return [
    ...[...named('save'), ...named('snapshot')].map(name => ({ name, kind: 'saved' }) as const),
    ...named('get_mpstate').map(name => ({ name, kind: 'saved_vcpu' }) as const),
  ];
}

/** Names that the scenario gives to NMIs. */
function nmisIn(nodes: readonly Node[]): readonly string[] {
  const all = nodes.flatMap(withBodies).filter(each => each.statement.id === 'raise_nmi');
  return [...new Set(all.flatMap(each => wordsOf([each], 'raise_nmi', 'name')))];
}

function withBodies(node: Node): readonly Node[] {
  return node.statement.id === 'case' ? [] : [node, ...node.body.flatMap(withBodies)];
}

function importsOf(unit: Unit): readonly Unit[] {
  return unit.imports.flatMap(each => [...importsOf(each), each]);
}

function paramsOf(scope: Scope, env: Environment, cell: Cell): Readonly<Record<string, string>> {
  const params = scope.ofKind('param').map(each => {
    const value = env.values.get(each.name) ?? (each.value && evaluate(each.value, env, true));
    return [each.name, textOfValue(value ?? null)] as const;
  });
  return { ...Object.fromEntries(params), ...cell.params };
}

/** The values given to parameters that are neither those of the cell nor those of the file. */
function changedOf(given: ReadonlyMap<string, Value>, scope: Scope, cell: Cell): Readonly<Record<string, string>> {
  const defaults = paramsOf(scope, plainEnvironment(scope), cell);
  const texts = [...given].map(([name, value]) => [name, valueText(value)] as const);
  return Object.fromEntries(texts.filter(([name, text]) => !cell.values.has(name) && defaults[name] !== text));
}

/** What a `variant` statement turns. */
function turnsOf(node: Node, unit: Unit): readonly Turn[] {
  const report = new Report(unit.tree.source);
  return new Lowering(plainEnvironment(unit.scope), unit.tree.source, report, []).inside(node).turns;
}
