/**
 * Every word of the language's plan, one line each: it parses and checks, and what does not belong to exploring or
 * sweeping becomes a program.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import { renderDiagnostic } from '../../src/dsl/diagnostic.ts';

const WORLD = `language 1
param dirty = 40k pages/s
param wire = 10 Gbit/s
host h0 { cpus 4; ram 512MiB; swap nvme { size 1GiB; read fixed(90us) } }
host dst { cpus 4; ram 512MiB; swap none }
link lan from h0 to dst { bandwidth wire; latency 80us; loss 0% }
vm web on h0 {
  ram 1MiB; vcpus 2; protocol linux_6_12
  guest {
    apf on
    task db on vcpu[0] user { loop { read heap uniform; work 20us } }
    task shell on vcpu[0] user { loop { work 50us } }
    timer tick every 1ms on vcpu[0] { reschedule }
    irq disk on vcpu[0] { work 2us }
    nmi watchdog every 1s on each vcpu
  }
}
migration move of web from h0 to dst over lan { mode precopy; max_downtime 300ms }
let cold = web.heap.page(17)
property fine(v): not v is halted(guest) or v is runnable or true
`;

const files: Readonly<Record<string, string>> = {
  'std/x.apf': 'language 1\nproperty true_of(v): true\n',
  'pages.txt': '# pages of the heap\n1\n2\n17\n',
  'nvme.txt': '90us\n1ms\n',
};

type Wrap = (line: string) => string;

const file: Wrap = line => `${WORLD}${line}\n`;
const inCase: Wrap = line => `${WORLD}case "x" {\n${line}\n}\n`;
const inHost: Wrap = line => file(`host hx { cpus 1; ${line} }`);
const inSwap: Wrap = line => inHost(`ram 64MiB; swap s { ${line} }`);
const inLink: Wrap = line => file(`link back from dst to h0 { ${line} }`);
const inVm: Wrap = line => file(`vm vx on h0 { ${line} }`);
const inGuest: Wrap = line => inVm(`ram 1MiB; guest { ${line} }`);
const inScript: Wrap = line => inGuest(`task one on vcpu[0] user { ${line} }`);
const inMigration: Wrap = line => file(`migration mx of web from h0 to dst over lan { ${line} }`);
const inMatrix: Wrap = line => inCase(`matrix { ${line} }`);
const inSweep: Wrap = line => file(`sweep "x" { ${line} }`);
const inExplore: Wrap = line => file(`explore { ${line} }`);
const judged: Wrap = line => inCase(`expect ${line}`);
const reported: Wrap = line => inCase(`report per variant [${line}]`);

const RUN: readonly (readonly [words: string, wrap: Wrap, lines: readonly string[]])[] = [
  [
    'file',
    file,
    [
      'title "x"',
      'tags a, b-c',
      'import "std/x.apf"',
      'param mem = 8GiB',
      'let warm = web.heap.page(18)',
      'property p(v, w): v is runnable and w is runnable',
      'suite smoke { files ["bugs"]; tags smoke }',
      'snapshot nightly of web { interval 1s; keep 3 }',
      'run on variants [v6, linux_6_12]',
      'seed 7',
      'limit time 50ms',
      'limit steps 2M',
      'limit states 1M',
      'paranoid',
      'tracepoints { enable [kvm_async_pf_*]; label off }',
      'variant naive extends linux_2_6_39 { gate add nmi_allowed; nmi_optin ignore }',
      'protocol other extends linux_2_6_39 { clear locked_naive }',
      'mutate { knobs [gate, wake] }',
    ],
  ],
  ['host', inHost, ['ram 64MiB', 'page 4KiB', 'workers 2', 'reclaim lru', 'limit 32MiB', 'swap none']],
  [
    'swap',
    inSwap,
    [
      'size 1GiB',
      'read lognormal(p50: 90us, p99: 2ms)',
      'write fixed(60us)',
      'depth 32',
      'readahead 8 pages',
      'errors 0',
      'read uniform(1us, 2us)',
      'read exp(1ms)',
      'read pareto(50us, 2)',
      'read empirical(1us, 2us)',
      'read empirical("nvme.txt")',
    ],
  ],
  ['link', inLink, ['bandwidth 1 Gbit/s', 'latency 1ms', 'loss 0.5%']],
  [
    'vm',
    inVm,
    [
      'ram 8MiB',
      'memslots 2',
      'paging shadow',
      'irqchip split',
      'lapic on',
      'vcpus 2',
      'pin [1]',
      'protocol v6',
      'userfault u { serves web.page(3); latency fixed(1ms); threads 2 }',
    ],
  ],
  [
    'guest',
    inGuest,
    [
      'apf on',
      'apf_in_nmi on',
      'send_always on',
      'slot ring',
      'task a on vcpu[0] user { done }',
      'task a on any kernel prio 3 { done }',
      'timer t every 1ms on vcpu[0] { reschedule }',
      'irq i on vcpu[0] { work 1us }',
      'nmi w every 1s on each vcpu',
      'nmi h { read page(1) }',
    ],
  ],
  [
    'script',
    inScript,
    [
      'read page(1)',
      'write heap uniform',
      'scan heap step 2 pages',
      'work 1us',
      'loop { work 1us }',
      'repeat 3 { work 1us }',
      'sleep 1ms',
      'hlt',
      'cli; sti',
      'preempt off; preempt on',
      'lock a; unlock a',
      'fork one',
      'exit',
      'done',
      'read heap zipf(0.9) rate 10k pages/s',
      'read heap sequential',
      'read heap stride(2)',
      'read heap.pages(0..3) sequential',
      'read heap from file "pages.txt"',
    ],
  ],
  [
    'migration',
    inMigration,
    [
      'mode precopy',
      'mode postcopy',
      'max_downtime 300ms',
      'auto_converge on(start: 20%, step: 10%, max: 99%)',
      'switch postcopy when round > 6',
      'give_up after 120s',
    ],
  ],
  [
    'act',
    inCase,
    [
      'at 1ms evict cold',
      'after ready(cold) + 1us evict cold',
      'when web.vcpu[0] is halted(synthetic) after 1ms evict cold',
      'every 1ms for 3ms evict cold',
      'during 1ms..2ms interrupts web.vcpu[0] blocked',
      'evict cold',
      'at 1ms evict web.heap.pages(1..3)',
      'at 1ms evict web.heap.pages(cold: 30%)',
      'pin cold',
      'touch cold',
      'balloon web to 512KiB',
      'irq disk on web.vcpu[0]',
      'irq disk on web.vcpu[0] via lapic',
      'irq disk on web.vcpu[0] via direct',
      'nmi n1 to web.vcpu[0]',
      'sipi web.vcpu[1]',
      'init web.vcpu[1]',
      'pending_exception web.vcpu[0] page_fault',
      'interrupts web.vcpu[0] blocked',
      'lapic web.vcpu[0] disable for 5ms',
      'hold swap_read(cold) for 5ms',
      'hold web.vcpu[0] at before_entry after not_present(cold) until completed(cold)',
      'hold h0.worker[0] at before_entry until completed(cold)',
      'at 2ms release web.vcpu[0]',
      'fail alloc next 1',
      'fail swap next 1',
      'fail work next 1',
      'fail alloc next 1 when true',
      'drop kick 1',
      'duplicate ready 1',
      'delay work 1 by 1ms',
      'set web.irqchip = user',
      'at 1ms { set_mpstate web.vcpu[0] RUNNABLE }',
      'at 1ms get_mpstate web.vcpu[0] as state',
      'at 1ms save web as snap',
      'at 1ms { save web as snap }\n at 2ms restore snap',
      'at 1ms query cpus(web)',
      'at 1ms migrate move',
      'at 1ms migrate move\n at 2ms cancel move',
      'clear_queue web.vcpu[0]',
      'disable_apf web.vcpu[0]',
      'enable_apf web.vcpu[0]',
      'at 1ms reset web',
      'at 1ms destroy web',
      'at 1ms hotplug web.vcpu[1]',
      'at 1ms pause web\n at 2ms resume web',
      'mark "here"',
      'record baseline',
    ],
  ],
  [
    'judge',
    inCase,
    [
      'expect web.vcpu[0] is runnable',
      'expect took_apf(cold) by 1ms',
      'expect web.vcpu[0] is runnable at 1ms',
      'expect count(switch_to(shell)) >= 0 during 1ms..5ms',
      'always ok: true',
      'never stuck: deadlock',
      'eventually resumes(db) within 2ms after ready(cold)',
      'sometimes took_apf(cold)',
      'expect order not_present(cold) -> ready(cold) -> resumes(db)',
      'expect not_present(cold) before ready(cold)',
      'always not_present(cold) leads_to ready(cold)',
      'expect true unless variant in [v6]',
      'expect true unless variant has lists = move',
      'expect ok: true\n expect fail of ok on variants [v6] because "x"',
      'expect ok: true\n expect pass of ok on variant linux_6_12 because "x"',
      'always leaked(apf_items) == 0',
      'always freed_once(apf_items)',
      'always ledger(web).lost == 0',
      'always writers(web.vcpu[0].mp_state) within [thread(web.vcpu[0])]',
      'always took_apf(cold) until ready(cold)',
      'after switchover(move) { lapic web.vcpu[0] disable for 5ms }',
      'eventually each k in web.tasks: progresses(k) within 2s after done(move)',
      'always fine(web.vcpu[0])',
    ],
  ],
  [
    'vary',
    inMatrix,
    [
      'chip in [kernel, user]',
      'n in 1..3',
      'mode in [tdp, shadow, nested(l1: tdp, l2: tdp)]',
      'd in [5k, 10k] pages/s',
    ],
  ],
  ['vary', inCase, ['repeat 3 seeds', 'mutate { knobs [gate] }']],
  [
    'expression',
    judged,
    [
      '64MiB / 1s > 1MiB/s',
      '10 Gbit/s > 1 Mbit/s',
      '3 pages > 2 pages',
      '150% > 1%',
      '1k/s > 3/s',
      '2 in 1..3',
      'web.vcpu[0].mp_state in [RUNNABLE, HALTED]',
      'web.vcpu*.mp_state within [RUNNABLE, HALTED]',
      'each v in web.vcpus: v is runnable or v is halted',
      'some v in web.vcpus: v is runnable',
      'no v in web.vcpus: v is marked_halted',
      'count(v in web.vcpus: v is runnable) >= 0',
      'sum(web.stall) >= 0us',
      'mean(web.stall) >= 0us',
      'min(web.stall) >= 0us',
      'max(web.stall) >= 0us',
      'p50(web.stall) >= 0us',
      'p95(web.stall) >= 0us',
      'p99(web.stall) >= 0us',
      'rate(entry(web.vcpu[0])) < 200M/s',
      'rate(entry(web.vcpu[0])) > 200k/s for 1ms',
      'max_time(web.vcpu[0] is halted(synthetic)) >= 0us',
      'web.vcpu[0] was halted(synthetic)',
      'web.vcpu[0] is runnable since ready(cold)',
      'web.vcpu[0] is runnable for 1ms',
      'prev(web.vcpu[0].mp_state) == RUNNABLE',
      'web.vcpu[0] is halted(synthetic)',
      'web.vcpu[0] is halted(guest)',
      'web.vcpu[0] is marked_halted',
      'web.vcpu[0] is runnable',
      'cold is in_flight',
      'web.vcpu[0] in nmi_handler',
      'web.vcpu[0] was executing(HLT)',
      'unhalt(web.vcpu[0]) because_of completed(cold)',
      'unhalt(web.vcpu[0]) woken_by worker(cold)',
      'swap_wait(cold) by thread(web.vcpu[0])',
      'swap_wait(cold) by worker(cold)',
      'took_apf(cold) iff not swap_wait(cold)',
      'took_apf(cold) implies ready(cold) and true or false',
      'variant has lists = move',
      'gva(1) == gva(1)',
      'kind(cold.gva) == gva',
      'kind(trace(kvm_async_pf_completed).address) == hva',
    ],
  ],
  ['report', reported, ['p99(web.stall)', 'halts(synthetic)', 'entry.checks_added', 'why(web.vcpu[0])']],
  ['report', inCase, ['show sequence', 'export perfetto to "run.json"']],
];

/** These are for `apflab explore` and `apflab sweep`. */
const LATER: typeof RUN = [
  ['swap', inSwap, ['read any(1us, 1ms)']],
  ['act', inCase, ['race { nmi n1 to web.vcpu[0]; nmi n2 to web.vcpu[0] }', 'any { evict cold | destroy web }']],
  [
    'vary',
    inSweep,
    [
      'dirty in [5k, 20k] pages/s',
      'repeat 20 seeds',
      'measure [p99(web.stall), move.downtime]',
      'compare with plan.migrate',
      'find min wire such that p95(move.downtime) < 300ms for each dirty',
      'find max wire such that p95(move.downtime) < 300ms',
    ],
  ],
  [
    'explore',
    inExplore,
    [
      'strategy bfs',
      'depth 60',
      'preemptions 3',
      'states 2M',
      'faults { drop kick 0..1; duplicate ready 0..1; delay work 0..1 }',
      'symmetry [vcpus, pages]',
      'fair [workers, scheduler]',
      'probe save at every state',
      'sometimes took_apf(cold)',
      'eventually each k in web.tasks: done(k)',
      'on violation { shrink; show sequence; write "found/%title-%n.apf" }',
    ],
  ],
];

function compiled(text: string) {
  const { diagnostics, suite } = compile({ path: 'x.apf', text }, path => {
    const found = files[path];
    return found === undefined ? null : { path, text: found };
  });
  const errors = diagnostics.filter(each => each.severity === 'error');
  assert.is(errors.map(each => renderDiagnostic(each)).join('\n'), '', text);
  if (!suite) throw new Error(text);
  return suite;
}

const lists = suite('lists');

for (const [words, wrap, lines] of RUN)
  for (const line of lines)
    lists(`${words}: ${line}`, () => {
      const [one] = compiled(wrap(line)).cases;
      const [cell] = one?.cells ?? [];
      if (!one || !cell) throw new Error('no case');
      const { program, diagnostics } = one.lower(cell, one.variants[0] ?? '');
      assert.ok(program, diagnostics.map(each => renderDiagnostic(each)).join('\n'));
    });

for (const [words, wrap, lines] of LATER)
  for (const line of lines) lists(`${words}: ${line}`, () => void compiled(wrap(line)));

lists.run();
