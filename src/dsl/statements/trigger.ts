/** When things happen: `at`, `after`, `when`, `every`, `during`, each with an act or a block of acts behind it. */

import { block, body, event, expression, mark, sum, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { DotDot, Plus } from '../tokens.ts';
import { TIME } from '../units.ts';

const WHERE = ['file', 'case'] as const;

export const at = statement({
  id: 'at',
  keyword: 'at',
  where: WHERE,
  syntax: seq(word('at'), sum('time', 'TIME'), body('act')),
  summary: 'Acts at a virtual time of the case.',
  examples: ['at 100us db reads cold', 'at 2ms { evict cold; mark "gone" }'],
  check: ({ time }, _at, check) => check.quantity(time, TIME),
  lower: ({ time }, at, lowering) => void lowering.under({ kind: 'at', ns: lowering.ns(time) }, at),
});

export const after = statement({
  id: 'after',
  keyword: 'after',
  where: WHERE,
  syntax: seq(word('after'), event('event'), opt(seq(mark(Plus, '+'), sum('plus', 'TIME'))), body('act')),
  summary: 'Acts after the first occurrence of an event, at once or so much later.',
  examples: ['after ready(cold) evict cold', 'after not_present(cold) + 5us { mark "told" }'],
  check({ event, plus }, _at, check) {
    check.event(event);
    if (plus) check.quantity(plus, TIME);
  },
  lower: ({ event, plus }, at, lowering) =>
    void lowering.under({ kind: 'after', event: lowering.event(event), plus_ns: plus ? lowering.ns(plus) : 0 }, at),
});

export const when = statement({
  id: 'when',
  keyword: 'when',
  where: WHERE,
  syntax: seq(
    word('when'),
    expression('condition', 'CONDITION'),
    opt(seq(word('after'), sum('from', 'TIME'))),
    body('act'),
  ),
  summary: 'Acts once, as soon as a condition holds; with `after`, not before that time.',
  examples: [
    'when web.vcpu[0] is halted(synthetic) irq disk on web.vcpu[0]',
    'when count(not_present(cold)) >= 1 after 2ms { evict cold }',
  ],
  check({ condition, from }, _at, check) {
    check.truth(condition);
    if (from) check.quantity(from, TIME);
  },
  lower: ({ condition, from }, at, lowering) =>
    void lowering.under(
      { kind: 'when', condition: lowering.expr(condition), from_ns: from ? lowering.ns(from) : 0 },
      at,
    ),
});

export const every = statement({
  id: 'every',
  keyword: 'every',
  where: WHERE,
  syntax: seq(word('every'), sum('period', 'TIME'), opt(seq(word('for'), sum('time', 'TIME'))), body('act')),
  summary: 'Acts periodically, from one period on; with `for`, until then.',
  examples: ['every 1ms evict cold', 'every 1ms for 1s { irq disk on web.vcpu[0] }'],
  check({ period, time }, _at, check) {
    check.quantity(period, TIME);
    if (time) check.quantity(time, TIME);
  },
  lower({ period, time }, at, lowering) {
    const period_ns = lowering.period(period);
    lowering.under({ kind: 'every', period_ns, from_ns: period_ns, until_ns: time ? lowering.ns(time) : null }, at);
  },
});

export const during = statement({
  id: 'during',
  keyword: 'during',
  where: WHERE,
  syntax: seq(word('during'), sum('from', 'TIME'), mark(DotDot, '..'), sum('to', 'TIME'), body('act')),
  summary: 'Acts at the start of a span, and undoes at its end what can be undone.',
  examples: ['during 1ms..2ms { interrupts web.vcpu[0] blocked }'],
  check({ from, to }, _at, check) {
    check.quantity(from, TIME);
    check.quantity(to, TIME);
  },
  lower: ({ from, to }, at, lowering) => lowering.during(lowering.ns(from), lowering.ns(to), at),
});

export const race = statement({
  id: 'race',
  keyword: 'race',
  where: ['file', 'case', 'act'],
  syntax: seq(word('race'), block('act')),
  summary: 'Acts that may happen in any order, and in any order with everything else.',
  about:
    'Explored, each act may come at any point from the moment on at which the block would; a run has them come as they are written.',
  examples: ['race { evict cold; irq disk on web.vcpu[0] }'],
  lower: (_fields, at, lowering) => lowering.race(at),
});

export const any = statement({
  id: 'any',
  keyword: 'any',
  where: ['file', 'case', 'act'],
  syntax: seq(word('any'), block('act')),
  summary: 'One of the acts, with `|` between them; the explorer tries each, a run takes the one that its seed picks.',
  examples: ['any { evict cold | irq disk on web.vcpu[0] }'],
  lower: (_fields, at, lowering) => lowering.any(at),
});
