/** Logic, comparison, membership and arithmetic over compiled nodes. */

import type { Dimension, Expr } from '../expr.ts';
import type { Machine } from '../machine.ts';
import { combine } from './dimension.ts';
import {
  asNumber,
  asTruth,
  dependsOnAll,
  type Node,
  type NumberNode,
  type ThreadsNode,
  type TruthNode,
  unjudgeable,
  type WordsNode,
} from './node.ts';
import { quantityText, threadText } from './text.ts';

type Binary = Extract<Expr, { readonly k: 'binary' }>;
type Make = (m: Machine, left: Node, right: Node, text: string) => Node;

/** A condition whose reason is given, or is its text with what makes it so. */
export function truthNode(text: string, nodes: readonly Node[], get: () => boolean, why: () => string): TruthNode {
  return { t: 'truth', text, depends: dependsOnAll(nodes), get, why, show: () => (get() ? 'true' : 'false') };
}

export function not(of: Node, text: string): TruthNode {
  const inner = asTruth(of);
  return truthNode(text, [inner], () => !inner.get(), inner.why);
}

export function negate(of: Node, text: string): NumberNode {
  const inner = asNumber(of);
  return { ...inner, text, get: () => -inner.get(), show: () => quantityText(-inner.get(), inner.dimension) };
}

const logic =
  (
    combine: (left: () => boolean, right: () => boolean) => () => boolean,
    decides: (left: boolean, right: boolean) => 'left' | 'right' | 'both',
  ): Make =>
  (_, left, right, text) => {
    const a = asTruth(left);
    const b = asTruth(right);
    const why = () => {
      const by = decides(a.get(), b.get());
      return by === 'left' ? a.why() : by === 'right' ? b.why() : `${a.why()}, ${b.why()}`;
    };
    return truthNode(text, [a, b], combine(a.get, b.get), why);
  };

const order =
  (holds: (left: number, right: number) => boolean): Make =>
  (_, left, right, text) => {
    const a = asNumber(left);
    const b = asNumber(right);
    return truthNode(
      text,
      [a, b],
      () => holds(a.get(), b.get()),
      () => sides(a, b),
    );
  };

/** What was compared: constants speak for themselves, so only what has a value besides its text is named. */
function sides(left: Node, right: Node): string {
  return [left, right]
    .filter(side => side.show() !== side.text)
    .map(side => `${side.text} is ${side.show()}`)
    .join(', ');
}

/** Null for nodes that never compare. */
function equality(left: Node, right: Node): (() => boolean) | null {
  if (left.t === 'word') return right.t === 'word' ? () => left.text === right.text : equality(right, left);
  if (left.t === 'words') {
    if (right.t === 'word') return isWord(left, right.text);
    if (right.t === 'words')
      return left.words === right.words
        ? () => left.get() === right.get()
        : () => left.words[left.get()] === right.words[right.get()];
  }
  if (left.t === 'number' && right.t === 'number') return () => left.get() === right.get();
  if (left.t === 'truth' && right.t === 'truth') return () => left.get() === right.get();
  if (left.t === 'truth' && right.t === 'word')
    return () => left.get() === (right.text === 'true' || right.text === 'yes');
  if (left.t === 'entity' && right.t === 'entity' && left.kind === right.kind) return () => left.get() === right.get();
  return sameList(left, right);
}

/** Lists are equal that have equal things in the same order; what comes and goes is asked of at that moment. */
function sameList(left: Node, right: Node): (() => boolean) | null {
  if (left.t === 'list' && right.t === 'list') {
    if (left.items.length !== right.items.length) return () => false;
    const tests = left.items.map((item, index) => equality(item, right.items[index]!));
    return tests.includes(null) ? null : () => tests.every(test => test?.());
  }
  const [a, b] = [rowsIn(left), rowsIn(right)];
  if (!a || !b) return null;
  return () => {
    const [ours, theirs] = [a(), b()];
    return ours.length === theirs.length && ours.every((row, index) => row === theirs[index]);
  };
}

/** The rows of several things, in order. */
function rowsIn(of: Node): (() => readonly number[]) | null {
  if (of.t === 'rows')
    return () => Array.from({ length: of.positions() }, (_, position) => of.at(position)).filter(row => row >= 0);
  const items = of.t === 'list' ? of.items.flatMap(item => (item.t === 'entity' ? [item] : [])) : [];
  return of.t === 'list' && items.length === of.items.length ? () => items.map(item => item.get()) : null;
}

export function isWord(of: WordsNode, word: string): () => boolean {
  const index = of.words.indexOf(word);
  return () => of.get() === index;
}

const equal =
  (wanted: boolean): Make =>
  (_, left, right, text) => {
    const same = equality(left, right) ?? unjudgeable(`'${left.text}' and '${right.text}' cannot be equal`);
    return truthNode(
      text,
      [left, right],
      () => same() === wanted,
      () => sides(left, right),
    );
  };

/** `x in [a, b]`, `x in web.vcpus`. */
function isIn(_: Machine, left: Node, right: Node, text: string): Node {
  if (right.t === 'list') {
    const tests = right.items.map(
      item => equality(left, item) ?? unjudgeable(`'${left.text}' cannot be in '${right.text}'`),
    );
    const get = () => {
      for (let index = 0; index < tests.length; index += 1) if (tests[index]!()) return true;
      return false;
    };
    return truthNode(text, [left, right], get, () => sides(left, right));
  }
  if (right.t === 'several') {
    const same = equality(left, right.item) ?? unjudgeable(`'${left.text}' cannot be in '${right.text}'`);
    const get = () => {
      for (let position = 0; position < right.positions(); position += 1)
        if (right.turn(position) && same()) return true;
      return false;
    };
    return truthNode(text, [left, right], get, () => sides(left, right));
  }
  if (right.t === 'rows' && left.t === 'entity' && left.kind === right.kind) {
    const get = () => {
      const row = left.get();
      for (let position = 0; position < right.positions(); position += 1)
        if (right.at(position) === row) return row >= 0;
      return false;
    };
    return truthNode(text, [left, right], get, () => `${left.text} is ${left.show()}`);
  }
  if (right.t === 'threads' && left.t === 'entity' && left.kind === 'thread') {
    return truthNode(
      text,
      [left, right],
      () => right.has(left.get()),
      () => `${right.text} is ${right.show()}`,
    );
  }
  return unjudgeable(`'${left.text}' cannot be in '${right.text}'`);
}

/** `writers(x.f) within [thread(v)]`. */
function isWithin(m: Machine, left: Node, right: Node, text: string): Node {
  if (left.t !== 'threads' || right.t !== 'list') return isIn(m, left, right, text);
  const allowed = right.items.map(item =>
    item.t === 'entity' && item.kind === 'thread' ? item : unjudgeable(`'${item.text}' is no thread`),
  );
  const intruder = () => {
    for (let thread = 0; thread <= m.places.threads.length; thread += 1) {
      if (left.has(thread) && !allowed.some(each => each.get() === thread)) return thread;
    }
    return -1;
  };
  return truthNode(
    text,
    [left, right],
    () => intruder() < 0,
    () => outside(m, left, intruder()),
  );
}

function outside(m: Machine, set: ThreadsNode, thread: number): string {
  return thread < 0 ? `${set.text} is ${set.show()}` : `${threadText(m, thread)} has written it`;
}

function computed(a: NumberNode, b: NumberNode, dimension: Dimension, text: string, get: () => number): NumberNode {
  return {
    t: 'number',
    dimension,
    text,
    depends: dependsOnAll([a, b]),
    get,
    show: () => quantityText(get(), dimension),
  };
}

const sum =
  (sign: 1 | -1): Make =>
  (_, left, right, text) => {
    const a = asNumber(left);
    const b = asNumber(right);
    return computed(a, b, a.dimension, text, () => a.get() + sign * b.get());
  };

const product =
  (sign: 1 | -1): Make =>
  (_, left, right, text) => {
    const a = asNumber(left);
    const b = asNumber(right);
    const { dimension, factor } = combine(a.dimension, b.dimension, sign);
    return computed(
      a,
      b,
      dimension,
      text,
      sign > 0 ? () => a.get() * b.get() * factor : () => (a.get() / b.get()) * factor,
    );
  };

const MAKERS: Readonly<Record<Binary['op'], Make>> = {
  and: logic(
    (a, b) => () => a() && b(),
    (a, b) => (!a ? 'left' : !b ? 'right' : 'both'),
  ),
  or: logic(
    (a, b) => () => a() || b(),
    (a, b) => (a ? 'left' : b ? 'right' : 'both'),
  ),
  implies: logic(
    (a, b) => () => !a() || b(),
    (a, b) => (!a ? 'left' : b ? 'right' : 'both'),
  ),
  iff: logic(
    (a, b) => () => a() === b(),
    () => 'both',
  ),
  '==': equal(true),
  '!=': equal(false),
  '<': order((a, b) => a < b),
  '<=': order((a, b) => a <= b),
  '>': order((a, b) => a > b),
  '>=': order((a, b) => a >= b),
  '+': sum(1),
  '-': sum(-1),
  '*': product(1),
  '/': product(-1),
  in: isIn,
  within: isWithin,
};

export function binary(m: Machine, op: Binary['op'], left: Node, right: Node, text: string): Node {
  return MAKERS[op](m, left, right, text);
}
