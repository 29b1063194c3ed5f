/** The machine underneath: hosts with CPUs, memory and swap, and the links between them. */

import { block, name, place, sum, word } from '../holes.ts';
import { setting, takesAnything, takesCount, takesDistribution, takesSize, takesTime, takesWords } from '../setting.ts';
import { statement } from '../statement.ts';
import { opt, seq } from '../syntax.ts';
import { COUNT, PAGES, PERCENT, TIME } from '../units.ts';
import { quantity } from '../value_type.ts';

export const host = statement({
  id: 'host',
  keyword: 'host',
  where: ['file'],
  syntax: seq(word('host'), name('name'), block('host')),
  summary: 'A machine that VMs run on.',
  examples: ['host h0 { cpus 1; ram 512MiB; workers 2; swap nvme { size 1GiB; read fixed(90us) } }'],
  declare: ({ name }, at, scope) => scope.thing(name, 'host', at),
  round: 'hosts',
  lower({ name }, at, lowering) {
    const inside = lowering.inside(at, name.text);
    lowering.host({
      name: name.text,
      place: lowering.place(at),
      cpus: inside.whole('cpus', 1, 1, 1024),
      ram_pages: inside.pages('ram', 512 * 1024 * 1024),
      workers: inside.whole('workers', 4, 1, 1024),
      isa: inside.word('isa', ['svm', 'vmx'], 'svm'),
      swap: inside.swap,
      reclaim: inside.word('reclaim', ['lru', 'clock', 'working_set'], 'lru'),
      reclaim_window_ns: inside.duration('reclaim_window', 10_000_000),
      oom: inside.word('oom', ['kill', 'invalid'], 'invalid'),
      halt_poll_ns: inside.duration('halt_poll', 0),
      cost_ns: Object.fromEntries(inside.costs),
    });
  },
});

const HOST_AND_VM = ['host', 'vm'] as const;

export const hostSettings = [
  setting({
    keyword: 'halt_poll',
    where: ['host'],
    takes: takesTime,
    summary: 'How long a vCPU may poll before it sleeps, kvm.halt_poll_ns; 0 by default, where Linux has 200us.',
    example: 'halt_poll 200us',
  }),
  setting({ keyword: 'cpus', where: ['host'], takes: takesCount, summary: 'Physical CPUs.', example: 'cpus 4' }),
  setting({ keyword: 'ram', where: HOST_AND_VM, takes: takesSize, summary: 'Memory.', example: 'ram 128MiB' }),
  setting({
    keyword: 'page',
    where: ['host'],
    takes: takesSize,
    summary: 'The size of a page: 4KiB.',
    example: 'page 4KiB',
  }),
  setting({
    keyword: 'workers',
    where: ['host'],
    takes: takesCount,
    summary: 'Kernel workers that complete page-ins.',
    example: 'workers 2',
  }),
  setting({
    keyword: 'isa',
    where: ['host'],
    takes: takesWords('svm', 'vmx'),
    summary: 'AMD or Intel virtualisation.',
    example: 'isa svm',
  }),
  setting({
    keyword: 'reclaim',
    where: ['host'],
    takes: takesWords('lru', 'clock', 'working_set'),
    summary:
      'How the host picks pages to evict: the oldest that was not used since; by a hand that goes round all pages, and passes what was used since it last came by; or by one that takes what was not used for as long as `reclaim_window` says, and if there is no such page the one used longest ago.',
    example: 'reclaim lru',
  }),
  setting({
    keyword: 'reclaim_window',
    where: ['host'],
    takes: takesTime,
    summary:
      'Under `reclaim working_set`: a page that was used within so long belongs to the working set of its VM, and stays as long as there is another; 10ms by default.',
    example: 'reclaim_window 2ms',
  }),
  setting({
    keyword: 'oom',
    where: ['host'],
    takes: takesWords('kill', 'invalid'),
    summary:
      'What happens where nothing can be reclaimed: the kernel kills the VMM that holds most, in a container that of the container; or, unless said, the run counts as invalid, since it says nothing about the protocol.',
    example: 'oom kill',
  }),
  setting({
    keyword: 'limit',
    where: HOST_AND_VM,
    takes: takesSize,
    summary: 'The most memory that may be used: for a VM, its container.',
    example: 'limit 512MiB',
  }),
];

export const swap = statement({
  id: 'swap',
  keyword: 'swap',
  where: ['host'],
  once: true,
  syntax: seq(word('swap'), name('name'), opt(block('swap'))),
  summary: 'The swap device of the host; `swap none` for no swap.',
  examples: ['swap nvme { size 1GiB; read lognormal(p50: 90us, p99: 2ms); depth 32; readahead 8 pages }', 'swap none'],
  declare({ name }, at, scope) {
    if (name.text !== 'none') scope.member(name, 'swap', at);
  },
  check({ name }, at, check) {
    if (name.text === 'none' && at.body.length > 0) {
      check.error('type', {
        span: name.span,
        message: "'swap none' has no settings",
        help: 'give the device a name, such as nvme',
      });
    }
  },
  lower({ name }, at, lowering) {
    if (name.text === 'none') return;
    const inside = lowering.inside(at, 'swap');
    const readahead = inside.whole('readahead', 8, 1, 512);
    const given = inside.expression('readahead');
    if (given && !Number.isInteger(Math.log2(readahead))) {
      lowering.env.outOfRange(given, `the read-ahead window is a power of two, not ${readahead}`);
    }
    lowering.swap({
      name: name.text,
      size_pages: inside.pages('size', 1024 ** 3),
      read: inside.distribution('read', 90_000),
      write: inside.distribution('write', 60_000),
      depth: inside.whole('depth', 32, 1, 65536),
      readahead_pages: readahead,
      error_ppm: Math.round(inside.number('errors', 0) * 1e6),
    });
  },
});

export const swapSettings = [
  setting({ keyword: 'size', where: ['swap'], takes: takesSize, summary: 'Room for pages.', example: 'size 1GiB' }),
  setting({
    keyword: 'read',
    where: ['swap'],
    takes: takesDistribution,
    summary: 'How long the device takes to read a page.',
    example: 'read lognormal(p50: 90us, p99: 2ms)',
  }),
  setting({
    keyword: 'write',
    where: ['swap'],
    takes: takesDistribution,
    summary: 'How long it takes to write one.',
    example: 'write fixed(60us)',
  }),
  setting({
    keyword: 'depth',
    where: ['swap'],
    takes: takesCount,
    summary: 'Requests served at once.',
    example: 'depth 32',
  }),
  setting({
    keyword: 'readahead',
    where: ['swap'],
    takes: [quantity(PAGES), quantity(COUNT)],
    summary: 'The largest read-ahead window, a power of two: 1 << vm.page-cluster.',
    example: 'readahead 8 pages',
  }),
  setting({
    keyword: 'errors',
    where: ['swap'],
    takes: [quantity(PERCENT)],
    summary: 'How many reads fail.',
    example: 'errors 1%',
  }),
];

export const cost = statement({
  id: 'cost',
  keyword: 'cost',
  where: ['host'],
  once: true,
  syntax: seq(word('cost'), block('cost')),
  summary: 'What steps take, where the built-in costs do not fit.',
  examples: ['cost { context_switch 2us }'],
  lower: (_fields, at, lowering) => lowering.costs(lowering.inside(at).costs),
});

export const costEntry = statement({
  id: 'cost_entry',
  keyword: null,
  where: ['cost'],
  syntax: seq(place('step', 'STEP'), sum('time', 'TIME')),
  summary: 'The cost of one step or charge.',
  examples: ['context_switch 2us'],
  check({ step, time }, _at, check) {
    check.step(step, 'cost');
    check.quantity(time, TIME);
  },
  lower: ({ step, time }, _at, lowering) => lowering.cost(step, time),
});

export const userfault = statement({
  id: 'userfault',
  keyword: 'userfault',
  where: ['vm'],
  syntax: seq(word('userfault'), name('name'), block('userfault')),
  summary: 'Memory whose faults a process outside of the kernel resolves.',
  examples: ['userfault pager { latency fixed(200us); threads 2 }'],
  once: true,
  declare: ({ name }, at, scope) => scope.member(name, 'handler', at),
  lower: ({ name }, at, lowering) => lowering.userfault(name.text, at),
});

export const userfaultSettings = [
  setting({
    keyword: 'latency',
    where: ['userfault'],
    takes: takesDistribution,
    summary: 'How long the process takes for a page.',
    example: 'latency fixed(200us)',
  }),
  setting({
    keyword: 'serves',
    where: ['userfault'],
    takes: takesAnything,
    summary: 'The pages it serves, and which are missing at the start; all of them where nothing is said.',
    example: 'serves web.heap',
  }),
  setting({
    keyword: 'threads',
    where: ['userfault'],
    takes: takesCount,
    summary: 'Threads of the process, each with one page at a time.',
    example: 'threads 2',
  }),
];
