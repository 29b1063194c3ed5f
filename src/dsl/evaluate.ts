/**
 * Constants: what an expression is worth before anything runs. Parameters, matrix values, the variant and arithmetic
 * on them; null for whatever only the machine knows.
 */
import { KNOB_NAMES, type Knobs } from '../sim/protocol/knobs.ts';
import type { Argument, Expression } from './expression.ts';
import type { Scope } from './scope.ts';
import { COUNT, type Dimension, nameOf, times, UNITS } from './units.ts';
import { EVENTS, FUNCTIONS } from './vocabulary.ts';

export type Value =
  | { readonly v: 'number'; readonly value: number; readonly dimension: Dimension }
  | { readonly v: 'truth'; readonly value: boolean }
  | { readonly v: 'text'; readonly value: string }
  /** `nested(l1: tdp)` is the word `nested`, with what it says in brackets. */
  | { readonly v: 'word'; readonly value: string; readonly args: readonly WordArgument[] }
  | { readonly v: 'list'; readonly items: readonly Value[] }
  | { readonly v: 'range'; readonly from: Value; readonly to: Value };

export interface WordArgument {
  readonly name: string;
  readonly value: Value;
}

export interface Environment {
  readonly scope: Scope;
  /** Values of parameters and matrix names in this run. */
  readonly values: ReadonlyMap<string, Value>;
  readonly variant: string;
  readonly knobs: Knobs;
  /** A number that the machine cannot have. */
  outOfRange(of: Pick<Expression, 'span'>, message: string): void;
}

/** `words`: names that stand for nothing else are words; else they are not constant. */
export function evaluate(of: Expression, env: Environment, words: boolean): Value | null {
  switch (of.kind) {
    case 'number':
      return { v: 'number', value: of.value, dimension: of.dimension ?? COUNT };
    case 'text':
      return { v: 'text', value: of.value };
    case 'name':
      return nameValue(of.name, env, words);
    case 'call':
      return words && of.of.kind === 'name' && !means(of.of.name) ? wordValue(of.of.name, of.args, env) : null;
    case 'list': {
      const items = of.items.map(item => evaluate(item, env, words));
      return items.every(item => item !== null) ? { v: 'list', items } : null;
    }
    case 'range': {
      const [from, to] = [evaluate(of.from, env, words), evaluate(of.to, env, words)];
      return from && to ? { v: 'range', from, to } : null;
    }
    case 'not': {
      const value = evaluate(of.of, env, words);
      return value?.v === 'truth' ? truth(!value.value) : null;
    }
    case 'negate': {
      const value = evaluate(of.of, env, words);
      return value?.v === 'number' ? { ...value, value: -value.value } : null;
    }
    case 'has': {
      const knob = KNOB_NAMES.find(each => each === of.knob.text);
      if (!knob) return null;
      const value: string | readonly string[] = env.knobs[knob];
      return truth(typeof value === 'string' ? value === of.value.text : value.includes(of.value.text));
    }
    case 'binary':
      return binaryValue(of.op, of.left, of.right, env);
    default:
      return null;
  }
}

/** Whether a call asks the machine something. */
function means(name: string): boolean {
  return Object.hasOwn(EVENTS, name) || Object.hasOwn(FUNCTIONS, name);
}

function truth(value: boolean): Value {
  return { v: 'truth', value };
}

function nameValue(name: string, env: Environment, words: boolean): Value | null {
  if (name === 'true' || name === 'false') return truth(name === 'true');
  if (name === 'variant') return { v: 'word', value: env.variant, args: [] };
  const given = env.values.get(name);
  if (given) return given;
  const found = env.scope.find(name);
  if (found?.value && (found.what === 'let' || found.what === 'param')) return evaluate(found.value, env, words);
  return words && !found ? { v: 'word', value: name, args: [] } : null;
}

function wordValue(name: string, args: readonly Argument[], env: Environment): Value {
  const values = args.flatMap(arg => {
    const value = evaluate(arg.value, env, true);
    return value ? [{ name: arg.name?.text ?? '', value }] : [];
  });
  return { v: 'word', value: name, args: values };
}

function binaryValue(op: string, left: Expression, right: Expression, env: Environment): Value | null {
  if (op === 'and' || op === 'or' || op === 'implies' || op === 'iff') {
    const [a, b] = [evaluate(left, env, false), evaluate(right, env, false)];
    return logic(op, a?.v === 'truth' ? a.value : null, b?.v === 'truth' ? b.value : null);
  }
  // A name beside a constant word is a word: `chip == kernel`.
  const [one, other] = [evaluate(left, env, false), evaluate(right, env, false)];
  const a = one ?? (other?.v === 'word' && left.kind === 'name' ? evaluate(left, env, true) : null);
  const b =
    other ??
    (one?.v === 'word' && (right.kind === 'name' || right.kind === 'list') ? evaluate(right, env, true) : null);
  if (!a || !b) return null;
  if (op === 'in') return b.v === 'list' ? truth(b.items.some(item => same(a, item))) : null;
  if (op === '==' || op === '!=') return truth(same(a, b) === (op === '=='));
  if (a.v !== 'number' || b.v !== 'number') return null;
  return arithmetic(op, a, b);
}

/** Three-valued: one side may decide alone. */
function logic(op: string, a: boolean | null, b: boolean | null): Value | null {
  if (op === 'and') return a === false || b === false ? truth(false) : a && b ? truth(true) : null;
  if (op === 'or') return a === true || b === true ? truth(true) : a === false && b === false ? truth(false) : null;
  if (op === 'implies')
    return a === false || b === true ? truth(true) : a === true && b === false ? truth(false) : null;
  return a !== null && b !== null ? truth(a === b) : null;
}

export function same(a: Value, b: Value): boolean {
  if (a.v === 'number' && b.v === 'number') return a.value === b.value;
  if (a.v === 'list' && b.v === 'list')
    return (
      a.items.length === b.items.length &&
      a.items.every((item, index) => b.items[index] !== undefined && same(item, b.items[index]))
    );
  if (a.v === 'word' && b.v === 'word' && a.args.length > 0 && b.args.length > 0) return valueText(a) === valueText(b);
  if ((a.v === 'word' || a.v === 'text') && (b.v === 'word' || b.v === 'text')) return a.value === b.value;
  return a.v === 'truth' && b.v === 'truth' && a.value === b.value;
}

type NumberValue = Extract<Value, { readonly v: 'number' }>;

function arithmetic(op: string, a: NumberValue, b: NumberValue): Value | null {
  switch (op) {
    case '<':
      return truth(a.value < b.value);
    case '<=':
      return truth(a.value <= b.value);
    case '>':
      return truth(a.value > b.value);
    case '>=':
      return truth(a.value >= b.value);
    case '+':
      return { ...a, value: a.value + b.value };
    case '-':
      return { ...a, value: a.value - b.value };
    case '*':
      return { v: 'number', value: a.value * b.value, dimension: times(a.dimension, b.dimension, 1) };
    case '/':
      return { v: 'number', value: a.value / b.value, dimension: times(a.dimension, b.dimension, -1) };
    default:
      return null;
  }
}

/** A value as text that reads back the same: `8GiB`, `40000 pages/s`, `kernel`. */
export function valueText(value: Value): string {
  switch (value.v) {
    case 'number':
      return numberText(value);
    case 'truth':
      return String(value.value);
    case 'text':
      return JSON.stringify(value.value);
    case 'word': {
      const args = value.args.map(arg => (arg.name === '' ? '' : `${arg.name}: `) + valueText(arg.value));
      return args.length === 0 ? value.value : `${value.value}(${args.join(', ')})`;
    }
    case 'list':
      return `[${value.items.map(valueText).join(', ')}]`;
    case 'range':
      return `${valueText(value.from)}..${valueText(value.to)}`;
  }
}

/** In the largest unit that leaves a whole number; else in the smallest, with its fraction. */
function numberText({ value, dimension }: NumberValue): string {
  if (nameOf(dimension)?.dimension === COUNT) return String(value);
  const units = Object.entries(UNITS).filter(
    ([name, unit]) =>
      unit.dimension === nameOf(dimension)?.dimension && name !== 'page' && name !== 'min' && name !== 'h',
  );
  const whole = units.filter(([, { factor }]) => isWhole(value / factor));
  const [name, unit] = whole.sort(([, a], [, b]) => b.factor - a.factor)[0] ??
    units.sort(([, a], [, b]) => a.factor - b.factor)[0] ?? ['', { factor: 1 }];
  const scaled = value / unit.factor;
  const digits = isWhole(scaled) ? String(Math.round(scaled)) : String(Number(scaled.toPrecision(12)));
  return /^[a-zA-Z]+\/|^pages/.test(name) ? `${digits} ${name}` : `${digits}${name}`;
}

function isWhole(value: number): boolean {
  return value === 0 || (Math.abs(value) >= 1 && Math.abs(value - Math.round(value)) <= Math.abs(value) * 1e-12);
}
