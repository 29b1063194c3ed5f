/**
 * Settings: statements of the form `keyword VALUE` in the block of a thing, `ram 128MiB`.
 *
 * What a setting takes is declared with it; checking, `set web.irqchip = user` and the documentation follow from that.
 */
import type { Check } from './check.ts';
import type { Expression } from './expression.ts';
import { expression, word } from './holes.ts';
import { type Needs, type Statement, statement } from './statement.ts';
import { type Context, seq } from './syntax.ts';
import { BANDWIDTH, BYTES, COUNT, PERCENT, TIME } from './units.ts';
import { ANY, describe, listOf, quantity, type Type, words } from './value_type.ts';

/** What may stand behind the keyword: a value of one of these types. */
export type Takes = readonly Type[];

export const takesCount: Takes = [quantity(COUNT)];
export const takesTime: Takes = [quantity(TIME)];
export const takesSize: Takes = [quantity(BYTES)];
export const takesPercent: Takes = [quantity(PERCENT)];
export const takesBandwidth: Takes = [quantity(BANDWIDTH)];
export const takesDistribution: Takes = [{ t: 'distribution' }];
export const takesAnything: Takes = [ANY];
export const takesWords = (...list: readonly string[]): Takes => [words(...list)];
export const takesNames = (...list: readonly string[]): Takes => [listOf(words(...list))];

interface Setting {
  readonly keyword: string;
  readonly where: readonly Context[];
  readonly takes: Takes;
  readonly summary: string;
  readonly example: string;
  readonly about?: string;
  readonly needs?: Needs;
}

/** By the block they stand in, for `set`. */
const settings = new Map<Context, Map<string, Setting>>();

/** What `set` reaches through the name of a thing: a VM's own settings, and those of its guest. */
const REACHED = { vm: ['vm', 'guest'], host: ['host'], swap: ['swap'] } as const satisfies Readonly<
  Record<string, readonly Context[]>
>;
export type Settable = keyof typeof REACHED;

export function isSettable(kind: string): kind is Settable {
  return Object.hasOwn(REACHED, kind);
}

export function settingOf(kind: Settable, keyword: string): Setting | undefined {
  return REACHED[kind].map(context => settings.get(context)?.get(keyword)).find(each => each !== undefined);
}

export function settingsOf(kind: Settable): readonly string[] {
  return REACHED[kind].flatMap(context => [...(settings.get(context)?.keys() ?? [])]);
}

export function setting(declared: Setting): Statement {
  const { keyword, where, takes, summary, example, about, needs } = declared;
  for (const context of where) settings.set(context, (settings.get(context) ?? new Map()).set(keyword, declared));
  return statement({
    id: `${where[0]}_${keyword}`,
    keyword,
    where,
    once: true,
    syntax: seq(word(keyword), expression('value', shownAs(takes))),
    summary,
    examples: [example],
    ...(about === undefined ? {} : { about }),
    ...(needs === undefined ? {} : { needs }),
    check: ({ value }, _at, check) => checkSetting(value, takes, check),
    lower({ value }, at, lowering) {
      if (needs) lowering.needs(at.span, `'${keyword}'`, needs);
      else lowering.setting(keyword, value);
    },
  });
}

export function checkSetting(value: Expression, takes: Takes, check: Check): void {
  const [first, ...others] = takes;
  if (!first) return;
  if (others.length === 0) check.expect(value, first);
  else {
    const wordy = takes.find(each => each.t === 'word');
    const isWord = wordy?.t === 'word' && value.kind === 'name' && (wordy.words?.includes(value.name) ?? true);
    check.expect(value, isWord && wordy ? wordy : first);
  }
}

function shownAs(takes: Takes): string {
  return takes
    .map(each => {
      if (each.t === 'word' && each.words) return each.words.join(' | ');
      if (each.t === 'list' && each.of.t === 'word' && each.of.words) return `[${each.of.words.join(', ')}]`;
      return describe(each).replace(/^an? /, '').toUpperCase().replaceAll(' ', '-');
    })
    .join(' | ');
}
