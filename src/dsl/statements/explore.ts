/** Exploration and mutation: parsed and checked here, run by `apflab explore` and `apflab mutate`. */

import { FAIR, FAIR_WORDS } from '../../sim/fair.ts';
import { GUARD_NAMES } from '../../sim/protocol/guards.ts';
import { KNOB_NAMES } from '../../sim/protocol/knobs.ts';
import { block, expression, oneOf, text, word } from '../holes.ts';
import { setting, takesCount, takesNames, takesWords } from '../setting.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { COUNT } from '../units.ts';

/** What `budget` may name. */
export const BUDGETED = ['tick', 'nmi', 'irq', 'evict', 'signal', 'save'] as const;

const VIEWS = ['story', 'sequence', 'table', 'trace'] as const;
const FORMATS = ['perfetto', 'ftrace', 'itf', 'csv', 'html', 'svg'] as const;

export const explore = statement({
  id: 'explore',
  keyword: 'explore',
  where: ['file', 'case'],
  once: true,
  syntax: seq(word('explore'), block('explore')),
  summary: 'Every order of the atomic steps, within bounds.',
  examples: ['explore { strategy bfs; depth 60; preemptions 3 }'],
  about:
    'For `apflab explore`; a run leaves it out. A block in a case says more than that of the file, or says otherwise. What is judged in it is judged of all orders only, and so is what `expect fail` in it expects.',
  lower: (_fields, at, lowering) => lowering.exploration.block(at),
});

export const exploreSettings = [
  setting({
    keyword: 'strategy',
    where: ['explore'],
    takes: takesWords('bfs', 'dfs', 'random', 'pct'),
    summary: 'In which order paths are tried.',
    example: 'strategy bfs',
  }),
  setting({
    keyword: 'depth',
    where: ['explore'],
    takes: takesCount,
    summary: 'The longest path.',
    example: 'depth 60',
  }),
  setting({
    keyword: 'preemptions',
    where: ['explore'],
    takes: takesCount,
    summary: 'How often a thread may be interrupted by another.',
    example: 'preemptions 3',
  }),
  setting({
    keyword: 'states',
    where: ['explore'],
    takes: takesCount,
    summary: 'The most states to visit.',
    example: 'states 2M',
  }),
  setting({
    keyword: 'symmetry',
    where: ['explore'],
    takes: takesNames('vcpus', 'pages', 'workers', 'tasks'),
    summary: 'What may change places without a difference: vCPUs, with tasks and workers; without `vcpus`, nothing.',
    example: 'symmetry [vcpus, pages]',
  }),
  setting({
    keyword: 'fair',
    where: ['explore'],
    takes: takesNames(...FAIR_WORDS),
    summary: 'Who gets a turn some time, if he could have it all the time; the others may be left out for ever.',
    example: 'fair [workers, scheduler]',
    about: `Without it all do but the scheduler of a guest. ${Object.entries(FAIR)
      .map(([name, meaning]) => `\`${name}\`: ${meaning}`)
      .join('; ')}. Devices always answer, and what a budget allows never has to happen.`,
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
  lower: (_fields, at, lowering) => void lowering.inside(at),
});

export const probe = statement({
  id: 'probe',
  keyword: 'probe',
  where: ['explore'],
  syntax: seq(word('probe'), oneOf('what', ['save', 'query']), word('at'), word('every'), word('state')),
  summary: 'Asks at every state what a save or a query would show.',
  about:
    'In no state may a vCPU be HALTED that does not execute HLT; and, of a save, every token that a task waits for must be owed.',
  examples: ['probe save at every state'],
  lower: ({ what }, at, lowering) => lowering.exploration.probe(what.text === 'save' ? 'save' : 'query', at),
});

export const yieldAt = statement({
  id: 'yield',
  keyword: 'yield',
  where: ['explore'],
  once: true,
  syntax: seq(word('yield'), word('at'), expression('steps', '[STEP, …]')),
  summary: 'Only these steps may be interrupted: fewer states, and a verdict that says it is unsound.',
  examples: ['yield at [before_entry]'],
  lower: ({ steps }, _at, lowering) => lowering.exploration.yieldAt(steps),
  check({ steps }, _at, check) {
    for (const each of steps.kind === 'list' ? steps.items : [steps]) check.step(each, 'step');
  },
});

export const budget = statement({
  id: 'budget',
  keyword: 'budget',
  where: ['explore'],
  syntax: seq(word('budget'), oneOf('what', BUDGETED), expression('times', 'A..B')),
  summary: 'How often something may happen that nobody has to let happen.',
  about:
    'An NMI to each vCPU, a signal to its thread, each interrupt that a guest declares, each page that a script names, a save of each VM: as often as said, all together. A tick is a timer of a guest, or an act behind `every`; these come once where nothing is said.',
  examples: ['budget evict 0..2'],
  check: ({ times }, _at, check) => check.countOrRange(times, COUNT),
  lower({ what, times }, at, lowering) {
    const kind = BUDGETED.find(each => each === what.text);
    if (kind) lowering.exploration.budget(kind, times, at);
  },
});

export const onViolation = statement({
  id: 'on_violation',
  keyword: 'on',
  where: ['explore'],
  once: true,
  syntax: seq(word('on'), word('violation'), block('reaction')),
  summary: 'What to do with a counterexample.',
  examples: ['on violation { shrink; show sequence; write "found/%title-%n.apf" }'],
  lower: (_fields, at, lowering) => void lowering.inside(at),
});

export const shrink = statement({
  id: 'shrink',
  keyword: 'shrink',
  where: ['reaction'],
  syntax: word('shrink'),
  summary: 'Looks for a shorter one.',
  examples: ['shrink'],
  lower: (_fields, _at, lowering) => lowering.exploration.react({ shrink: true }),
});

export const show = statement({
  id: 'show',
  keyword: 'show',
  where: ['reaction', 'file', 'case'],
  syntax: seq(word('show'), oneOf('view', VIEWS)),
  summary: 'Prints the run in a view.',
  about:
    'In `on violation` each way that was found to break a judgement, outside of it each run. `trace` is the text of its tracepoints.',
  examples: ['show sequence'],
  lower({ view }, _at, lowering) {
    const known = VIEWS.find(each => each === view.text);
    if (known) lowering.exploration.show(known);
  },
});

export const write = statement({
  id: 'write',
  keyword: 'write',
  where: ['reaction'],
  syntax: seq(word('write'), text('path')),
  summary: 'Writes it as a scenario; %title and %n stand for title and number.',
  examples: ['write "found/%title-%n.apf"'],
  lower: ({ path }, _at, lowering) => lowering.exploration.react({ write: [path.text] }),
});

export const exports = statement({
  id: 'export',
  keyword: 'export',
  where: ['reaction', 'file', 'case'],
  syntax: seq(word('export'), oneOf('format', FORMATS), opt(seq(word('to'), text('path')))),
  summary: 'Writes the run in another format.',
  about:
    'In `on violation` each way that was found to break a judgement, outside of it each run. %title and %n stand for title and number; the name ends in .json, .txt, .itf.json, .csv, .html or .svg, in the order of the formats, and the file is below the folder in which apflab was started. One that is there already is left as it is.',
  examples: ['export perfetto to "run.json"', 'export csv to "found/%title-%n.csv"'],
  lower({ format, path }, _at, lowering) {
    const known = FORMATS.find(each => each === format.text);
    if (known) lowering.exploration.export({ format: known, path: path?.text ?? null });
  },
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
    takes: takesNames(...KNOB_NAMES, ...GUARD_NAMES),
    summary: 'Only these knobs, and of guards these.',
    example: 'knobs [gate, done_lock]',
  }),
];
