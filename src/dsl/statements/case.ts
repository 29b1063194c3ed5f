/** Cases and what varies between their runs: matrices, settings, parameters. */

import { block, equals, expression, name, numeral, oneOf, place, text, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { ANY, listOf } from '../value_type.ts';

export const cases = statement({
  id: 'case',
  keyword: 'case',
  where: ['file'],
  syntax: seq(word('case'), text('title'), block('case')),
  summary: 'One thing to try, on its own machine from time 0. A file without cases is one case.',
  examples: ['case "a slow page lets another task run" { at 1ms mark "here" }'],
});

export const matrix = statement({
  id: 'matrix',
  keyword: 'matrix',
  where: ['case'],
  once: true,
  syntax: seq(word('matrix'), block('matrix')),
  summary: 'Runs the case once for each combination of values.',
  examples: ['matrix { chip in [kernel, user]; ints in [allowed, blocked] }'],
});

export const matrixEntry = statement({
  id: 'matrix_entry',
  keyword: null,
  where: ['matrix', 'sweep'],
  syntax: seq(name('name'), word('in'), expression('values', '[VALUE, …]')),
  summary: 'A name and the values it takes in turn; a parameter of the file takes them in place of its own.',
  examples: ['chip in [kernel, user]'],
  declare({ name, values }, at, scope) {
    const known = scope.scope.find(name.text);
    if (known?.what !== 'param') scope.matrix(name, values, at);
  },
  check({ name, values }, _at, check) {
    check.matrix(name, values);
  },
});

export const set = statement({
  id: 'set',
  keyword: 'set',
  where: ['file', 'case'],
  syntax: seq(word('set'), place('what', 'VM.SETTING'), equals, expression('value', 'VALUE')),
  summary: 'Gives a setting of a VM, its guest, or a host another value for this case.',
  about:
    'The settings of the guest are reached through its VM. What is set for the file holds where a case says nothing.',
  examples: ['set web.irqchip = user', 'set web.apf = off', 'set h0.swap.depth = 1'],
  check: ({ what, value }, _at, check) => check.setting(what, value),
  round: 'settings',
  lower: ({ what, value }, _at, lowering) => lowering.override(what, value),
});

export const repeatSeeds = statement({
  id: 'repeat',
  keyword: 'repeat',
  where: ['case', 'sweep'],
  once: true,
  syntax: seq(word('repeat'), numeral('times'), word('seeds')),
  summary: 'Runs everything that often, each time with the next seed: `seed`, or `--seed`, is the first.',
  about: 'In a case each of them is a result of its own, with a verdict and a command that repeats it.',
  examples: ['repeat 20 seeds'],
  check: ({ times }, _at, check) => check.whole(times, 1, 10_000),
});

export const sweep = statement({
  id: 'sweep',
  keyword: 'sweep',
  where: ['file', 'case'],
  syntax: seq(word('sweep'), text('title'), block('sweep')),
  summary: 'A grid of parameters, run by `apflab sweep`; `apflab run` leaves it out.',
  examples: ['sweep "how slow?" { ram in [64, 128] MiB; repeat 20 seeds; measure [p99(web.stall)] }'],
  needs: 'sweeps',
  lower: () => undefined,
});

export const measure = statement({
  id: 'sweep_measure',
  keyword: 'measure',
  where: ['sweep'],
  once: true,
  syntax: seq(word('measure'), expression('columns', '[QUANTITY, …]')),
  summary: 'What each point of the grid yields.',
  examples: ['measure [p99(web.stall), web.exits]'],
  needs: 'sweeps',
  check({ columns }, _at, check) {
    for (const each of columns.kind === 'list' ? columns.items : []) check.type(each);
    if (columns.kind !== 'list') check.expect(columns, listOf(ANY));
  },
});

export const compare = statement({
  id: 'sweep_compare',
  keyword: 'compare',
  where: ['sweep'],
  once: true,
  syntax: seq(word('compare'), word('with'), place('what', 'plan.NAME')),
  summary: 'Puts a closed form beside the simulation.',
  examples: ['compare with plan.migrate'],
  needs: 'sweeps',
  check: ({ what }, _at, check) => void check.type(what),
});

export const find = statement({
  id: 'sweep_find',
  keyword: 'find',
  where: ['sweep'],
  syntax: seq(
    seq(
      word('find'),
      oneOf('direction', ['min', 'max']),
      name('what', 'PARAMETER'),
      word('such'),
      word('that'),
      expression('condition', 'CONDITION'),
    ),
    opt(seq(word('for'), word('each'), name('each', 'PARAMETER'))),
  ),
  summary: 'The smallest or largest value of a parameter for which a condition holds.',
  examples: ['find min wire such that p95(move.downtime) < 300ms for each dirty'],
  needs: 'sweeps',
  check({ what, condition, each }, _at, check) {
    check.parameter(what);
    check.truth(condition);
    if (each) check.parameter(each);
  },
});
