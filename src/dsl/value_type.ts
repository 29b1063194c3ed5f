/**
 * What an expression can be, as far as checking goes: quantities with dimensions, addresses by kind, things of the
 * machine, events, words. Two types that print the same are the same.
 */
import { type Dimension, isPure, sameDimension, wordsFor } from './units.ts';

/** The kinds of things that dots and brackets lead to. */
export type ThingKind =
  | 'host'
  | 'swap'
  | 'link'
  | 'vm'
  | 'heap'
  | 'vcpu'
  | 'nmi_state'
  | 'task'
  | 'page'
  | 'pages'
  | 'irq'
  | 'timer'
  | 'nmi'
  | 'thread'
  | 'handler'
  | 'work'
  | 'saved'
  | 'saved_vcpu'
  | 'migration'
  | 'recording'
  | 'record'
  | 'record_address'
  | 'entry'
  | 'ledger'
  | 'plan';

/** Never mixed: only the machine translates between them. */
export type AddressKind = 'gva' | 'gpa' | 'hva' | 'gfn' | 'pfn' | 'l2gpa';

export const ADDRESS_KINDS: readonly AddressKind[] = ['gva', 'gpa', 'hva', 'gfn', 'pfn', 'l2gpa'];

export type Type =
  | { readonly t: 'quantity'; readonly dimension: Dimension }
  | { readonly t: 'truth' }
  | { readonly t: 'event' }
  /** One of some words; null where any word will do. */
  | { readonly t: 'word'; readonly words: readonly string[] | null }
  | { readonly t: 'text' }
  | { readonly t: 'thing'; readonly kind: ThingKind }
  | { readonly t: 'address'; readonly kind: AddressKind }
  | { readonly t: 'list'; readonly of: Type }
  /** Samples, for p99 and the like. */
  | { readonly t: 'series'; readonly dimension: Dimension }
  | { readonly t: 'distribution' }
  /** `web.vcpu`, to be followed by `[0]`; `web.task`, to be followed by a name. */
  | { readonly t: 'indexed'; readonly of: ThingKind }
  | { readonly t: 'named'; readonly of: ThingKind }
  | { readonly t: 'method'; readonly name: string; readonly result: Type }
  /** What went wrong already, or may be anything: fits everywhere and is never complained about again. */
  | { readonly t: 'any' };

export const TRUTH: Type = { t: 'truth' };
export const EVENT: Type = { t: 'event' };
export const TEXT: Type = { t: 'text' };
export const ANY: Type = { t: 'any' };
export const ANY_WORD: Type = { t: 'word', words: null };

export const quantity = (dimension: Dimension): Type => ({ t: 'quantity', dimension });
export const words = (...list: readonly string[]): Type => ({ t: 'word', words: list });
export const thing = (kind: ThingKind): Type => ({ t: 'thing', kind });
export const listOf = (of: Type): Type => ({ t: 'list', of });
export const address = (kind: AddressKind): Type => ({ t: 'address', kind });
export const series = (dimension: Dimension): Type => ({ t: 'series', dimension });

const THING_WORDS: Readonly<Record<ThingKind, string>> = {
  host: 'a host',
  swap: 'a swap device',
  link: 'a link',
  vm: 'a VM',
  heap: "a guest's heap",
  vcpu: 'a vCPU',
  nmi_state: "a vCPU's NMI state",
  task: 'a task',
  handler: 'a userfault handler',
  page: 'a page',
  pages: 'pages',
  irq: 'an interrupt',
  timer: 'a timer',
  nmi: 'an NMI source',
  thread: 'a host thread',
  work: 'a work item',
  saved: 'a saved VM',
  saved_vcpu: 'a saved vCPU',
  migration: 'a migration',
  recording: 'a recording',
  record: 'a trace record',
  record_address: "a trace record's address",
  entry: 'the entry path',
  ledger: 'a ledger',
  plan: 'a plan',
};

/** With its article: "expected a size, found a time". */
export function describe(type: Type): string {
  switch (type.t) {
    case 'quantity':
      return wordsFor(type.dimension);
    case 'truth':
      return 'a condition';
    case 'event':
      return 'an event';
    case 'word':
      return type.words === null ? 'a word' : `one of ${type.words.join(', ')}`;
    case 'text':
      return 'a text';
    case 'thing':
      return THING_WORDS[type.kind];
    case 'address':
      return `a ${type.kind}`.replace('a hva', 'an hva').replace('a l2', 'an l2');
    case 'list':
      return `a list of ${describe(type.of).replace(/^an? /, '')}`;
    case 'series':
      return `samples of ${wordsFor(type.dimension).replace(/^an? /, '')}`;
    case 'distribution':
      return 'a distribution';
    case 'indexed':
      return `${THING_WORDS[type.of]} without its [number]`;
    case 'named':
      return `${THING_WORDS[type.of]} without its name`;
    case 'method':
      return `${type.name} without its ( )`;
    case 'any':
      return 'anything';
  }
}

/** Whether a value may stand where `wanted` is. An event is a condition: that it has happened. */
export function fits(found: Type, wanted: Type): boolean {
  if (found.t === 'any' || wanted.t === 'any') return true;
  if (wanted.t === 'truth') return found.t === 'truth' || found.t === 'event';
  if (wanted.t === 'distribution') return found.t === 'distribution';
  if (found.t === 'quantity' && wanted.t === 'quantity') return sameDimension(found.dimension, wanted.dimension);
  if (found.t === 'word' && wanted.t === 'word') {
    const allowed = wanted.words;
    return allowed === null || found.words === null || found.words.every(each => allowed.includes(each));
  }
  if (found.t === 'thing' && wanted.t === 'thing')
    return found.kind === wanted.kind || (found.kind === 'page' && wanted.kind === 'pages');
  if (found.t === 'address' && wanted.t === 'address') return found.kind === wanted.kind;
  if (found.t === 'list' && wanted.t === 'list') return fits(found.of, wanted.of);
  if (found.t === 'series' && wanted.t === 'series') return sameDimension(found.dimension, wanted.dimension);
  return found.t === wanted.t;
}

export function isPureQuantity(type: Type): boolean {
  return type.t === 'quantity' && isPure(type.dimension);
}
