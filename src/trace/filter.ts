/**
 * The filter of the monitor and of --grep: which events to show.
 *
 *     kvm_async_pf_*                        names; a star for anything, without one any part of the name
 *     token == 0x1001 && cpu == 0           fields; an event without the field does not match
 *     ready || exit_reason == npf           names of values are those of the trace
 *     vcpu == 1 !sched                      side by side means &&
 *     comm ~ "CPU *" && time > 1817.5       ~ is a pattern; times are seconds as printed, or 5ms
 *     gpa == 0x1c48138                      an address under whatever name the event has for it
 *     error_code & 2                        bits
 */
import { durationNs } from '../base/duration.ts';

import { tracepoints } from './all.ts';
import { codecOf } from './conversions.ts';
import { fieldNames, type TraceEvent, type Value } from './event.ts';
import { holesOf } from './form.ts';
import { encode } from './strings.ts';
import type { Texts } from './tracepoint.ts';

export interface Filter {
  /** `vcpu` is the number of the event's thread, where that is known: few events say it themselves. */
  readonly accepts: (event: TraceEvent, vcpu?: number) => boolean;
}

/** Columns count from 1. */
export interface FilterError {
  readonly message: string;
  readonly column: number;
  readonly length: number;
}

export type Filtered = { readonly filter: Filter } | { readonly error: FilterError };

type Test = (event: TraceEvent, vcpu: number | undefined) => boolean;

/** An empty text accepts everything. */
export function filterOf(text: string): Filtered {
  try {
    const parser = new Parser(tokens(text), text.length + 1);
    const accepts = parser.whole();
    return { filter: { accepts: (event, vcpu) => accepts(event, vcpu) } };
  } catch (error) {
    if (error instanceof Mistake) return { error: { message: error.message, column: error.column, length: error.length } };
    throw error;
  }
}

class Mistake extends Error {
  readonly column: number;
  readonly length: number;

  constructor(message: string, column: number, length: number) {
    super(message);
    this.column = column;
    this.length = Math.max(1, length);
  }
}

interface Token {
  readonly kind: 'word' | 'text' | 'operator';
  readonly text: string;
  readonly column: number;
  readonly length: number;
}

const TOKEN = /\s*(?:(&&|\|\||==|!=|<=|>=|[<>~&!()])|"([^"]*)"|'([^']*)'|([^\s&|=!<>~()"']+)|(\S))/y;

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [all, operator, double, single, word, other] = match;
    const length = all.trimStart().length;
    const column = TOKEN.lastIndex - length + 1;
    if (other !== undefined) {
      throw new Mistake(other === '"' || other === "'" ? `the ${other} is not closed` : `'${other}' means nothing here`, column, 1);
    }
    if (operator !== undefined) found.push({ kind: 'operator', text: operator, column, length });
    else if (word !== undefined) found.push({ kind: 'word', text: word, column, length });
    else found.push({ kind: 'text', text: double ?? single ?? '', column, length });
  }
  return found;
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>=', '~', '&'] as const;
type Comparison = (typeof COMPARISONS)[number];

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #at = 0;

  constructor(all: readonly Token[], end: number) {
    this.#tokens = all;
    this.#end = end;
  }

  whole(): Test {
    if (this.#tokens.length === 0) return () => true;
    const test = this.#any();
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new Mistake(`'${rest.text}' has nothing to belong to`, rest.column, rest.length);
    return test;
  }

  #any(): Test {
    const tests = [this.#every()];
    while (this.#take('||')) tests.push(this.#every());
    return (event, vcpu) => tests.some(test => test(event, vcpu));
  }

  #every(): Test {
    const tests = [this.#one()];
    while (this.#take('&&') || this.#begins()) tests.push(this.#one());
    return (event, vcpu) => tests.every(test => test(event, vcpu));
  }

  #begins(): boolean {
    const next = this.#tokens[this.#at];
    return next !== undefined && (next.kind !== 'operator' || next.text === '!' || next.text === '(');
  }

  #one(): Test {
    if (this.#take('!')) {
      const test = this.#one();
      return (event, vcpu) => !test(event, vcpu);
    }
    const open = this.#tokens[this.#at];
    if (this.#take('(')) {
      const test = this.#any();
      if (!this.#take(')')) throw new Mistake('this bracket is not closed', open?.column ?? 1, 1);
      return test;
    }
    return this.#comparison();
  }

  #comparison(): Test {
    const subject = this.#value('a name or a field');
    const next = this.#tokens[this.#at];
    const comparison = COMPARISONS.find(each => next?.kind === 'operator' && next.text === each);
    if (comparison === undefined) return named(subject.text);
    this.#at += 1;
    return compare(subject, comparison, this.#value(`what ${subject.text} is compared with`));
  }

  #value(expected: string): Token {
    const next = this.#tokens[this.#at];
    if (next === undefined) throw new Mistake(`expected ${expected}`, this.#end, 1);
    if (next.kind === 'operator') throw new Mistake(`expected ${expected}, found '${next.text}'`, next.column, next.length);
    this.#at += 1;
    return next;
  }

  #take(operator: string): boolean {
    const next = this.#tokens[this.#at];
    if (next?.kind !== 'operator' || next.text !== operator) return false;
    this.#at += 1;
    return true;
  }
}

function named(pattern: string): Test {
  const matches = pattern.includes('*') ? glob(pattern) : (name: string) => name.includes(pattern);
  return event => matches(event.name);
}

function glob(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*').map(part => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  const whole = new RegExp(`^${parts.join('.*')}$`, 's');
  return text => whole.test(text);
}

/** Fields that every event has. */
const COMMON: Readonly<Record<string, (event: TraceEvent, vcpu: number | undefined) => Value>> = {
  name: event => event.name,
  comm: event => event.comm,
  host: event => event.host,
  flags: event => event.flags,
  pid: event => event.pid,
  cpu: event => event.cpu,
  time: event => event.time_ns,
  vcpu: (event, vcpu) => fieldOf(event, ['vcpu_id']) ?? vcpu,
};

/** Addresses go under several names; which space they are in, the record does not say. */
const ADDRESSES = ['gva', 'gpa', 'fault_address', 'cr2_or_gpa', 'addr'];
const SAME: Readonly<Record<string, readonly string[]>> = { gva: ADDRESSES, gpa: ADDRESSES, rip: ['rip', 'guest_rip'] };

function fieldOf(event: TraceEvent, names: readonly string[]): Value {
  const declared = fieldNames(event.name);
  for (const name of names) {
    const index = declared.indexOf(name);
    if (index >= 0) return event.args[index];
  }
  return undefined;
}

function compare(subject: Token, comparison: Comparison, against: Token): Test {
  const { text: name } = subject;
  const names = SAME[name] ?? [name];
  const common = COMMON[name];
  if (common === undefined && !names.some(each => FIELDS().has(each))) {
    throw new Mistake(`no event has a field '${name}'`, subject.column, subject.length);
  }
  const get = common ?? (event => fieldOf(event, names));
  if (comparison === '~') {
    const matches = glob(encode(against.text));
    return (event, vcpu) => matches(String(get(event, vcpu) ?? ''));
  }
  const number = name === 'time' ? timeOf(against) : numberOf(against);
  const wanted = number === undefined ? [encode(against.text), ...valuesNamed(names, against.text)] : [number, against.text];
  if (comparison === '==' || comparison === '!=') {
    const equal = comparison === '==';
    return (event, vcpu) => {
      const value = get(event, vcpu);
      return value !== undefined && wanted.some(each => same(each, value)) === equal;
    };
  }
  if (number === undefined) throw new Mistake(`${comparison} needs a number`, against.column, against.length);
  const holds = ORDERS[comparison];
  return (event, vcpu) => {
    const value = get(event, vcpu);
    return (typeof value === 'number' || typeof value === 'bigint') && holds(value, number);
  };
}

function same(a: number | bigint | string, b: number | bigint | string): boolean {
  return typeof a === 'string' || typeof b === 'string' ? String(a) === String(b) : BigInt(a) === BigInt(b);
}

const ORDERS: Readonly<Record<'<' | '<=' | '>' | '>=' | '&', (a: number | bigint, b: number | bigint) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '&': (a, b) => (BigInt(a) & BigInt(b)) !== 0n,
};

function numberOf({ kind, text }: Token): number | bigint | undefined {
  if (kind !== 'word' || !/^-?(?:0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const exact = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function timeOf(token: Token): number {
  const ns = durationNs(/\d$/.test(token.text) ? `${token.text}s` : token.text);
  if (ns === null) throw new Mistake('a time is seconds, as in 1817.46, or has a unit, as in 5ms', token.column, token.length);
  return ns;
}

/** The numbers that a trace prints as this word in one of these fields: `npf`, `NMI`, `KVM_EXIT_IO`. */
function valuesNamed(names: readonly string[], word: string): readonly number[] {
  const bytes = Uint8Array.from(word, unit => unit.charCodeAt(0));
  const input = { bytes, at: 0, end: bytes.length, lo: 0, hi: 0 };
  return tracepoints.flatMap(({ tracepoint: { text, fields } }) =>
    textsOf(text).flatMap(template =>
      holesOf(template).flatMap(({ name, spec, shift }) => {
        if (!names.includes(name) || spec.startsWith('%') || spec === '' || fields.includes(`str ${name}`)) return [];
        const codec = codecOf(spec, 'u64', 'kernel');
        input.at = 0;
        return codec.read(input) && input.at === input.end ? [input.lo * 2 ** shift] : [];
      }),
    ),
  );
}

function textsOf(text: Texts | Texts[keyof Texts]): readonly string[] {
  if (text === undefined) return [];
  if (typeof text === 'string') return [text];
  return Array.isArray(text) ? text : Object.values(text).flatMap(textsOf);
}

const FIELDS = (): ReadonlySet<string> => new Set(tracepoints.flatMap(({ name }) => fieldNames(name)));
