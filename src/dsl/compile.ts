/**
 * From text to a suite of runs: parsed, names declared, everything checked; lowering makes one Program of each run.
 *
 * Pure: the files that a file imports come through `load`, which the caller gives.
 */
import type { Source } from '../base/source.ts';
import { Check, type SamplesIn } from './check.ts';
import { type Diagnostic, Report, sorted } from './diagnostic.ts';
import type { Word } from './expression.ts';
import { spanOfToken } from './layout.ts';
import { readPages, readSamples } from './samples.ts';
import { Declarations, type Entry, Scope } from './scope.ts';
import type { Node } from './statement.ts';
import { misfits, type Suite, suiteOf } from './suite.ts';
import { childrenOf, isNode, textOf, wordOf } from './syntax.ts';
import { parseTree, type Tree } from './tree.ts';

/** The file that `from` imports as `path`; null if there is none. The caller decides where `std/` lies. */
export type Load = (path: string, from: string) => Source | null;

export interface Compiled {
  /** In the order of the text; those of imported files come first. */
  readonly diagnostics: readonly Diagnostic[];
  /** Null when there are errors. */
  readonly suite: Suite | null;
}

/** A file with its names: what checking and lowering work on. */
export interface Unit {
  readonly tree: Tree;
  readonly scope: Scope;
  /** Scopes of cases, sweeps and explorations. */
  readonly scopes: ReadonlyMap<Node, Scope>;
  /** Imported files first, itself last: statements are lowered in this order. */
  readonly imports: readonly Unit[];
}

export function compile(source: Source, load: Load): Compiled {
  const diagnostics: Diagnostic[] = [];
  const unit = unitOf(source, load, [], diagnostics);
  const failed = (): boolean => diagnostics.some(each => each.severity === 'error');
  if (!failed()) diagnostics.push(...misfits(unit));
  return { diagnostics, suite: failed() ? null : suiteOf(unit) };
}

function unitOf(source: Source, load: Load, importing: readonly string[], diagnostics: Diagnostic[]): Unit {
  const tree = parseTree(source);
  const { report } = tree;
  const [first] = tree.root.lines;
  if (first?.tokens[0]?.image !== 'language') {
    const token = first?.tokens[0];
    const span = token ? spanOfToken(token) : { start: 0, end: 0 };
    report.error('language', {
      span,
      message: 'the file does not say which language it is written in',
      help: "begin it with 'language 1'",
    });
  }

  const scope = new Scope(null);
  const imports: Unit[] = [];
  for (const node of tree.nodes.filter(each => each.statement.id === 'import')) {
    const unit = importOf(node, source, load, importing, diagnostics, tree);
    if (!unit) continue;
    imports.push(unit);
    scope.adopt(unit.scope);
  }

  for (const token of tree.doubtful) scope.poison(wordOf(token));
  const scopes = new Map<Node, Scope>();
  declareAll(tree.nodes, new Declarations(scope, null, report), scopes, tree);
  hidden(scope, scopes, tree);
  const samplesIn = sampleReader(source, load, diagnostics, report);
  checkAll(tree.nodes, new Check(report, scope, samplesIn), scopes);
  warnUnused(scope, scopes, tree);
  diagnostics.push(...sorted(report.all));
  return { tree, scope, scopes, imports };
}

function importOf(
  node: Node,
  source: Source,
  load: Load,
  importing: readonly string[],
  diagnostics: Diagnostic[],
  { report }: Tree,
): Unit | null {
  const path = pathOf(node);
  if (!path) return null;
  const fault = path.text.endsWith('.apf') ? null : `'${path.text}' is not an .apf file`;
  const found = loaded(path, fault, source, load, report);
  if (!found) return null;
  if (found.path === source.path || importing.includes(found.path)) {
    report.error('import', { span: path.span, message: `'${path.text}' imports this file in turn` });
    return null;
  }
  const before = diagnostics.filter(each => each.severity === 'error').length;
  const unit = unitOf(found, load, [...importing, source.path], diagnostics);
  const after = diagnostics.filter(each => each.severity === 'error').length;
  if (after > before) report.error('import', { span: path.span, message: `'${path.text}' has errors of its own` });
  return unit;
}

function loaded(path: Word, fault: string | null, from: Source, load: Load, report: Report): Source | null {
  const message = faultOf(path.text) ?? fault;
  const found = message === null ? load(path.text, from.path) : null;
  if (found) return found;
  report.error('import', {
    span: path.span,
    message: message ?? `cannot read '${path.text}'`,
    help: message === null ? null : 'paths are relative to this file and stay inside its folder; std/… is the library',
  });
  return null;
}

/** Reads what `empirical("FILE")` and `from file "FILE"` name. */
function sampleReader(source: Source, load: Load, diagnostics: Diagnostic[], report: Report): SamplesIn {
  return (path, what) => {
    const found = loaded(path, null, source, load, report);
    if (!found) return null;
    const faults = new Report(found);
    const samples = what === 'pages' ? readPages(found, faults) : readSamples(found, faults);
    if (!faults.failed) return samples;
    diagnostics.push(...faults.all);
    report.error('import', { span: path.span, message: `'${path.text}' has errors of its own` });
    return null;
  };
}

function pathOf(node: Node): Word | null {
  const [path] = childrenOf(node.cst, 'path');
  return path && !isNode(path) ? textOf(path) : null;
}

/** Why a path is not one that a file may name, or null. */
function faultOf(path: string): string | null {
  if (path === '') return 'the path is empty';
  if (/[\u0000-\u001f\\]/.test(path)) return 'the path has a character that no path here has';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return `'${path}' does not stay inside the folder of this file`;
  return path.split('/').includes('..') ? `'${path}' does not stay inside the folder of this file` : null;
}

/** Blocks whose names are their own. */
const OWN_NAMES: ReadonlySet<string> = new Set(['case', 'sweep', 'explore']);

function declareAll(nodes: readonly Node[], to: Declarations, scopes: Map<Node, Scope>, tree: Tree): void {
  for (const node of nodes) {
    node.declare(node, to);
    const { id } = node.statement;
    if (OWN_NAMES.has(id)) {
      const scope = new Scope(to.scope);
      scopes.set(node, scope);
      declareAll(node.body, new Declarations(scope, to.owner, tree.report), scopes, tree);
    } else {
      const owner = id === 'vm' || id === 'host' ? nameOf(node) : null;
      declareAll(node.body, owner === null ? to : to.within(owner), scopes, tree);
    }
  }
}

function nameOf(node: Node): string | null {
  const [name] = childrenOf(node.cst, 'name');
  return name && !isNode(name) ? name.image : null;
}

function checkAll(nodes: readonly Node[], check: Check, scopes: ReadonlyMap<Node, Scope>): void {
  for (const node of nodes) {
    node.check(node, check);
    const scope = scopes.get(node);
    checkAll(node.body, scope ? check.within(scope) : check, scopes);
  }
}

/** A judgement of a case and one of the file with one name: `expect fail of` could mean either. */
function hidden(scope: Scope, scopes: ReadonlyMap<Node, Scope>, { report }: Tree): void {
  for (const inner of scopes.values()) {
    for (const { name, span } of inner.ownJudgements()) {
      const outer = scope.judgement(name);
      if (!outer) continue;
      const labels = [{ span: outer.span, text: 'judged here for every case' }];
      report.error('duplicate', { span, message: `'${name}' is already a judgement of the file`, labels });
    }
  }
}

function warnUnused(scope: Scope, scopes: ReadonlyMap<Node, Scope>, { report }: Tree): void {
  const warn = ({ used, name, span }: Entry): void => {
    if (!used) report.warning('unused', { span, message: `'${name}' is never used` });
  };
  for (const each of [scope, ...scopes.values()]) {
    for (const entry of each.own())
      if (entry.what === 'let' || (entry.what === 'matrix' && entry.node?.statement.id !== 'sweep')) warn(entry);
  }
}
