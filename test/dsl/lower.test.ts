/** What statements become: the parts of a Program that a scenario asks for. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../src/dsl/diagnostic.ts';
import type { Options, Suite } from '../../src/dsl/suite.ts';
import type { Program } from '../../src/sim/program.ts';

const HEAD = `language 1
param size = 1GiB
host h0 { cpus 2; ram size / 2; workers 3; isa vmx; swap nvme { size size; read lognormal(p50: 90us, p99: 2ms); depth 16; errors 1% }; cost { context_switch 2us } }
vm web on h0 {
  ram 16MiB; vcpus 2; limit 8MiB; pin [0, 1]; hlt_exits off; protocol linux_6_12
  guest {
    send_always on; on_not_present halt
    task db on vcpu[0] user { repeat 3 { read page(1); repeat 2 { work 20us } }; loop { write heap zipf(0.9) rate 10k pages/s; scan heap step 64 pages } }
    task crew[3] on any kernel { cli; preempt off; sleep exp(1ms); preempt on; sti; hlt }
    timer tick every 1ms on vcpu[1] { reschedule; work 1us }
    irq disk on vcpu[0] { work 2us; write page(7) }
  }
}
let cold = web.heap.page(17)
`;

function suiteOf(text: string, head = HEAD): Suite {
  const { diagnostics, suite: found } = compile({ path: 'case.apf', text: head + text }, () => null);
  if (!found) throw new Error(diagnostics.map(each => renderDiagnostic(each)).join('\n'));
  return found;
}

function lower(
  text: string,
  { variant, cell = 0, ...options }: Options & { readonly variant?: string; readonly cell?: number } = {},
): Program {
  const [only] = suiteOf(text).cases;
  const chosen = only?.cells[cell];
  if (!only || !chosen) throw new Error('no such case');
  const { program, diagnostics } = only.lower(chosen, variant ?? only.variants[0] ?? '', options);
  if (!program) throw new Error(diagnostics.map(each => renderDiagnostic(each)).join('\n'));
  return program;
}

const lowering = suite('lowering');

lowering('a host and its swap device', () => {
  const [host] = lower('').hosts;
  assert.equal(
    { ...host, place: null },
    {
      name: 'h0',
      place: null,
      cpus: 2,
      ram_pages: 131072,
      workers: 3,
      isa: 'vmx',
      reclaim: 'lru',
      reclaim_window_ns: 10_000_000,
      oom: 'invalid',
      swap: {
        name: 'nvme',
        size_pages: 262144,
        read: { kind: 'lognormal', p50_ns: 90_000, p99_ns: 2_000_000 },
        write: { kind: 'fixed', ns: 60_000 },
        depth: 16,
        readahead_pages: 8,
        error_ppm: 10_000,
      },
      halt_poll_ns: 0,
      cost_ns: { context_switch: 2000 },
    },
  );
});

lowering('a VM, its guest and its scripts', () => {
  const [vm] = lower('').vms;
  assert.equal(
    [vm?.ram_pages, vm?.memory_limit_pages, vm?.vcpus, vm?.pin, vm?.hlt_exits, vm?.irqchip, vm?.protocol],
    [4096, 2048, 2, [0, 1], false, 'kernel', 'linux_6_12'],
  );
  const guest = vm?.guest;
  assert.equal([guest?.apf, guest?.send_always, guest?.on_not_present, guest?.heap_pages], [true, true, 'halt', 4096]);
  assert.equal(
    guest?.tasks.map(each => [each.name, each.vcpu, each.mode]),
    [
      ['db', 0, 'user'],
      ['crew[0]', 1, 'kernel'],
      ['crew[1]', 0, 'kernel'],
      ['crew[2]', 1, 'kernel'],
    ],
  );
  assert.equal(guest?.tasks[0]?.ops, [
    { op: 'read', page: { kind: 'page', page: 1 }, rate_per_s: 0 },
    { op: 'work', time: { kind: 'fixed', ns: 20_000 } },
    { op: 'repeat', slot: 1, times: 2, to: 1 },
    { op: 'repeat', slot: 0, times: 3, to: 0 },
    { op: 'write', page: { kind: 'zipf', theta_ppm: 900_000, first: 0, pages: 4096 }, rate_per_s: 10_000 },
    { op: 'read', page: { kind: 'sequential', step: 64, first: 0, pages: 4096 }, rate_per_s: 0 },
    { op: 'jump', to: 4 },
  ]);
  assert.equal(
    guest?.tasks[1]?.ops.map(each => each.op),
    ['cli', 'preempt_off', 'sleep', 'preempt_on', 'sti', 'hlt', 'done'],
  );
  assert.equal(guest?.timers, [
    { name: 'tick', vcpu: 1, period_ns: 1_000_000, body: [{ op: 'reschedule' }, { op: 'work', ns: 1000 }] },
  ]);
  assert.equal(guest?.irqs[0]?.body, [
    { op: 'work', ns: 2000 },
    { op: 'write', page: 7 },
  ]);
});

lowering('acts, their triggers, and what during undoes', () => {
  const { actions } = lower(`
evict web.heap.pages(3..5)
at 1ms web.task.db writes cold
after ready(cold) + 5us { mark "told"; irq disk on web.vcpu[0] via lapic }
when web.vcpu[0] is halted after 2ms get_mpstate web.vcpu[0] as seen
every 1ms for 5ms touch cold
during 1ms..2ms { interrupts web.vcpu[1] blocked }
hold web.vcpu[0] at vcpu_enter_guest.requests after not_present(cold) until completed(cold)
`);
  const page = { kind: 'page', vm: 0, id: 17, name: 'page(17)' };
  assert.equal(
    actions.map(({ trigger, ops }) => [trigger, ops]),
    [
      [{ kind: 'start' }, [{ op: 'evict', vm: 0, pages: [3, 4, 5] }]],
      [{ kind: 'at', ns: 1_000_000 }, [{ op: 'touch', task: 0, write: true, vm: 0, page: 17 }]],
      [
        { kind: 'after', event: { name: 'ready', args: [page], by: null }, plus_ns: 5000 },
        [
          { op: 'mark', name: 'told' },
          { op: 'irq', irq: 0, via: 'lapic', vm: 0, vcpu: 0 },
        ],
      ],
      [
        {
          kind: 'when',
          condition: {
            k: 'is',
            of: { k: 'entity', entity: { kind: 'vcpu', vm: 0, id: 0, name: 'web.vcpu[0]' } },
            state: 'halted',
            arg: null,
          },
          from_ns: 2_000_000,
        },
        [{ op: 'get_mpstate', name: 'seen', vm: 0, vcpu: 0 }],
      ],
      [
        { kind: 'every', period_ns: 1_000_000, from_ns: 1_000_000, until_ns: 5_000_000 },
        [{ op: 'touch', task: null, write: false, vm: 0, page: 17 }],
      ],
      [{ kind: 'at', ns: 1_000_000 }, [{ op: 'interrupts', allowed: false, vm: 0, vcpu: 1 }]],
      [{ kind: 'at', ns: 2_000_000 }, [{ op: 'interrupts', allowed: true, vm: 0, vcpu: 1 }]],
      [
        { kind: 'start' },
        [
          {
            op: 'hold_actor',
            actor: { kind: 'vcpu', vm: 0, id: 0, name: 'web.vcpu[0]' },
            step: 'vcpu_enter_guest.requests',
            after: { name: 'not_present', args: [page], by: null },
            until: { name: 'completed', args: [page], by: null },
          },
        ],
      ],
    ],
  );
});

lowering('judgements keep their place, their words and their clauses', () => {
  const { judgements } = lower(`
expect brief: max_time(web.vcpu[0] is halted(synthetic)) <= 5us
  unless variant in [v6]   # not there
expect count(exit(web.vcpu[0])) >= 3 during 1ms..5ms
eventually resumes(db) within 2ms after ready(cold)
never rate(entry(web.vcpu[0])) > 200k/s for 1ms
expect order fault(cold) -> ready(cold)
`);
  assert.equal(
    judgements.map(each => [each.name, each.place.line, each.place.column, each.place.text]),
    [
      ['brief', 16, 1, 'expect brief: max_time(web.vcpu[0] is halted(synthetic)) <= 5us unless variant in [v6]'],
      ['expect on line 18', 18, 1, 'expect count(exit(web.vcpu[0])) >= 3 during 1ms..5ms'],
      ['eventually on line 19', 19, 1, 'eventually resumes(db) within 2ms after ready(cold)'],
      ['never on line 20', 20, 1, 'never rate(entry(web.vcpu[0])) > 200k/s for 1ms'],
      ['order on line 21', 21, 1, 'expect order fault(cold) -> ready(cold)'],
    ],
  );
  assert.equal(judgements[1]?.during_ns, [1_000_000, 5_000_000]);
  assert.equal([judgements[2]?.within_ns, judgements[2]?.after?.name], [2_000_000, 'ready']);
  assert.is(judgements[3]?.for_ns, 1_000_000);
  assert.equal(judgements[3]?.body, {
    k: 'binary',
    op: '>',
    left: {
      k: 'rate_events',
      event: { name: 'entry', args: [{ kind: 'vcpu', vm: 0, id: 0, name: 'web.vcpu[0]' }], by: null },
      window_ns: null,
    },
    right: { k: 'number', value: 200_000, dim: 'frequency' },
  });
  assert.equal(
    judgements[4]?.order.map(each => each.name),
    ['fault', 'ready'],
  );
});

lowering('what the variant settles is folded away', () => {
  const text = `
expect brief: max_time(web.vcpu[0] is halted) <= 5us unless variant in [v6]
always on_lists: (each a in web.vcpu[0].apf: a in queue) unless variant has lists = move
always has_gate: variant has gate = irqchip
expect fail of on_lists on variant v6 because "of the test"
`;
  const on = (variant: string) => lower(text, { variant });
  assert.equal(
    on('v6').judgements.map(each => each.name),
    ['on_lists', 'has_gate'],
  );
  assert.equal(
    on('v6').expectations.map(each => [each.of, each.verdict, each.because]),
    [['on_lists', 'fail', 'of the test']],
  );
  assert.equal(
    on('v6_list_move').judgements.map(each => each.name),
    ['brief', 'has_gate'],
  );
  assert.equal(on('v6').judgements[1]?.body, { k: 'bool', value: true });
});

lowering('a failure expected of what is not judged is an error', () => {
  const [only] = suiteOf(
    'always x: web.vcpu[0] is runnable unless variant in [v6]\nexpect fail of x on variant v6 because "never"\n',
  ).cases;
  const lowered = only?.lower(only.cells[0] ?? { params: {}, values: new Map() }, 'v6');
  assert.equal(
    lowered?.diagnostics.map(each => each.message),
    ["'x' is not judged on v6: its 'unless' says so"],
  );
});

lowering('matrix cells, parameters and --set', () => {
  const text = `
case "a" {
  matrix { chip in [kernel, user]; size in [1, 2] GiB }
  set web.irqchip = chip
  set h0.nvme.depth = 4
  expect took_apf(cold) iff (chip == kernel and size > 1GiB)
}
`;
  const [only] = suiteOf(text).cases;
  assert.equal(
    only?.cells.map(each => each.params),
    [
      { chip: 'kernel', size: '1GiB' },
      { chip: 'kernel', size: '2GiB' },
      { chip: 'user', size: '1GiB' },
      { chip: 'user', size: '2GiB' },
    ],
  );
  const program = lower(text, { cell: 3 });
  assert.equal(
    [program.vms[0]?.irqchip, program.hosts[0]?.ram_pages, program.hosts[0]?.swap?.depth, program.params],
    ['user', 262144, 4, { size: '2GiB', chip: 'user' }],
  );
  const body = program.judgements[0]?.body;
  assert.equal(body?.k === 'binary' && body.right, { k: 'bool', value: false });

  const whole = suiteOf('');
  assert.equal(whole.params, { size: '1GiB' });
  const value = whole.value('size', '512MiB');
  if (typeof value === 'string') throw new Error(value);
  assert.is(lower('', { set: new Map([['size', value]]) }).hosts[0]?.ram_pages, 65536);
  assert.is(whole.value('size', '5ms'), 'expected a size, found a time');
  assert.is(whole.value('sise', '5ms'), "no parameter named 'sise'; did you mean 'size'?");
  assert.match(String(whole.value('size', '1GiB; evict cold')), /./);
  assert.type(whole.value('size', '1GiB\nevict cold'), 'string');
});

lowering('variants of the file turn knobs of what they extend', () => {
  const text = `
variant one extends linux_5_8 { wake done_list; gate remove irqchip; gate add nmi_allowed }
variant two extends one { gate [irqchip]; lists move }
variant loop_a extends loop_b
variant loop_b extends loop_a
`;
  const knobs = (variant: string) => lower(text, { variant }).vms[0]?.knobs;
  assert.equal(
    [knobs('one')?.wake, knobs('one')?.gate.includes('irqchip'), knobs('one')?.gate.includes('nmi_allowed')],
    ['done_list', false, true],
  );
  assert.equal([knobs('two')?.wake, knobs('two')?.gate, knobs('two')?.lists], ['done_list', ['irqchip'], 'move']);
  assert.throws(() => lower(text, { variant: 'loop_a' }), /no variant named 'loop_a'/);
});

lowering('which variants a case runs on: its own, the file’s, the VM’s', () => {
  assert.equal(suiteOf('').cases[0]?.variants, ['linux_6_12']);
  assert.equal(suiteOf('run on variants [v6, v7]\n').cases[0]?.variants, ['v6', 'v7']);
  const [first, second] = suiteOf('run on variant v6\ncase "a" { variants [v7] }\ncase "b" { mark "b" }\n').cases;
  assert.equal([first?.variants, second?.variants], [['v7'], ['v6']]);
  assert.ok((suiteOf('run on variants all\n').cases[0]?.variants.length ?? 0) >= 12);
});

lowering('seed, limits, tags and tracepoints', () => {
  const text =
    'title "t"\ntags a, b\nseed 7\nlimit time 3ms\nlimit steps 2k\nparanoid\ntracepoints { enable [kvm_async_pf_*, kvm_exit] }\n';
  const program = lower(text);
  assert.equal(
    [program.title, program.tags, program.seed, program.limit_ns, program.limit_steps],
    ['t', ['a', 'b'], 7, 3_000_000, 2000],
  );
  assert.is(lower(text, { seed: 9 }).seed, 9);
  assert.is(lower('at 5ms evict cold\n').limit_ns, 25_000_000);
  assert.equal([suiteOf(text).paranoid, suiteOf(text).tracepoints], [true, ['kvm_async_pf_*', 'kvm_exit']]);
});

lowering('events of each task are watched one by one; properties are their bodies', () => {
  const { judgements } = lower('property fine(t): t is finished\neventually each k in web.tasks: done(k) or fine(k)\n');
  const names: string[] = [];
  const walk = (of: Program['judgements'][number]['body']): void => {
    if (of.k === 'binary') [of.left, of.right].forEach(walk);
    else if (of.k === 'happened') names.push(`done ${of.event.args[0]?.name}`);
    else if (of.k === 'is' && of.of.k === 'entity') names.push(`${of.of.entity.name} is ${of.state}`);
  };
  for (const each of judgements) walk(each.body);
  assert.equal(
    names,
    ['db', 'crew[0]', 'crew[1]', 'crew[2]'].flatMap(name => [`done ${name}`, `${name} is finished`]),
  );
});

lowering('numbers outside of the machine are refused where they stand', () => {
  const [only] = suiteOf('evict web.page(5000)\nirq disk on web.vcpu[2]\n').cases;
  const lowered = only?.lower(only.cells[0] ?? { params: {}, values: new Map() }, 'v6');
  assert.equal(
    lowered?.diagnostics.map(each => [each.code, each.message]),
    [
      ['range', 'the heap of web has 4096 pages, numbered from 0'],
      ['range', 'web has 2 vCPUs, numbered from 0'],
    ],
  );
});

lowering('numbers that would stop time or fill the memory are refused too', () => {
  const messages = (text: string) => {
    const [only] = suiteOf(`set h0.workers = 0\n${text}`).cases;
    return only?.lower(only.cells[0] ?? { params: {}, values: new Map() }, 'v6').diagnostics.map(each => each.message);
  };
  assert.equal(
    messages(`
host h1 { swap s { readahead 7 pages; depth 0; read lognormal(p50: 2ms, p99: 1ms) } }
vm db2 on h1 { ram 1KiB; guest { task t on vcpu[3] user { loop { } } } }
every 0us for 1ms mark "never"
at 0us - 5ms mark "before"
`),
    [
      'workers is a whole number from 1 to 1024, not 0',
      'the read-ahead window is a power of two, not 7',
      'p50 must be above 0 and not above p99',
      'depth is a whole number from 1 to 65536, not 0',
      'a loop of nothing takes no time and never ends',
      'the VM has 1 vCPU, numbered from 0',
      'ram is at least one page of 4KiB, and 256GiB at most',
      'a period is longer than 0',
      'a time is not negative, and 104 days at most',
    ],
  );
});

lowering.run();
