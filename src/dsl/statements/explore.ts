/** Exploration and mutation: parsed and checked here, run by `apflab explore` and `apflab mutate`. */

import { KNOB_NAMES } from '../../sim/protocol/knobs.ts';
import { block, expression, oneOf, text, word } from '../holes.ts';
import { setting, takesCount, takesNames, takesWords } from '../setting.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { COUNT } from '../units.ts';

const EXPLORATION = { needs: 'exploration' } as const;

export const explore = statement({
  id: 'explore',
  keyword: 'explore',
  where: ['file', 'case'],
  once: true,
  syntax: seq(word('explore'), block('explore')),
  summary: 'Every order of the atomic steps, within bounds.',
  examples: ['explore { strategy bfs; depth 60; preemptions 3 }'],
  ...EXPLORATION,
  lower: () => undefined,
});

export const exploreSettings = [
  setting({
    keyword: 'strategy',
    where: ['explore'],
    takes: takesWords('bfs', 'dfs', 'random', 'pct'),
    summary: 'In which order paths are tried.',
    example: 'strategy bfs',
    ...EXPLORATION,
  }),
  setting({
    keyword: 'depth',
    where: ['explore'],
    takes: takesCount,
    summary: 'The longest path.',
    example: 'depth 60',
    ...EXPLORATION,
  }),
  setting({
    keyword: 'preemptions',
    where: ['explore'],
    takes: takesCount,
    summary: 'How often a thread may be interrupted by another.',
    example: 'preemptions 3',
    ...EXPLORATION,
  }),
  setting({
    keyword: 'states',
    where: ['explore'],
    takes: takesCount,
    summary: 'The most states to visit.',
    example: 'states 2M',
    ...EXPLORATION,
  }),
  setting({
    keyword: 'symmetry',
    where: ['explore'],
    takes: takesNames('vcpus', 'pages', 'workers', 'tasks'),
    summary: 'What may be exchanged without a difference.',
    example: 'symmetry [vcpus, pages]',
    ...EXPLORATION,
  }),
  setting({
    keyword: 'fair',
    where: ['explore'],
    takes: takesNames('workers', 'scheduler', 'vcpus', 'timers'),
    summary: 'Who always gets a turn at some time.',
    example: 'fair [workers, scheduler]',
    ...EXPLORATION,
  }),
];

export const exploreFaults = statement({
  id: 'faults',
  keyword: 'faults',
  where: ['explore'],
  once: true,
  syntax: seq(word('faults'), block('faults')),
  summary: 'What may go wrong, and how often.',
  examples: ['faults { drop kick 0..1; duplicate ready 0..1 }'],
  ...EXPLORATION,
});

export const probe = statement({
  id: 'probe',
  keyword: 'probe',
  where: ['explore'],
  syntax: seq(word('probe'), oneOf('what', ['save', 'query']), word('at'), word('every'), word('state')),
  summary: 'Asks at every state what a save or a query would show.',
  examples: ['probe save at every state'],
  ...EXPLORATION,
});

export const yieldAt = statement({
  id: 'yield',
  keyword: 'yield',
  where: ['explore'],
  once: true,
  syntax: seq(word('yield'), word('at'), expression('steps', '[STEP, …]')),
  summary: 'Only these steps may be interrupted: fewer states, and a verdict that says it is unsound.',
  examples: ['yield at [before_entry]'],
  ...EXPLORATION,
  check({ steps }, _at, check) {
    for (const each of steps.kind === 'list' ? steps.items : [steps]) check.step(each, 'step');
  },
});

export const budget = statement({
  id: 'budget',
  keyword: 'budget',
  where: ['explore'],
  syntax: seq(
    word('budget'),
    oneOf('what', ['tick', 'nmi', 'irq', 'evict', 'signal', 'save']),
    expression('times', 'A..B'),
  ),
  summary: 'How often something may happen that nobody has to let happen.',
  examples: ['budget evict 0..2'],
  ...EXPLORATION,
  check: ({ times }, _at, check) => check.countOrRange(times, COUNT),
});

export const onViolation = statement({
  id: 'on_violation',
  keyword: 'on',
  where: ['explore'],
  once: true,
  syntax: seq(word('on'), word('violation'), block('reaction')),
  summary: 'What to do with a counterexample.',
  examples: ['on violation { shrink; show sequence; write "found/%title-%n.apf" }'],
  ...EXPLORATION,
});

export const shrink = statement({
  id: 'shrink',
  keyword: 'shrink',
  where: ['reaction'],
  syntax: word('shrink'),
  summary: 'Looks for a shorter one.',
  examples: ['shrink'],
  ...EXPLORATION,
});

export const show = statement({
  id: 'show',
  keyword: 'show',
  where: ['reaction', 'file', 'case'],
  syntax: seq(word('show'), oneOf('view', ['story', 'sequence', 'table', 'trace'])),
  summary: 'Prints the run in a view.',
  examples: ['show sequence'],
  ...EXPLORATION,
  lower: () => undefined,
});

export const write = statement({
  id: 'write',
  keyword: 'write',
  where: ['reaction'],
  syntax: seq(word('write'), text('path')),
  summary: 'Writes it as a scenario; %title and %n stand for title and number.',
  examples: ['write "found/%title-%n.apf"'],
  ...EXPLORATION,
});

export const exports = statement({
  id: 'export',
  keyword: 'export',
  where: ['reaction', 'file', 'case'],
  syntax: seq(
    word('export'),
    oneOf('format', ['perfetto', 'ftrace', 'itf', 'csv', 'html', 'svg']),
    opt(seq(word('to'), text('path'))),
  ),
  summary: 'Writes the run in another format.',
  examples: ['export perfetto to "run.json"'],
  ...EXPLORATION,
  lower: () => undefined,
});

export const mutate = statement({
  id: 'mutate',
  keyword: 'mutate',
  where: ['file', 'case'],
  once: true,
  syntax: seq(word('mutate'), block('mutate')),
  summary: 'What `apflab mutate` is to turn, to see which judgement notices; `apflab run` leaves it out.',
  about: 'What a case says replaces what the file says; --knobs on the command line restricts both further.',
  examples: ['mutate { knobs [gate, wake] }'],
  lower: () => undefined,
});

export const mutateSettings = [
  setting({
    keyword: 'knobs',
    where: ['mutate'],
    takes: takesNames(...KNOB_NAMES),
    summary: 'Only these knobs.',
    example: 'knobs [gate, wake]',
  }),
];
