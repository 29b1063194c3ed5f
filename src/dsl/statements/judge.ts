/**
 * Judgements: what must, must not, or must at some time be so.
 *
 * One shape for all: an optional name before a colon, what is judged, and clauses in any order.
 */
import type { Check } from '../check.ts';
import type { Expression, Word } from '../expression.ts';
import { chain, event, expression, label, mark, name, nameList, oneOf, sum, text, word } from '../holes.ts';
import { type Node, statement } from '../statement.ts';
import { anyOrder, choice, opt, seq } from '../syntax.ts';
import { Arrow, DotDot } from '../tokens.ts';
import { TIME } from '../units.ts';

/** When a judgement counts and why it stands there. */
const clauses = anyOrder(
  choice(
    choice(seq(word('by'), sum('by', 'TIME')), seq(word('at'), sum('at', 'TIME'))),
    choice(
      seq(word('during'), sum('from', 'TIME'), mark(DotDot, '..'), sum('to', 'TIME')),
      seq(word('within'), sum('within', 'TIME')),
    ),
  ),
  choice(
    choice(seq(word('after'), event('after')), seq(word('until'), event('until'))),
    choice(seq(word('unless'), expression('unless', 'CONDITION')), seq(word('because'), text('because'))),
  ),
);

export interface Clauses {
  readonly by: Expression | null;
  readonly at: Expression | null;
  readonly from: Expression | null;
  readonly to: Expression | null;
  readonly within: Expression | null;
  readonly after: Expression | null;
  readonly until: Expression | null;
  readonly unless: Expression | null;
  readonly because: Word | null;
}

function checkClauses({ by, at, from, to, within, after, until, unless }: Clauses, check: Check): void {
  for (const time of [by, at, from, to, within]) if (time) check.quantity(time, TIME);
  for (const each of [after, until]) if (each) check.event(each);
  if (unless) check.truth(unless);
}

/** `A leads_to B` stands at the top, where every A is owed its B. */
function checkBody(kind: string, body: Expression, check: Check): void {
  if (body.kind !== 'binary' || body.op !== 'leads_to' || kind === 'never' || kind === 'sometimes') {
    check.truth(body);
    return;
  }
  check.truth(body.left);
  check.truth(body.right);
}

const WHERE = ['file', 'case', 'act', 'explore'] as const;

function judgement(
  kind: 'expect' | 'always' | 'never' | 'eventually' | 'sometimes',
  summary: string,
  about: string,
  examples: readonly string[],
) {
  return statement({
    id: kind,
    keyword: kind,
    where: WHERE,
    syntax: seq(word(kind), label('label'), expression('body', 'CONDITION'), clauses),
    summary,
    about,
    examples,
    declare({ label }, at, scope) {
      if (label) scope.judgement(label, at);
    },
    check(fields, _at, check) {
      checkBody(kind, fields.body, check);
      checkClauses(fields, check);
    },
    lower: (fields, at: Node, lowering) =>
      lowering.judge.judgement(kind, fields.label, { body: fields.body }, fields, at),
  });
}

export const expect = judgement(
  'expect',
  'A condition that must hold: at the end of the run, or when its clause says.',
  'Without a clause it is judged at the end of the run, and an event counts if it has happened. `at T` judges at one moment, `by T` must have come true until then, `during A..B` counts only what lies inside. Behind `at`, `after` or `when` it is judged at that moment, behind `every` each time; where that never comes, nothing is asked.',
  [
    'expect web.vcpu[0] is halted(synthetic) by 150us',
    'expect count(switch_to(shell)) >= 3 during 1ms..5ms',
    'expect no_halt: max_time(web.vcpu[0] is halted(synthetic)) == 0us unless variant in [v6]',
  ],
);

export const always = judgement(
  'always',
  'A condition that must hold after every step.',
  '`unless` names the variants for which it need not; `until EVENT` ends it. Behind `at`, `after` or `when` it begins at that moment. `always A leads_to B` owes each A its B.',
  [
    'always one_writer: writers(web.vcpu[0].mp_state) within [thread(web.vcpu[0])]',
    'always not_present(cold) leads_to ready(cold) within 2ms',
    'always cold is swapped until swap_submit(cold)',
  ],
);

export const never = judgement(
  'never',
  'A condition or event that must not come at any time.',
  'With `for T` inside, only what lasts that long counts.',
  ['never swap_wait(cold) by thread(web.vcpu[0])', 'never spin: rate(entry(web.vcpu[0])) > 200k/s for 1ms'],
);

export const eventually = judgement(
  'eventually',
  'A condition or event that must come; with `within T after EVENT`, each time and in time.',
  'Without a deadline it must have come by the end of the run. Behind `at`, `after` or `when` it has from that moment on, and `within T` counts from there.',
  ['eventually resumes(db) within 2ms after ready(cold)', 'eventually ready(cold) within 2ms until done(db)'],
);

export const sometimes = judgement(
  'sometimes',
  'An interesting state that some run must reach, so that the other judgements mean something.',
  'In one run it must come at some time; in an exploration on some path.',
  ['sometimes took_apf(cold)'],
);

export const expectOrder = statement({
  id: 'expect_order',
  keyword: 'expect',
  where: ['file', 'case', 'act', 'explore'],
  syntax: seq(word('expect'), label('label'), word('order'), chain('events', Arrow), clauses),
  summary: 'Events that must happen in this order; others may come between.',
  examples: ['expect order not_present(cold) -> irq(tick) -> switch_to(shell) -> ready(cold)'],
  declare({ label }, at, scope) {
    if (label) scope.judgement(label, at);
  },
  check(fields, _at, check) {
    for (const each of fields.events) check.event(each);
    checkClauses(fields, check);
  },
  lower: (fields, at, lowering) =>
    lowering.judge.judgement('order', fields.label, { order: fields.events }, fields, at),
});

export const expectVerdict = statement({
  id: 'expect_verdict',
  keyword: 'expect',
  where: ['file', 'case', 'explore'],
  syntax: seq(
    seq(
      word('expect'),
      oneOf('verdict', ['fail', 'pass']),
      opt(seq(word('of'), name('judgement', 'JUDGEMENT'))),
      word('on'),
    ),
    choice(
      seq(word('variant'), name('one', 'VARIANT')),
      seq(word('variants'), choice(nameList('many', 'VARIANT'), seq(word('where'), expression('where', 'CONDITION')))),
    ),
    word('because'),
    text('because'),
  ),
  summary: 'Known bad, written down: on these variants this judgement fails, and no other.',
  about:
    'If it passes after all, the run fails: somebody has repaired it, or the model is wrong. `variants where` speaks of all those with such knobs. In an `explore` block it speaks of explorations alone: some order fails, and the one that a run takes need not.',
  examples: [
    'expect fail of no_halt on variant v6 because "the halt is decided at entry"',
    'expect fail of no_halt on variants where variant has halt = entry_check because "the halt is decided at entry"',
  ],
  check({ verdict, judgement, one, many, where }, _at, check) {
    for (const each of [one, ...(many ?? [])]) if (each) check.variant(each);
    if (where) check.truth(where);
    if (judgement) check.judgement(judgement);
    else if (verdict.text === 'fail') {
      check.error('missing', {
        span: verdict.span,
        message: 'say which judgement fails',
        help: "write 'expect fail of NAME on …'",
      });
    }
  },
  lower: ({ verdict, judgement, one, many, where, because }, at, lowering) =>
    lowering.judge.expectation(
      verdict.text === 'fail' ? 'fail' : 'pass',
      judgement,
      where ?? (one ? [one] : (many ?? [])),
      because.text,
      at,
    ),
});

export const outcome = statement({
  id: 'outcome',
  keyword: 'outcome',
  where: ['file', 'case'],
  syntax: seq(word('outcome'), label('label'), expression('condition', 'CONDITION')),
  summary: 'A way in which a race may end: `apflab litmus` counts the final states that are so.',
  about:
    'It judges nothing: whether some order leads there is what one wants to know. A final state is one in which nobody who has to move can. An event counts if it has happened on the way.',
  examples: ['outcome lost: web.vcpu[0] is blocked and not done(db)', 'outcome resumes(db)'],
  check({ condition }, _at, check) {
    check.truth(condition);
  },
  lower: ({ label, condition }, at, lowering) => lowering.judge.outcome(label, condition, at),
});

export const report = statement({
  id: 'report',
  keyword: 'report',
  where: ['file', 'case'],
  once: true,
  syntax: seq(
    word('report'),
    opt(seq(word('per'), oneOf('per', ['variant', 'cell', 'case']))),
    expression('columns', '[VALUE, …]'),
  ),
  summary: 'Values to print beside the verdicts.',
  examples: ['report per variant [entry.checks_added, p99(web.stall), halts(synthetic)]'],
  check({ columns }, _at, check) {
    if (columns.kind !== 'list') {
      check.error('type', {
        span: columns.span,
        message: 'expected a list of values',
        help: 'write report [p99(web.stall), web.exits]',
      });
      return;
    }
    for (const each of columns.items) check.type(each);
  },
  lower: ({ columns }, _at, lowering) => lowering.reportColumns(columns),
});
