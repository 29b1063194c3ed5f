/** The memory that a task's script names, as choices of heap pages. */
import type { PageChoice } from '../sim/program.ts';
import type { Environment } from './evaluate.ts';
import type { Expression, Word } from './expression.ts';
import { numberOf } from './frame.ts';

interface Range {
  readonly first: number;
  readonly pages: number;
}

/** `heap`, `page(3)`, `web.heap.pages(0..7)` as a range of page numbers; null where it is none known here. */
export function rangeOf(of: Expression, env: Environment, heap_pages: number): Range | null {
  if (of.kind === 'name') {
    if (of.name === 'heap') return { first: 0, pages: heap_pages };
    const found = env.scope.find(of.name);
    return found?.what === 'let' && found.value ? rangeOf(found.value, env, heap_pages) : null;
  }
  if (of.kind === 'member') return of.name.text === 'heap' ? { first: 0, pages: heap_pages } : null;
  if (of.kind !== 'call') return null;
  const callee = of.of.kind === 'member' ? of.of.name.text : of.of.kind === 'name' ? of.of.name : '';
  const [arg] = of.args;
  if (!arg || arg.name || (callee !== 'page' && callee !== 'pages')) return null;
  if (arg.value.kind !== 'range') return { first: numberOf(arg.value, env), pages: 1 };
  const first = numberOf(arg.value.from, env);
  return { first, pages: numberOf(arg.value.to, env) - first + 1 };
}

/** As much of a heap as is said, from the old end of what is in memory or the young one. */
export interface PartOfHeap {
  readonly vm: number;
  readonly from: 'cold' | 'hot';
  readonly count: number;
}

/** `web.heap.pages(cold: 30%)`; null for pages by their numbers. */
export function partOf(
  of: Expression,
  env: Environment,
  vmOf: (callee: Expression) => number,
  pagesOf: (vm: number) => number,
): PartOfHeap | null {
  const named = of.kind === 'name' ? env.scope.find(of.name)?.value : null;
  if (named) return partOf(named, env, vmOf, pagesOf);
  const [arg] = of.kind === 'call' ? of.args : [];
  const from = (['cold', 'hot'] as const).find(each => each === arg?.name?.text);
  if (of.kind !== 'call' || !arg || !from) return null;
  const vm = vmOf(of.of);
  return { vm, from, count: Math.round(pagesOf(vm) * numberOf(arg.value, env)) };
}

/** Page by page as a file says. */
function listedIn(file: Word, range: Range, env: Environment): PageChoice {
  const pages = (env.scope.samplesOf(file) ?? [0]).map(page => range.first + page);
  const outside = pages.find(page => page >= range.first + range.pages);
  if (outside !== undefined)
    env.outOfRange(file, `page ${outside - range.first} of ${file.text}: there are ${range.pages}, numbered from 0`);
  return { kind: 'listed', pages };
}

/** One page of a range by a pattern, or by a file; without one, the only page or any page. */
export function choiceOf(range: Range, pattern: Expression | Word | null, env: Environment): PageChoice {
  if (pattern && !('kind' in pattern)) return listedIn(pattern, range, env);
  if (range.pages === 1) return { kind: 'page', page: range.first };
  const callee = pattern?.kind === 'call' ? pattern.of : pattern;
  const name = callee?.kind === 'name' ? callee.name : 'uniform';
  const arg = pattern?.kind === 'call' ? pattern.args[0]?.value : undefined;
  const number = arg ? numberOf(arg, env) : 1;
  switch (name) {
    case 'zipf':
      return { kind: 'zipf', theta_ppm: Math.round(number * 1e6), ...range };
    case 'sequential':
    case 'stride':
      return { kind: 'sequential', step: Math.max(1, Math.round(number)), ...range };
    default:
      return { kind: 'uniform', ...range };
  }
}
