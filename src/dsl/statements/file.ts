/** What stands at the head of a file: its language, what it is called, what it may run on, how long. */

import {
  equals,
  expression,
  mark,
  name,
  nameList,
  names,
  numeral,
  oneOf,
  sum,
  tags as tagNames,
  text,
  word,
} from '../holes.ts';
import { statement } from '../statement.ts';
import { choice, opt, seq } from '../syntax.ts';
import { Colon, LRound, RRound } from '../tokens.ts';
import { COUNT, TIME } from '../units.ts';
import { quantity } from '../value_type.ts';

export const LANGUAGE_VERSION = '1';

export const language = statement({
  id: 'language',
  keyword: 'language',
  where: ['file'],
  once: true,
  syntax: seq(word('language'), numeral('version')),
  summary: 'The version of the language that the file is written in; its first statement.',
  examples: ['language 1'],
  check({ version }, _at, check) {
    if (version.text === LANGUAGE_VERSION) return;
    check.error('language', {
      span: version.span,
      message: `this apflab reads language ${LANGUAGE_VERSION}, not ${version.text}`,
      help:
        Number(version.text) < Number(LANGUAGE_VERSION)
          ? 'apflab fmt --upgrade FILE rewrites it'
          : 'it was written for a newer apflab',
    });
  },
});

export const title = statement({
  id: 'title',
  keyword: 'title',
  where: ['file'],
  once: true,
  syntax: seq(word('title'), text('title')),
  summary: 'What the file shows, in one line.',
  examples: ['title "Halt only when the wait is real"'],
  round: 'settings',
  lower: ({ title }, _at, lowering) => lowering.title(title.text),
});

export const tags = statement({
  id: 'tags',
  keyword: 'tags',
  where: ['file', 'case', 'suite'],
  once: true,
  syntax: seq(word('tags'), tagNames('tags')),
  summary: 'Words by which `apflab run --tag` chooses; in a suite, those of the cases that it takes.',
  examples: ['tags review, first-steps'],
  round: 'settings',
  lower: ({ tags }, _at, lowering) => lowering.tags(tags),
});

export const imports = statement({
  id: 'import',
  keyword: 'import',
  where: ['file'],
  syntax: seq(word('import'), text('path')),
  summary: 'Takes the declarations of another file: properties, variants, parameters, hosts and VMs; not its cases.',
  about: 'Paths are relative to the file and stay inside its folder. `std/…` is the library that ships with apflab.',
  examples: ['import "std/invariants.apf"'],
});

export const param = statement({
  id: 'param',
  keyword: 'param',
  where: ['file'],
  syntax: seq(word('param'), name('name'), equals, expression('value', 'VALUE')),
  summary: 'A value that `--set NAME=VALUE`, a matrix or a sweep may change.',
  examples: ['param overcommit = 150%'],
  declare: ({ name, value }, at, scope) => scope.value(name, 'param', value, at),
  check: ({ value }, _at, check) => void check.type(value),
});

export const lets = statement({
  id: 'let',
  keyword: 'let',
  where: ['file', 'case'],
  syntax: seq(word('let'), name('name'), equals, expression('value', 'VALUE')),
  summary: 'A short name for something.',
  examples: ['let cold = web.heap.page(17)'],
  declare: ({ name, value }, at, scope) => scope.value(name, 'let', value, at),
  check: ({ value }, _at, check) => void check.type(value),
});

export const property = statement({
  id: 'property',
  keyword: 'property',
  where: ['file'],
  syntax: seq(
    seq(word('property'), name('name'), mark(LRound, '('), opt(names('parameters'))),
    mark(RRound, ')'),
    mark(Colon, ':'),
    expression('body', 'CONDITION'),
  ),
  summary: 'A condition with parameters, to be judged where it is called: `always asleep_for_a_reason(web.vcpu[0])`.',
  examples: ['property owed(v): v is halted(synthetic) implies count(v.queue) > 0'],
  declare: ({ name, parameters, body }, at, scope) => scope.property(name, parameters, body, at),
  check({ name }, _at, check) {
    // Its type is inferred through the entry, with parameters that may be anything.
    check.property(name);
  },
});

export const seed = statement({
  id: 'seed',
  keyword: 'seed',
  where: ['file', 'case'],
  once: true,
  syntax: seq(word('seed'), numeral('seed')),
  summary: 'Where the random streams start; `--seed` wins over it.',
  examples: ['seed 7'],
  check: ({ seed }, _at, check) => check.whole(seed, 0, Number.MAX_SAFE_INTEGER),
});

export const limit = statement({
  id: 'limit',
  keyword: 'limit',
  where: ['file', 'case'],
  syntax: seq(word('limit'), oneOf('what', ['time', 'steps', 'states']), sum('value')),
  summary: 'Where a run ends if nothing ends it before: virtual time, steps, or states of an exploration.',
  examples: ['limit time 50ms', 'limit steps 2M'],
  check: ({ what, value }, _at, check) => void check.expect(value, quantity(what.text === 'time' ? TIME : COUNT)),
  round: 'settings',
  lower: ({ what, value }, _at, lowering) => lowering.limit(what.text, value),
});

export const paranoid = statement({
  id: 'paranoid',
  keyword: 'paranoid',
  where: ['file', 'case'],
  once: true,
  syntax: word('paranoid'),
  summary: 'Checks the laws of the model after every step, as `--paranoid` does.',
  examples: ['paranoid'],
});

export const run = statement({
  id: 'run',
  keyword: 'run',
  where: ['file'],
  once: true,
  syntax: seq(
    word('run'),
    word('on'),
    choice(seq(word('variant'), name('one')), seq(word('variants'), choice(nameList('many'), name('group')))),
  ),
  summary: 'The variants that every case runs on, unless the case names its own.',
  examples: ['run on variants [v6, linux_6_12]', 'run on variant linux_6_12', 'run on variants all'],
  check({ one, many, group }, _at, check) {
    for (const each of [one, ...(many ?? [])]) if (each) check.variant(each);
    if (group) check.choice(group, ['all'], 'a list of variants');
  },
});

export const variants = statement({
  id: 'variants',
  keyword: 'variants',
  where: ['case', 'suite'],
  once: true,
  syntax: seq(word('variants'), choice(nameList('many'), name('group'))),
  summary: 'The variants that this case, or the cases of this suite, run on.',
  examples: ['variants [linux_2_6_39, linux_6_12]'],
  check({ many, group }, _at, check) {
    for (const each of many ?? []) check.variant(each);
    if (group) check.choice(group, ['all'], 'a list of variants');
  },
});

export const needs = statement({
  id: 'needs',
  keyword: 'needs',
  where: ['file', 'case'],
  syntax: seq(word('needs'), expression('condition', 'CONDITION'), opt(seq(word('because'), text('because')))),
  summary: 'On which variants a case makes sense, by their knobs; `variants all` means those.',
  about:
    'Said for the file it holds for every case, and several must all hold. A variant that is listed all the same is a mistake, told before anything runs.',
  examples: [
    'needs variant has notify = pf_then_interrupt',
    'needs not variant has resolve = wait because "without asynchronous faults there is nothing to see"',
  ],
  check: ({ condition }, _at, check) => check.truth(condition),
  lower: () => undefined,
});
