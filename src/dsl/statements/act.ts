/** What a scenario may do to the machine. Bare in a case, an act happens at its start. */
import { pathText } from '../expression.ts';
import { event, expression, name, oneOf, place, sum, text, word } from '../holes.ts';
import { statement } from '../statement.ts';
import { choice, opt, seq } from '../syntax.ts';
import { COUNT, TIME } from '../units.ts';
import { words } from '../value_type.ts';

const WHERE = ['file', 'case', 'act'] as const;

export const evict = statement({
  id: 'evict',
  keyword: 'evict',
  where: WHERE,
  syntax: seq(word('evict'), place('pages', 'PAGES')),
  summary: 'Takes pages out of host memory: unmapped, written to swap, freed.',
  about:
    'By number, or as much of the heap as is said, the oldest or the youngest of what is in memory at that moment: those that reclaim would take first, or last.',
  examples: ['evict cold', 'evict web.heap.pages(0..7)', 'evict web.heap.pages(cold: 30%)'],
  check: ({ pages }, _at, check) => check.thing(pages, 'page', 'pages'),
  lower({ pages }, at, lowering) {
    const part = lowering.partOfHeap(pages);
    const chosen = part ?? lowering.pages(pages);
    const host = lowering.hosts[lowering.vms[chosen.vm]?.host ?? 0];
    if (host && !host.swap)
      lowering.report.error('no-swap', {
        span: pages.span,
        message: `${host.name} has no swap that a page could go to`,
        help: "give it one, such as 'swap disk { size 1GiB; read fixed(90us) }'",
      });
    else if (part) lowering.act({ op: 'evict_part', ...part }, at);
    else if ('pages' in chosen) lowering.act({ op: 'evict', ...chosen }, at);
  },
});

export const touch = statement({
  id: 'touch',
  keyword: 'touch',
  where: WHERE,
  syntax: seq(word('touch'), place('page', 'PAGE')),
  summary: 'The VMM reads the page by itself, as it does for a device or a migration.',
  examples: ['touch cold'],
  check: ({ page }, _at, check) => check.thing(page, 'page'),
  lower: ({ page }, at, lowering) =>
    lowering.act({ op: 'touch', task: null, write: false, ...lowering.page(page) }, at),
});

export const taskAccess = statement({
  id: 'task_access',
  keyword: null,
  where: WHERE,
  syntax: seq(place('task', 'TASK'), oneOf('verb', ['reads', 'writes']), place('page', 'PAGE')),
  summary: 'The next operation of a task is to read or write this page.',
  examples: ['db reads cold', 'web.task.db writes web.heap.page(3)'],
  check({ task, page }, _at, check) {
    check.thing(task, 'task');
    check.thing(page, 'page');
  },
  lower: ({ task, verb, page }, at, lowering) =>
    lowering.act(
      { op: 'touch', task: lowering.entity(task).id, write: verb.text === 'writes', ...lowering.page(page) },
      at,
    ),
});

export const unmap = statement({
  id: 'guest_unmap',
  keyword: 'unmap',
  where: WHERE,
  syntax: seq(word('unmap'), place('pages', 'PAGES'), word('of'), place('task', 'TASK')),
  summary:
    'The guest kernel takes pages out of the page tables of a task, as for an madvise() or its own swapping. The next access is an ordinary #PF, and the guest maps the page again.',
  examples: ['unmap cold of db', 'unmap web.heap.pages(0..7) of web.task.db'],
  check({ pages, task }, _at, check) {
    check.thing(pages, 'page', 'pages');
    check.thing(task, 'task');
  },
  lower({ pages, task }, at, lowering) {
    const op = { op: 'guest_unmap', task: lowering.entity(task).id, ...lowering.pages(pages) } as const;
    if (!lowering.vms[op.vm]?.guest.tasks[op.task]?.nested) lowering.act(op, at);
    else
      lowering.report.error('type', {
        span: task.span,
        message: 'the tables of a nested guest are its own: its hypervisor takes nothing out of them',
        help: 'unmap of a task that is not nested',
      });
  },
});

export const memslot = statement({
  id: 'memslot',
  keyword: 'memslot',
  where: WHERE,
  syntax: seq(
    seq(word('memslot'), oneOf('change', ['delete', 'add', 'move']), expression('slot', 'NUMBER')),
    seq(word('of'), place('vm', 'VM')),
  ),
  summary:
    'The VMM takes a memslot away, gives it back, or moves it to another guest-physical place (and, again, back). 0 is the low memory of the guest’s kernel, where its shared area is; the others share the heap.',
  examples: ['memslot delete 1 of web', 'memslot add 1 of web'],
  check({ slot, vm }, _at, check) {
    check.quantity(slot, COUNT);
    check.thing(vm, 'vm');
  },
  lower({ change, slot, vm }, at, lowering) {
    const { id } = lowering.entity(vm);
    const number = lowering.number(slot);
    const slots = lowering.vms[id]?.memslots ?? 1;
    if (!(Number.isInteger(number) && number >= 0 && number <= slots))
      lowering.env.outOfRange(slot, `the VM has memslots 0 to ${slots}`);
    const wanted = (['delete', 'add', 'move'] as const).find(each => each === change.text) ?? 'delete';
    lowering.act({ op: 'memslot', vm: id, slot: number, change: wanted }, at);
  },
});

export const guestPaging = statement({
  id: 'switch_paging',
  keyword: 'paging',
  where: WHERE,
  syntax: seq(word('paging'), place('vcpu', 'VCPU'), oneOf('state', ['on', 'off'])),
  summary: 'The guest sets or clears CR0.PG of one of its CPUs.',
  examples: ['paging web.vcpu[0] off'],
  check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
  lower: ({ vcpu, state }, at, lowering) =>
    lowering.act({ op: 'guest_paging', enabled: state.text === 'on', ...lowering.vcpu(vcpu) }, at),
});

export const irqAct = statement({
  id: 'raise_irq',
  keyword: 'irq',
  where: WHERE,
  syntax: seq(
    word('irq'),
    place('irq', 'IRQ'),
    word('on'),
    place('vcpu', 'VCPU'),
    opt(seq(word('via'), oneOf('via', ['lapic', 'direct']))),
  ),
  summary:
    'Raises an interrupt: through the LAPIC, which the vCPU polls, or on the line of the PIC, straight to the CPU.',
  about:
    'With `irqchip split` the PIC is in the VMM, which hands the vector in by KVM_INTERRUPT; with `irqchip user` all are.',
  examples: ['irq disk on web.vcpu[0] via lapic'],
  check({ irq, vcpu }, _at, check) {
    check.thing(irq, 'irq');
    check.thing(vcpu, 'vcpu');
  },
  lower({ irq, vcpu, via }, at, lowering) {
    const line = via?.text === 'direct' ? 'pic' : 'lapic';
    lowering.act({ op: 'irq', irq: lowering.entity(irq).id, via: line, ...lowering.vcpu(vcpu) }, at);
  },
});

export const nmiAct = statement({
  id: 'raise_nmi',
  keyword: 'nmi',
  where: WHERE,
  syntax: seq(word('nmi'), name('name'), word('to'), place('vcpu', 'VCPU')),
  summary: 'Sends an NMI, under a name.',
  about:
    'It comes as a message to the LAPIC. NMIs are all alike: with the last of several, all that were sent are taken.',
  examples: ['nmi n1 to web.vcpu[0]'],
  declare: ({ name }, at, scope) => scope.thing(name, 'nmi', at),
  check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
  lower: ({ name, vcpu }, at, lowering) => lowering.act({ op: 'nmi', name: name.text, ...lowering.vcpu(vcpu) }, at),
});

/** Events that have no name of their own. */
function raise(keyword: 'smi' | 'pmi' | 'signal', summary: string) {
  return statement({
    id: `raise_${keyword}`,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), word('to'), place('vcpu', 'VCPU')),
    summary,
    examples: [`${keyword} to web.vcpu[0]`],
    check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
    lower: ({ vcpu }, at, lowering) => lowering.act({ op: keyword, ...lowering.vcpu(vcpu) }, at),
  });
}

export const raises = [
  raise('smi', 'Sends a system management interrupt, as KVM_SMI does.'),
  raise('pmi', 'A performance counter of the vCPU overflows, whose interrupt is an NMI: a guest’s NMI watchdog.'),
  raise('signal', 'Sends a signal to the thread of the vCPU: KVM_RUN ends with -EINTR, and the VMM goes back in.'),
];

/** What one CPU sends to another to reset it, and to have it begin. */
function startup(keyword: 'init' | 'sipi', summary: string) {
  return statement({
    id: keyword,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), place('vcpu', 'VCPU')),
    summary,
    examples: [`${keyword} web.vcpu[0]`],
    check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
    lower({ vcpu }, at, lowering) {
      const on = lowering.vcpu(vcpu);
      if (lowering.vms[on.vm]?.irqchip === 'user')
        lowering.env.outOfRange(
          vcpu,
          'a VMM with a LAPIC of its own starts CPUs by itself, not with an IPI to the kernel',
        );
      else lowering.act({ op: keyword, ...on }, at);
    },
  });
}

export const startups = [
  startup('init', 'Sends INIT: the CPU is reset, and waits for a start-up IPI; the boot CPU begins at once.'),
  startup('sipi', 'Sends a start-up IPI, to a CPU that has been initialised.'),
];

export const hold = statement({
  id: 'hold',
  keyword: 'hold',
  where: WHERE,
  syntax: seq(
    word('hold'),
    event('what', 'EVENT | ACTOR'),
    choice(
      seq(word('for'), sum('time', 'TIME')),
      seq(word('at'), place('step', 'STEP'), opt(seq(word('after'), event('after'))), word('until'), event('until')),
    ),
  ),
  summary: 'Delays something that takes time, or keeps a thread at one of its steps until something else has happened.',
  about:
    'The first form holds the next such event, e.g. a read of the swap device, for so long. The second names a step of the thread, such as before_entry.',
  examples: [
    'hold swap_read(cold) for 5ms',
    'hold web.vcpu[0] at before_entry after not_present(cold) until completed(cold)',
  ],
  check({ what, time, step, after, until }, _at, check) {
    if (time) {
      check.event(what);
      check.quantity(time, TIME);
    } else check.thing(what, 'vcpu', 'thread', 'handler');
    if (step) check.step(step, 'step');
    if (after) check.event(after);
    if (until) check.event(until);
  },
  lower({ what, time, step, after, until }, at, lowering) {
    if (time) lowering.act({ op: 'hold_event', event: lowering.event(what), ns: lowering.ns(time) }, at);
    else if (step && until) {
      lowering.act(
        {
          op: 'hold_actor',
          actor: lowering.entity(what),
          step: pathText(step),
          after: after ? lowering.event(after) : null,
          until: lowering.event(until),
        },
        at,
      );
    }
  },
});

export const release = statement({
  id: 'release',
  keyword: 'release',
  where: WHERE,
  syntax: seq(word('release'), place('actor', 'ACTOR')),
  summary: 'Lets a thread go that `hold` keeps.',
  examples: ['release web.vcpu[0]'],
  check: ({ actor }, _at, check) => check.thing(actor, 'vcpu', 'thread', 'handler'),
  lower: ({ actor }, at, lowering) => lowering.act({ op: 'release', actor: lowering.entity(actor) }, at),
});

/** What `fail` may name, as a scenario says it and as the model does. */
export const FAILURES = {
  alloc: 'alloc',
  gup: 'gup',
  work: 'work',
  swap: 'swap_read',
  token_write: 'token_write',
  guest_alloc: 'guest_alloc',
} as const;

export const fail = statement({
  id: 'fail',
  keyword: 'fail',
  where: ['file', 'case', 'act', 'faults'],
  syntax: seq(
    seq(word('fail'), oneOf('what', Object.keys(FAILURES)), opt(seq(word('of'), place('vm', 'VM'))), opt(word('next'))),
    expression('times', 'NUMBER | A..B'),
    opt(seq(word('when'), expression('condition', 'CONDITION'))),
  ),
  summary:
    'The next so many of something fail: work-item allocations, the GUP of workers, schedule_work(), swap reads, writes of the token, allocations of the guest for an early wake.',
  examples: ['fail alloc next 1', 'fail swap next 2'],
  check({ vm, times, condition }, _at, check) {
    if (vm) check.thing(vm, 'vm');
    check.countOrRange(times, COUNT);
    if (condition) check.truth(condition);
  },
  lower: ({ what, vm, times, condition }, at, lowering) => lowering.faults.fail(what.text, vm, times, condition, at),
});

export const pendingException = statement({
  id: 'pending_exception',
  keyword: 'pending_exception',
  where: WHERE,
  syntax: seq(
    word('pending_exception'),
    place('vcpu', 'VCPU'),
    name('state', 'none | pending | injected | page_fault'),
  ),
  summary: 'Puts a vCPU into the state where an exception waits to be delivered, or to be delivered again.',
  examples: ['pending_exception web.vcpu[0] injected'],
  check({ vcpu, state }, _at, check) {
    check.thing(vcpu, 'vcpu');
    check.wordOrParameter(state, words('none', 'pending', 'injected', 'page_fault'));
  },
  lower({ vcpu, state }, at, lowering) {
    const word = lowering.wordOf(state);
    // A #PF that waits to be injected again is what the mail means by reinjection.
    const given = word === 'page_fault' ? 'injected' : word;
    if (given === 'none' || given === 'pending' || given === 'injected')
      lowering.act({ op: 'pending_exception', state: given, ...lowering.vcpu(vcpu) }, at);
  },
});

export const interrupts = statement({
  id: 'interrupts',
  keyword: 'interrupts',
  where: WHERE,
  syntax: seq(word('interrupts'), place('vcpu', 'VCPU'), name('state', 'allowed | blocked')),
  summary: 'Sets or clears RFLAGS.IF of a vCPU.',
  examples: ['interrupts web.vcpu[0] blocked'],
  check({ vcpu, state }, _at, check) {
    check.thing(vcpu, 'vcpu');
    check.wordOrParameter(state, words('allowed', 'blocked'));
  },
  lower: ({ vcpu, state }, at, lowering) =>
    lowering.act({ op: 'interrupts', allowed: lowering.wordOf(state) === 'allowed', ...lowering.vcpu(vcpu) }, at),
});

export const lapic = statement({
  id: 'lapic',
  keyword: 'lapic',
  where: WHERE,
  syntax: seq(
    word('lapic'),
    place('vcpu', 'VCPU'),
    oneOf('state', ['enable', 'disable']),
    opt(seq(word('for'), sum('time', 'TIME'))),
  ),
  summary: 'The guest enables or disables a LAPIC by software, for so long or for good.',
  examples: ['lapic web.vcpu[0] disable for 5ms'],
  check({ vcpu, time }, _at, check) {
    check.thing(vcpu, 'vcpu');
    if (time) check.quantity(time, TIME);
  },
  lower: ({ vcpu, state, time }, at, lowering) =>
    lowering.act(
      {
        op: 'lapic',
        enabled: state.text === 'enable',
        for_ns: time ? lowering.ns(time) : null,
        ...lowering.vcpu(vcpu),
      },
      at,
    ),
});

export const getMpstate = statement({
  id: 'get_mpstate',
  keyword: 'get_mpstate',
  where: WHERE,
  syntax: seq(word('get_mpstate'), place('vcpu', 'VCPU'), opt(seq(word('as'), name('name')))),
  summary: 'KVM_GET_MP_STATE from user space; `as` keeps the answer under a name.',
  examples: ['get_mpstate web.vcpu[0] as seen'],
  declare({ name }, at, scope) {
    if (name) scope.thing(name, 'saved_vcpu', at);
  },
  check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
  lower: ({ vcpu, name }, at, lowering) =>
    lowering.act({ op: 'get_mpstate', name: name?.text ?? '', ...lowering.vcpu(vcpu) }, at),
});

export const markAct = statement({
  id: 'mark',
  keyword: 'mark',
  where: WHERE,
  syntax: seq(word('mark'), text('text')),
  summary: 'A line in the trace, for the reader.',
  examples: ['mark "the page is gone"'],
  lower: ({ text }, at, lowering) => lowering.act({ op: 'mark', name: text.text }, at),
});

export const kill = statement({
  id: 'kill',
  keyword: 'kill',
  where: WHERE,
  syntax: seq(word('kill'), place('what', 'HANDLER | VM')),
  summary:
    'Kills a process: the userfault handler of a VM, or its VMM, which loses its address space before its file descriptors are closed.',
  about: 'Of the death of a handler nobody is told: the VMM still has the descriptor open.',
  examples: ['kill pager', 'kill web'],
  check: ({ what }, _at, check) => check.thing(what, 'handler', 'vm'),
  lower({ what }, at, lowering) {
    const { kind, vm, id } = lowering.entity(what);
    if (kind === 'vm') lowering.act({ op: 'end_vm', vm: id, how: 'kill' }, at);
    else lowering.act({ op: 'kill', vm }, at);
  },
});

function apf(keyword: 'disable_apf' | 'enable_apf', summary: string) {
  return statement({
    id: keyword,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), place('vcpu', 'VCPU')),
    summary,
    examples: [`${keyword} web.vcpu[0]`],
    check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
    lower: ({ vcpu }, at, lowering) =>
      lowering.act({ op: 'apf', enabled: keyword === 'enable_apf', ...lowering.vcpu(vcpu) }, at),
  });
}

export const apfActs = [
  apf('disable_apf', 'The guest writes 0 to MSR_KVM_ASYNC_PF_EN of one of its CPUs.'),
  apf('enable_apf', 'And enables it again, which asks for a broadcast.'),
];

function guestCpu(keyword: 'offline' | 'online', summary: string) {
  return statement({
    id: keyword,
    keyword,
    where: WHERE,
    syntax: seq(word(keyword), place('vcpu', 'VCPU')),
    summary,
    examples: [`${keyword} web.vcpu[1]`],
    check: ({ vcpu }, _at, check) => check.thing(vcpu, 'vcpu'),
    lower: ({ vcpu }, at, lowering) =>
      lowering.act({ op: 'guest_cpu', online: keyword === 'online', ...lowering.vcpu(vcpu) }, at),
  });
}

export const guestCpuActs = [
  guestCpu(
    'offline',
    'The guest takes one of its CPUs out of use: it switches the mechanism off there and moves its tasks.',
  ),
  guestCpu('online', 'The guest brings the CPU back, which registers again.'),
];
