/**
 * Every verb with its flags, as it is read, explained and completed.
 *
 * What a verb does stands in commands/; main.ts brings the two together, so that help costs no more than this file.
 */
import type { ReductionName, Strategy } from '../explore/explore.ts';
import { choice, count, type Flag, integer, list, oneOf, pairs, size, text, toggle, type Verb } from './args.ts';

export const TRACE_FORMATS = ['ftrace', 'trace-cmd', 'perf', 'jsonl'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

export const REPORTS = ['pretty', 'json', 'junit', 'tap', 'md', 'github'] as const;
export type ReportName = (typeof REPORTS)[number];

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const TRACE = text('trace', 'FILE', 'write the trace of every run to FILE; - is standard output');
export const FORMAT = choice('format', TRACE_FORMATS, 'ftrace', 'how the trace is written (ftrace)');
export const REPORT = list(
  'report',
  'FORMAT[=FILE]',
  `${REPORTS.join(', ')}, one or several; without FILE on standard output`,
  REPORTS,
);
export const SEED = integer('seed', 'N', 'the seed of every random choice, over that of the file');
export const SET = pairs('set', 'give a param or a matrix value; may be repeated');
export const VARIANTS = list('variants', 'A,B|all', 'run on these protocol variants, over those of the file');
export const PARANOID = toggle('paranoid', 'check the laws of the model after every step');
export const RECORD = text('record', 'FILE', 'keep the runs in a file that show, watch and replay reopen');
export const GREP = text('grep', 'TEXT', 'only cases whose name contains TEXT, or is TEXT');
export const TAG = list('tag', 'NAME', 'only files with one of these tags');
export const BAIL = toggle('bail', 'stop after the first run that fails');

export const PRINT = toggle('print', 'print the model of each run, everything resolved');
export const CHECK = toggle('check', 'write nothing; fail and name the files that are not formatted');
export const UPGRADE = toggle('upgrade', 'rewrite files of an older language to the newest, and say which are in it');
export const SHOW_REPORT = choice('report', ['pretty', 'json'], 'pretty', 'the summary for people or for programs');
export const AS = choice(
  'as',
  ['summary', 'story', 'sequence', 'table', 'review', 'apf', ...TRACE_FORMATS],
  'summary',
  'print a run turn by turn, or the events, instead of the summary',
);
export const IN = text('in', 'FILE', 'a scenario whose variants can be named too');
export const AT = text('at', 'TIME', 'open at this virtual time: 3ms');
export const MOMENT = text('at', 'TIME', 'at this virtual time: 3ms (the first judgement that fails, else the end)');
export const KNOBS_FLAG = list('knobs', 'A,B', 'only guards and rules of these knobs, and these guards');
export const FIRST = toggle('first', 'one variant that notices is enough');
export const EXPLORE = toggle(
  'explore',
  'in every order of the steps, not in one run: what survives carries no weight',
);
export const AT_LEAST = integer('at-least', 'PERCENT', 'exit with 1 if fewer of them are noticed');
export const MUTATE_REPORT = choice(
  'report',
  ['pretty', 'json', 'md'],
  'pretty',
  'for people, for programs, for a page',
);
const COVER_KIND_NAMES = ['guard', 'branch', 'knob', 'step', 'transition', 'state', 'event', 'tracepoint'] as const;
export const KINDS = list('kinds', 'A,B', `only these of: ${COVER_KIND_NAMES.join(', ')}`, COVER_KIND_NAMES);
export const COVER_REPORT = choice(
  'report',
  ['pretty', 'json', 'md'],
  'pretty',
  'for people, for programs, for a page',
);
export const PROTOCOLS_REPORT = choice(
  'report',
  ['pretty', 'json', 'md'],
  'pretty',
  'for people, for programs, for a page',
);
export const FIX = toggle('fix', 'run the repaired versions');
export const EXPLANATION = choice('report', ['pretty', 'json'], 'pretty', 'for people or for programs');
export const DIFF_REPORT = choice('report', ['pretty', 'json'], 'pretty', 'for people or for programs');
export const LITMUS_REPORT = choice('report', ['pretty', 'json'], 'pretty', 'for people or for programs');
export const SCENARIO = toggle('scenario', 'leave out of the scenario what it does not need');
export const FROM = text('from', 'TIME', 'leave out what runs do before this virtual time: 1ms');
export const SPEED = text('speed', 'TIME', 'virtual time that passes in a second: 100us');

const STRATEGIES: readonly Strategy[] = ['bfs', 'dfs', 'random', 'pct'];
const REDUCTIONS = Object.keys({ order: true, identity: true, symmetry: true } satisfies Record<ReductionName, true>);

export const STRATEGY = oneOf('strategy', STRATEGIES, 'in which order paths are tried (bfs)');
export const DEPTH = count('depth', 'N', 'no path longer than N transitions');
export const PREEMPTIONS = count('preemptions', 'N', 'at most N switches away from a thread that could go on');
export const STATES = count('states', 'N', 'at most N states: 2M');
export const MEMORY = size('memory', 'SIZE', 'at most so much memory for states (4GiB)');
export const WALKS = count('walks', 'N', 'so many paths of random and pct (1000)');
export const WORKERS = count('workers', 'N', 'threads that share the work (1)');
export const CHECKPOINT = text(
  'checkpoint',
  'FILE',
  'keep in FILE how far it is, every 10 s and when a bound is reached',
);
export const RESUME = text('resume', 'FILE', 'go on from a checkpoint; bounds may be higher');
export const NO_REDUCE = toggle('no-reduce', 'leave nothing out: for who doubts the reductions');
export const REDUCTIONS_FLAG = list('reductions', 'A,B', `only these of ${REDUCTIONS.join(', ')}`, REDUCTIONS);
export const EXACT = toggle('exact', 'keep whole states in place of fingerprints: no doubt, more memory');
export const ALL = toggle('all', 'go on when a judgement has failed, for the others');
export const VIEWS = ['story', 'sequence', 'table', 'trace'] as const;
export const SHOW = list('show', 'VIEW', 'tell what was found: as story, sequence, table or trace', VIEWS);
export const TIMING = toggle('timing', 'say how long it took, and bytes per state');

const SELECTION: readonly Flag<unknown>[] = [VARIANTS, SEED, SET, GREP, TAG];

export const VERBS = {
  run: {
    name: 'run',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'run scenarios and judge them',
    group: 'judge',
    brief: 'judge scenarios in time',
    about: `FILE is a scenario, a folder of them, or - for standard input. Each case runs once for every cell of its matrix and
every variant. Verdicts go to standard output, or to standard error where a trace or a report has taken that; what is
wrong with a scenario goes to standard error. The same file, seed and version give the same bytes.`,
    flags: [...SELECTION, TRACE, FORMAT, REPORT, RECORD, PARANOID, BAIL],
    examples: [
      ['apflab run scenarios', 'everything in a folder'],
      ['apflab run halt.apf --variants v6,linux_6_12', 'two protocols beside each other'],
      ['apflab run halt.apf --trace - --format trace-cmd', "the kernel's own lines"],
      ['apflab run scenarios --report pretty,junit=results.xml', 'for CI'],
    ],
  },
  explore: {
    name: 'explore',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'try every order of the steps of a scenario',
    group: 'judge',
    brief: 'judge every order',
    about: `The same files as run takes. Whatever may come in either order comes in both: time decides nothing, so a
judgement that only a clock could decide is left out, and said to be. The verdict holds within the bounds that it names:
those of the flags, else those of the file's explore block. Exit code 3: a bound was reached before the verdict.

What nobody has to let happen (ticks, NMIs, interrupts, signals, evictions, saves) happens as often as a budget in the
file allows, ticks once where it says nothing. Ctrl-C stops, and says what was covered.`,
    flags: [
      ...SELECTION,
      STRATEGY,
      DEPTH,
      PREEMPTIONS,
      STATES,
      MEMORY,
      WALKS,
      WORKERS,
      CHECKPOINT,
      RESUME,
      REDUCTIONS_FLAG,
      NO_REDUCE,
      EXACT,
      ALL,
      SHOW,
      TIMING,
      REPORT,
      RECORD,
      PARANOID,
      BAIL,
    ],
    examples: [
      ['apflab explore race.apf', 'every order, or the shortest that breaks something'],
      ['apflab explore race.apf --variants v6,linux_6_12 --states 2M', 'two protocols, with a bound'],
      ['apflab explore race.apf --checkpoint far.bin --resume far.bin --states 20M', 'go on, and further'],
      ['apflab explore scenarios/explore --report pretty,json=orders.json', 'a folder, and a report for programs'],
      [
        'apflab explore race.apf --record found.run',
        'keep what breaks something: show, why, watch, replay and diff take it',
      ],
    ],
  },
  litmus: {
    name: 'litmus',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'count in which ways small races may end',
    group: 'judge',
    brief: 'count how races may end',
    about: `A race is a scenario with statements like outcome lost: not done(db). Every order of its steps is followed to
where nobody who has to move can, and these final states are counted by outcome and variant as herd counts them: an
outcome that is so of none is forbidden there. Exit code 3: a bound was reached before all was seen.`,
    flags: [...SELECTION, STATES, LITMUS_REPORT],
    examples: [
      ['apflab litmus litmus', 'those of a folder'],
      ['apflab litmus litmus/wake-or-sleep.apf --variants all', 'one, on every version'],
    ],
  },
  watch: {
    name: 'watch',
    operands: 'FILE',
    count: [1, 1],
    summary: 'open a scenario, a run or a recording live',
    group: 'look',
    brief: 'open the monitor',
    about: 'A scenario is read again whenever its file is saved. Press ? in the monitor for its keys.',
    flags: [AT, SPEED, ...SELECTION],
    examples: [
      ['apflab watch halt.apf', 'live'],
      ['apflab watch trace.txt.gz --at 3ms', 'a recording of a real kernel'],
    ],
  },
  why: {
    name: 'why',
    operands: 'FILE OBJECT',
    count: [2, 2],
    summary: 'explain why something is as it is',
    group: 'look',
    brief: 'why something is as it is',
    about: `FILE is a scenario or a run file; OBJECT is named as in a scenario: a vCPU web.vcpu[0], a task web.task.db, a
page web.heap.page(17), or a token 0x1000. Of a vCPU: each term of its runnable predicate, since when it has its value,
who gave it that and who could still change it. Of the others: the links of the fault that led here, with times. Names
the waker that is missing where one is. Without --grep and the like it takes the first run of the file.`,
    flags: [MOMENT, EXPLANATION, ...SELECTION],
    examples: [
      ["apflab why halt.apf 'web.vcpu[0]'", 'why it does not run, when the first judgement fails'],
      ['apflab why halt.apf web.task.db --at 3ms', 'what it waits for'],
      ['apflab why found.run 0x1000 --report json', 'for programs'],
    ],
  },
  check: {
    name: 'check',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'say what is wrong with scenarios, without a run',
    group: 'write',
    brief: 'find what is wrong',
    about: 'FILE is a scenario, a folder of them, or - for standard input.',
    flags: [PRINT, VARIANTS, SEED, SET, GREP, TAG],
    examples: [
      ['apflab check scenarios', 'all of a folder'],
      ['apflab check halt.apf --print --variants v6', 'what a run would get'],
    ],
  },
  fmt: {
    name: 'fmt',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'format scenarios in place',
    group: 'write',
    brief: 'format in place',
    about: `Names the files that it changed. With - it formats standard input to standard output. A file with a syntax
error stays as it is. With --upgrade a file of an older language, or one that does not say its language, becomes one of
the newest; there has been no other than language 1, so only that line is put right.`,
    flags: [CHECK, UPGRADE],
    examples: [
      ['apflab fmt scenarios', 'all of a folder'],
      ['apflab fmt --upgrade old.apf', 'to the newest language; adds the line that says so'],
      ['apflab fmt --check scenarios', 'for CI: exit code 1 if anything would change'],
    ],
  },
  show: {
    name: 'show',
    operands: 'FILE',
    count: [1, 1],
    summary: 'summarise a recording of a real kernel, or a run',
    group: 'look',
    brief: 'tell a run, a recording',
    about: `FILE is text of ftrace, trace-cmd report or perf script, plain or gzipped, a run file, or - for standard input.
The summary counts events, vCPU threads and tokens, and gives the latencies between not_present, completed and ready.
A run can also be told: who had a turn, what he did in it that anybody can see, and how it all stands at the end. As a
story, as a diagram of at most 100 columns with one for each actor, as a table, or as Markdown of 72 columns for a mail:
the rule that was broken, the scenario, the story. As apf, what an exploration has found is a scenario once more, with
the holds that make a run by time break the same.`,
    flags: [SHOW_REPORT, AS, VARIANTS, GREP],
    examples: [
      ['apflab show trace.txt.gz', 'counts and latencies'],
      ['apflab show trace.txt --as trace-cmd', "the same events in trace-cmd's spelling"],
      ['apflab show found.run --as story', 'what happened, actor by actor'],
      ['apflab show found.run --as apf > found.apf', 'then: apflab run found.apf'],
      ['apflab show found.run --report json', 'for programs'],
    ],
  },
  replay: {
    name: 'replay',
    operands: 'RUN',
    count: [1, 1],
    summary: 'repeat the runs of a run file, compare the traces',
    group: 'look',
    brief: 'repeat runs of a file',
    about: `The run file holds everything that it needs, the imported files too. Ends as the run did; says so where the
trace comes out different.`,
    flags: [VARIANTS, GREP, TRACE, FORMAT, REPORT, PARANOID, BAIL],
    examples: [['apflab replay found.run --trace -', 'see the trace again']],
  },
  shrink: {
    name: 'shrink',
    operands: 'RUN',
    count: [1, 1],
    summary: 'make what an exploration has found shorter',
    group: 'look',
    brief: 'shorten what was found',
    about: `RUN is a run file of apflab explore --record, which has shrunk it already as far as a moment allows. Looks for
fewer switches from one actor to another, then for fewer steps, never for more; each that it takes still breaks the same
judgement. With --scenario whatever the counterexample does not need goes from the scenario, too: tasks, pages, acts.
Without --record it only says how short they can be.`,
    flags: [SCENARIO, VARIANTS, GREP, RECORD],
    examples: [['apflab shrink found.run --record short.run', 'then: apflab show short.run --as story']],
  },
  diff: {
    name: 'diff',
    operands: 'A [B]',
    count: [1, 2],
    summary: 'say where two runs part first',
    group: 'look',
    brief: 'find where runs part',
    about: `A and B are scenarios, run files or recordings of a kernel. The name of a variant stands for the same scenario on
that variant: that of the other side, of --in, or scenarios/sync-or-async.apf. With --variants A,B the first is for A and the second
for B; one file is enough then. Runs are paired by case and cell.

Two runs are followed to the first thing that one does and the other does not: what it is, who does it, what the other
does instead and whether it ever does it, in which fields the machines then differ, and which knob alone turns the one
into the other there. Times do not count, but from where they differ is said. A run and a recording,
or two recordings, are compared event by event; where these are not all the same, exits with asynchronous page faults are
compared by the order of their events.

Exit code 0: no difference; 1: there is one.`,
    flags: [...SELECTION, IN, FROM, DIFF_REPORT],
    examples: [
      ['apflab diff halt.apf --variants v6,linux_6_12', 'one scenario on two variants'],
      ['apflab diff v6 linux_6_12 --in halt.apf --from 1ms', 'the same, once the guest has started'],
      ['apflab diff linux_4_19 linux_5_8', 'two versions, on a scenario of ours'],
      ['apflab diff before.run after.run', 'two run files'],
      ['apflab diff halt.apf trace.txt.gz', 'the model and a recording'],
    ],
  },
  protocols: {
    name: 'protocols',
    operands: '[A [B]]',
    count: [0, 2],
    summary: 'list the versions, explain one, compare two',
    group: 'learn',
    brief: 'the versions, compared',
    about: `Without a name: all that ship. With one: what is known of it and what is ours, and its knobs with what they mean.
With two: the knobs in which they differ.
With --in, the variants that a scenario declares can be named as well.`,
    flags: [IN, PROTOCOLS_REPORT],
    examples: [
      ['apflab protocols', 'the list'],
      ['apflab protocols --report md', 'the list, as a page'],
      ['apflab protocols linux_4_19 linux_5_8', 'what changed in 5.8'],
      ['apflab protocols v6 mine --in halt.apf', 'which knobs a variant of your own turns'],
    ],
  },
  mutate: {
    name: 'mutate',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'take one guard away at a time, and see who notices',
    group: 'judge',
    brief: 'take guards away',
    about: `Runs each case again without one guard of the kernel's or the guest's, without one term of a gate, or without
one rule that an older version lacked, and says which judgement then comes out otherwise. What nobody notices is listed:
either nothing here depends on it, or a judgement is missing. With --explore each is taken away in every order that
the case allows: a lack is found, after so many states, or survives, and then nothing in that world depends on it.`,
    flags: [...SELECTION, KNOBS_FLAG, FIRST, EXPLORE, STATES, TIMING, AT_LEAST, MUTATE_REPORT],
    examples: [
      ['apflab mutate --explore scenarios/guards/un-halt.apf', 'on which versions does it carry weight?'],
      ['apflab mutate halt.apf', 'each guard on each variant'],
      ['apflab mutate halt.apf --knobs gate', 'does every term of the gate earn its place?'],
      ['apflab mutate scenarios --first --at-least 90', 'for CI: is the suite worth its time?'],
    ],
  },
  cover: {
    name: 'cover',
    operands: 'FILE...',
    count: [1, Number.POSITIVE_INFINITY],
    summary: 'list what of the model a suite never reaches',
    group: 'judge',
    brief: 'what is never reached',
    about: `Runs each case and notes what of the model it asks for and does: guards, terms of the gate and of the runnable
predicate either way, values of knobs, steps of threads and which follow one another, states, events and tracepoints.
Prints how much of each the runs reach together, and what none of them does. A value of a knob counts where some step
asks for it while a variant has it. Which steps can follow one another is known from the scenarios that ship.`,
    flags: [...SELECTION, KINDS, AT_LEAST, COVER_REPORT],
    examples: [
      ['apflab cover scenarios', 'all of a folder'],
      ['apflab cover halt.apf --kinds guard,branch', 'which terms does it never see refuse?'],
      ['apflab cover scenarios --report json', 'for programs'],
    ],
  },
  story: {
    name: 'story',
    operands: '[NAME]',
    count: [0, 1],
    summary: 'tell of a bug that a kernel really had',
    group: 'learn',
    brief: 'bugs that were real',
    about: `Without a name: all there are. With one: runs the versions that had the bug, which fails and says why; with --fix
those without it, which passes. Each is a scenario of the package, under scenarios/bugs.`,
    flags: [FIX, TRACE, FORMAT],
    examples: [
      ['apflab story', 'the list'],
      ['apflab story b06', 'a completion that is eaten on the way to HLT'],
      ['apflab story b06 --fix', 'and the kernels in which it is not'],
    ],
  },
  doc: {
    name: 'doc',
    operands: '[NAME]',
    count: [0, 4],
    summary: 'explain a term, a knob, an event, a function',
    group: 'learn',
    brief: 'explain a name or term',
    about: `Knows the terms of the field, every knob with its values and which versions have which, every statement, event,
attribute, tracepoint and error code, and every function of the model: what of the kernel it models, where, and how it
differs. With model: all differences. Needs no network.`,
    flags: [],
    examples: [
      ['apflab doc synthetic halt', 'a term'],
      ['apflab doc completion_mp_state', 'a knob'],
      ['apflab doc kvm_arch_vcpu_runnable', 'a function'],
      ['apflab doc model', 'in what the model differs'],
    ],
    words: ['model'],
  },
  init: {
    name: 'init',
    operands: '[FILE]',
    count: [0, 1],
    summary: 'write a first scenario to start from',
    group: 'write',
    brief: 'begin with an example',
    about: 'FILE is scenario.apf unless named. Never overwrites.',
    flags: [],
    examples: [['apflab init first.apf', 'then: apflab run first.apf']],
  },
  doctor: {
    name: 'doctor',
    operands: '',
    count: [0, 0],
    summary: 'check Node and the terminal',
    group: 'learn',
    brief: 'check Node and terminal',
    about: 'Exit code 4 if something keeps apflab from working here at all.',
    flags: [],
    examples: [['apflab doctor', 'what to send along with a question']],
  },
  help: {
    name: 'help',
    operands: '[TOPIC]',
    count: [0, 2],
    summary: 'explain a verb, an error, a statement, exit codes',
    group: 'learn',
    brief: 'verbs, errors, exit codes',
    about: 'Topics: exit-codes, errors, statements, events.',
    flags: [],
    examples: [
      ['apflab help run', 'a verb'],
      ['apflab help error dimension', 'what error[dimension] means'],
      ['apflab help statement hold', 'syntax and examples'],
    ],
  },
  completion: {
    name: 'completion',
    operands: SHELLS.join('|'),
    count: [1, 1],
    summary: 'print completion for a shell',
    group: 'learn',
    brief: 'for bash, zsh, fish',
    about: 'Add it to what your shell reads at its start.',
    flags: [],
    examples: [
      ['source <(apflab completion bash)', 'bash'],
      ['apflab completion fish > ~/.config/fish/completions/apflab.fish', 'fish'],
    ],
    words: SHELLS,
  },
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof VERBS;

export const VERB_LIST: readonly Verb[] = Object.values(VERBS);

export function isVerb(word: string): word is VerbName {
  return Object.hasOwn(VERBS, word);
}
