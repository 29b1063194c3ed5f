/** What runs in the guest: tasks and their scripts, timers, interrupts and NMIs with their handlers. */

import { block, expression, flag, mark, name, oneOf, place, sum, text, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { choice, opt, seq } from '../syntax.ts';
import { LSquare, RSquare } from '../tokens.ts';
import { COUNT, FREQUENCY, PAGE_RATE, PAGES, TIME } from '../units.ts';

export const task = statement({
  id: 'task',
  keyword: 'task',
  where: ['guest'],
  syntax: seq(
    seq(
      word('task'),
      name('name'),
      opt(seq(mark(LSquare, '['), expression('times', 'NUMBER'), mark(RSquare, ']'))),
      word('on'),
      place('vcpu', 'vcpu[N] | any'),
    ),
    opt(oneOf('mode', ['user', 'kernel'])),
    opt(flag('nested')),
    opt(seq(word('prio'), sum('prio', 'NUMBER'))),
    block('script'),
  ),
  summary:
    'A task of the guest. It runs its script once; `loop` makes it go on. `db[4]` is four of them. `on any` lets the guest move it between its CPUs. A higher `prio` runs before a lower; it is 0 if not given. `nested` makes it a guest of the guest where the VM has `paging nested`: the guest is then a hypervisor.',
  examples: [
    'task db on vcpu[0] user { loop { read heap uniform; work 20us } }',
    'task crew[4] on any user { work 1ms; done }',
    'task urgent on vcpu[0] user prio 10 { sleep 1ms; work 100us }',
    'task inner on vcpu[0] user nested { loop { read heap sequential } }',
  ],
  declare: ({ name, times }, at, scope) => scope.member(name, 'task', at, times),
  check({ vcpu, times, prio }, _at, check) {
    check.vcpuOfGuest(vcpu);
    if (times) check.quantity(times, COUNT);
    if (prio) check.quantity(prio, COUNT);
  },
  lower: ({ name, times, vcpu, mode, nested, prio }, at, lowering) =>
    lowering.guests.task(name.text, times, vcpu, mode?.text === 'kernel' ? 'kernel' : 'user', nested, prio, at),
});

const PATTERNS = ['uniform', 'zipf', 'sequential', 'stride'] as const;

function access(verb: 'read' | 'write', summary: string) {
  return statement({
    id: `script_${verb}`,
    keyword: verb,
    where: ['script', 'handler'],
    syntax: seq(
      word(verb),
      place('what', 'heap | page(N) | heap.pages(A..B)'),
      opt(
        choice(
          seq(word('rate'), sum('rate', 'RATE')),
          choice(
            seq(word('from'), word('file'), text('file')),
            seq(
              place('pattern', 'uniform | zipf(THETA) | sequential | stride(N)'),
              opt(seq(word('rate'), sum('rate', 'RATE'))),
            ),
          ),
        ),
      ),
    ),
    summary,
    about:
      '`from file "pages.txt"` goes through the pages that a text file beside the scenario names, one number on each line, from the start of the range, over and over.',
    examples: [
      `${verb} heap uniform`,
      `${verb} page(1)`,
      `${verb} heap zipf(0.9) rate 10k pages/s`,
      `${verb} heap.pages(0..63) sequential`,
    ],
    check({ what, pattern, rate, file }, _at, check) {
      check.heap(what);
      if (file) check.pageFile(file);
      if (pattern) check.pattern(pattern, PATTERNS);
      if (rate) check.either(rate, PAGE_RATE, FREQUENCY);
    },
    lower: ({ what, pattern, rate, file }, _at, lowering) => lowering.guests.access(verb, what, file ?? pattern, rate),
  });
}

export const scriptRead = access('read', 'Reads one byte of a page.');
export const scriptWrite = access('write', 'Writes one byte of a page.');

export const scan = statement({
  id: 'script_scan',
  keyword: 'scan',
  where: ['script'],
  syntax: seq(word('scan'), place('what', 'heap | heap.pages(A..B)'), opt(seq(word('step'), sum('step', 'PAGES')))),
  summary: 'Reads the next page of a range, one each time it is run; with `step` every so manyth.',
  examples: ['scan heap', 'scan heap step 64 pages'],
  check({ what, step }, _at, check) {
    check.heap(what);
    if (step) check.either(step, PAGES, COUNT);
  },
  lower: ({ what, step }, _at, lowering) => lowering.guests.scan(what, step),
});

function lasting(keyword: 'work' | 'sleep', where: readonly ('script' | 'handler')[], summary: string) {
  return statement({
    id: `script_${keyword}`,
    keyword,
    where,
    syntax: seq(word(keyword), sum('time', 'TIME | DISTRIBUTION')),
    summary,
    examples: [`${keyword} 20us`, `${keyword} exp(50us)`],
    check: ({ time }, _at, check) => check.timeOrDistribution(time),
    lower: ({ time }, _at, lowering) => lowering.guests.lasting(keyword, time),
  });
}

export const work = lasting('work', ['script', 'handler'], 'Computes, for so long of the vCPU’s time.');
export const sleep = lasting('sleep', ['script'], 'Lets other tasks run, for so long of virtual time.');

export const loop = statement({
  id: 'script_loop',
  keyword: 'loop',
  where: ['script'],
  syntax: seq(word('loop'), block('script')),
  summary: 'Does its block over and over.',
  examples: ['loop { work 10us }'],
  lower: (_fields, at, lowering) => lowering.guests.loop(at),
});

export const repeat = statement({
  id: 'script_repeat',
  keyword: 'repeat',
  where: ['script'],
  syntax: seq(word('repeat'), sum('times', 'NUMBER'), block('script')),
  summary: 'Does its block so many times.',
  examples: ['repeat 10 { work 10us }'],
  check: ({ times }, _at, check) => check.quantity(times, COUNT),
  lower: ({ times }, at, lowering) => lowering.guests.repeat(times, at),
});

/** Words that stand alone in a script. */
function single(
  keyword: 'hlt' | 'cli' | 'sti' | 'mov_ss' | 'user' | 'kernel' | 'done' | 'rcu_read_lock' | 'rcu_read_unlock',
  summary: string,
) {
  return statement({
    id: `script_${keyword}`,
    keyword,
    where: ['script'],
    syntax: word(keyword),
    summary,
    examples: [keyword],
    lower: (_fields, _at, lowering) => lowering.guests.op({ op: keyword }),
  });
}

export const singles = [
  single('hlt', 'HLT: waits for an interrupt.'),
  single('cli', 'CLI: interrupts off.'),
  single('sti', 'STI: interrupts on, one instruction later.'),
  single('mov_ss', 'MOV SS: neither interrupts nor NMIs before the next instruction is done.'),
  single('user', 'Goes on in user mode.'),
  single('kernel', 'Goes on in kernel mode.'),
  single('done', 'The task ends.'),
  single('rcu_read_lock', 'Begins an RCU read-side section: no grace period ends before it does.'),
  single('rcu_read_unlock', 'Ends it.'),
];

export const exit = statement({
  id: 'script_exit',
  keyword: 'exit',
  where: ['script'],
  syntax: word('exit'),
  summary: 'The task ends.',
  examples: ['exit'],
  lower: (_fields, _at, lowering) => lowering.guests.op({ op: 'done' }),
});

export const preempt = statement({
  id: 'script_preempt',
  keyword: 'preempt',
  where: ['script'],
  syntax: seq(word('preempt'), oneOf('state', ['on', 'off'])),
  summary: 'Whether the guest’s scheduler may take the vCPU away: preempt_disable() and preempt_enable().',
  examples: ['preempt off'],
  lower: ({ state }, _at, lowering) => lowering.guests.op({ op: state.text === 'off' ? 'preempt_off' : 'preempt_on' }),
});

function spinlock(keyword: 'lock' | 'unlock', summary: string) {
  return statement({
    id: `script_${keyword}`,
    keyword,
    where: ['script'],
    syntax: seq(word(keyword), name('what')),
    summary,
    examples: [`${keyword} a`],
    lower: ({ what }, _at, lowering) => lowering.guests.spinlock(keyword, what.text),
  });
}

export const spinlocks = [
  spinlock('lock', 'Takes a spinlock of the guest, by any name: preemption is off from the first try on.'),
  spinlock('unlock', 'Gives the lock back.'),
];

export const fork = statement({
  id: 'script_fork',
  keyword: 'fork',
  where: ['script'],
  syntax: seq(word('fork'), name('what', 'TASK')),
  summary:
    'Starts another task of the guest, which then does not run from the start; of several of that name the next.',
  examples: ['fork db'],
  check: ({ what }, _at, check) => check.taskOfGuest(what),
  lower: ({ what }, _at, lowering) => lowering.guests.fork(what.text),
});

export const timer = statement({
  id: 'timer',
  keyword: 'timer',
  where: ['guest'],
  syntax: seq(
    seq(word('timer'), name('name'), word('every'), sum('period', 'TIME'), word('on'), place('vcpu', 'vcpu[N]')),
    block('handler'),
  ),
  summary: 'A periodic timer interrupt of the guest and what its handler does.',
  examples: ['timer tick every 1ms on vcpu[0] { reschedule }'],
  declare: ({ name }, at, scope) => scope.member(name, 'timer', at),
  check({ period, vcpu }, _at, check) {
    check.quantity(period, TIME);
    check.vcpuOfGuest(vcpu);
  },
  lower: ({ name, period, vcpu }, at, lowering) => lowering.guests.timer(name.text, period, vcpu, at),
});

export const irq = statement({
  id: 'irq',
  keyword: 'irq',
  where: ['guest'],
  syntax: seq(word('irq'), name('name'), word('on'), place('vcpu', 'vcpu[N]'), block('handler')),
  summary: 'A device interrupt of the guest and what its handler does.',
  examples: ['irq disk on vcpu[0] { work 2us }'],
  declare: ({ name }, at, scope) => scope.member(name, 'irq', at),
  check: ({ vcpu }, _at, check) => check.vcpuOfGuest(vcpu),
  lower: ({ name, vcpu }, at, lowering) => lowering.guests.irq(name.text, vcpu, at),
});

export const idle = statement({
  id: 'idle',
  keyword: 'idle',
  where: ['guest'],
  syntax: seq(word('idle'), word('on'), place('vcpu', 'vcpu[N]'), block('handler')),
  summary: 'What the idle task of a CPU does besides, before each HLT: kernel code that RCU does not watch.',
  examples: ['idle on vcpu[0] { read page(3) }'],
  check: ({ vcpu }, _at, check) => check.vcpuOfGuest(vcpu),
  lower: ({ vcpu }, at, lowering) => lowering.guests.idle(vcpu, at),
});

export const reschedule = statement({
  id: 'handler_reschedule',
  keyword: 'reschedule',
  where: ['handler'],
  syntax: word('reschedule'),
  summary: 'The handler asks the guest’s scheduler to choose again.',
  examples: ['reschedule'],
  lower: (_fields, _at, lowering) => lowering.guests.reschedule(),
});

export const nmi = statement({
  id: 'nmi',
  keyword: 'nmi',
  where: ['guest'],
  syntax: seq(
    word('nmi'),
    name('name'),
    opt(seq(word('every'), sum('period', 'TIME'))),
    opt(seq(word('on'), choice(seq(flag('each'), word('vcpu')), place('vcpu', 'vcpu[N]')))),
    opt(block('handler')),
  ),
  summary: 'An NMI source of the guest, such as its watchdog, and what the handler does.',
  examples: ['nmi watchdog every 1s on each vcpu', 'nmi handler { read page(1) }'],
  declare: ({ name }, at, scope) => scope.member(name, 'nmi', at),
  check({ period, vcpu }, _at, check) {
    if (period) check.quantity(period, TIME);
    if (vcpu) check.vcpuOfGuest(vcpu);
  },
  lower: ({ name, period, vcpu, each }, at, lowering) =>
    lowering.guests.nmi(name.text, period, vcpu, each !== null, at),
});
