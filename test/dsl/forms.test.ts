/** Each form of judgement and of looking back, by a run that keeps it and one that does not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import type { Diagnostic } from '../../src/dsl/diagnostic.ts';
import { createSimulation } from '../../src/sim/simulation.ts';

const HEAD = `language 1
host h0 { cpus 2; ram 512MiB; workers 2; swap nvme { size 1GiB; read fixed(90us) } }
vm web on h0 {
  ram 16MiB; vcpus 2
  guest {
    task db on vcpu[0] user { read page(17); loop { read page(1); work 20us } }
    task crew[3] on any user { loop { work 10us } }
    timer tick every 1ms on vcpu[0] { reschedule }
    irq disk on vcpu[0] { work 2us }
  }
}
let cold = web.heap.page(17)
limit time 3ms
evict cold
`;

const told = (diagnostics: readonly Diagnostic[]): string =>
  diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ code, message }) => `${code}: ${message}`)
    .join('\n');

/** The verdict, with what was found instead; or what is wrong with the text. Times and tokens are not what this is about. */
function judged(lines: string, head: string): string {
  const { diagnostics, suite: found } = compile({ path: 'case.apf', text: `${head}${lines}\n` }, () => null);
  const [only] = found?.cases ?? [];
  const [cell] = only?.cells ?? [];
  if (!only || !cell) return told(diagnostics);
  const lowered = only.lower(cell, 'linux_6_12');
  if (!lowered.program) return told(lowered.diagnostics);
  const simulation = createSimulation(lowered.program, { paranoid: true, record: null });
  simulation.runUntil(lowered.program.limit_ns);
  const { verdict, violations } = simulation.outcome();
  return [verdict, ...violations.map(({ actual }) => actual)]
    .join(': ')
    .replaceAll(/\b\d+(\.\d+)?[num]s\b/g, 'T')
    .replaceAll(/0x[0-9a-f]+/g, '0x…')
    .replace(/(entry.* is )\d+$/, '$1N');
}

/** What it comes to, line by line. */
function forms(name: string, rows: readonly (readonly [string, string])[], head = HEAD): void {
  test(name, () => {
    for (const [text, expected] of rows) assert.is(`${text} => ${judged(text, head)}`, `${text} => ${expected}`);
  });
}

forms('until an event, and no further', [
  ['never completed(cold) until ready(cold)', 'fail: completed(page(17)) happened at T'],
  ['never runs(web.vcpu[0], tick) until ready(cold)', 'pass'],
  ['always cold is swapped until swap_submit(cold)', 'fail: page(17) is not swapped'],
  ['expect count(entry(web.vcpu[0])) == 0 until ready(cold)', 'fail: count(entry(web.vcpu[0])) is N'],
  ['eventually ready(cold) until completed(cold)', 'fail: ready(page(17)) has not happened'],
  ['eventually completed(cold) until ready(cold)', 'pass'],
]);

forms('what leads to what', [
  ['always not_present(cold) leads_to ready(cold)', 'pass'],
  [
    'expect not_present(cold) leads_to ready(cold) within 10us',
    'fail: after not_present(page(17)) at T: ready(page(17)) has not happened',
  ],
  ['always web.task.db is parked leads_to resumes(db) within 1ms', 'pass'],
  ['always completed(cold) leads_to irq(disk)', 'fail: after completed(page(17)) at T: irq(disk) has not happened'],
  ['never a leads_to b', "type: 'leads_to' is no condition: it speaks of the whole run"],
  [
    'expect (completed(cold) leads_to ready(cold)) or true',
    "type: 'leads_to' is no condition: it speaks of the whole run",
  ],
]);

forms('since, was and prev look back', [
  ['expect web.task.db is not parked since wakes(db)', 'pass'],
  ['expect web.task.db is parked since wakes(db)', 'fail: db is parked has not held all the time since T'],
  ['expect cold is mapped since ready(cold)', 'pass'],
  ['expect cold is mapped since web.task.db is parked', 'fail: page(17) is mapped has not held all the time since T'],
  ['expect cold was in_flight', 'pass'],
  ['expect cold was not in_flight', 'fail: page(17) was in_flight'],
  ['expect web.vcpu[1] was halted(synthetic)', 'fail: web.vcpu[1] is not halted(synthetic), and was never otherwise'],
  ['expect each v in web.vcpus: v was runnable', 'pass'],
  [
    'never prev(web.vcpu[0].queued) > web.vcpu[0].queued',
    'fail: prev(web.vcpu[0].queued) is 1, web.vcpu[0].queued is 0',
  ],
  ['always prev(web.vcpu[0].queued) <= web.vcpu[0].queued + 1', 'pass'],
  ['never prev(web.task.db is parked) and web.task.db is runnable', 'fail: prev(db is parked) is true, db is runnable'],
  ['never some w in web.vcpu[0].queue: w was done', "type: 'w' comes and goes, so what it was before is not kept"],
]);

forms('a time inside of a condition', [
  ['expect (cold is mapped for 1ms) and true', 'pass'],
  [
    'expect some v in web.vcpus: (v is runnable for 20ms)',
    'fail: web.vcpu[0] is runnable for T, web.vcpu[1] is runnable for T',
  ],
  ['expect count(v in web.vcpus: (v is runnable for 10us)) == 2', 'pass'],
]);

forms('causes travel with wake-ups', [
  ['expect ready(cold) because_of completed(cold)', 'pass'],
  ['expect ready(cold) because_of irq(disk)', 'fail: ready(page(17)) has happened, and owes nothing to irq(disk)'],
  ['expect resumes(db) because_of swap_read(cold)', 'pass'],
  ['expect completed(cold) because_of swap_read(cold)', 'pass'],
  [
    'expect entry(web.vcpu[0]) woken_by thread(web.vcpu[1])',
    'fail: entry(web.vcpu[0]) has happened, in a thread that thread(web.vcpu[1]) had not woken',
  ],
]);

forms('a worker is known by the page that it fetches', [
  ['expect swap_wait(cold) by worker(cold) and completed(cold) by worker(cold)', 'pass'],
  [
    'expect completed(cold) by worker(web.heap.page(1))',
    'fail: completed(page(17)) by worker(page(1)) has not happened',
  ],
  ['never swap_submit(cold) by worker(cold)', 'pass'],
  [
    'expect ready(cold) woken_by worker(cold)',
    'fail: ready(page(17)) has happened, in a thread that worker(page(17)) had not woken',
  ],
  ['expect worker(cold) in writers(web.vcpu[0].mp_state)', 'type: only the moment tells which worker this is'],
]);

forms('what is said of a record is said of things that are there from the start', [
  ['always each v in web.vcpus: each t in trace(kvm_entry): t.vcpu == v implies t.vcpu_id == v.number', 'pass'],
  [
    'always each v in web.vcpus: each t in trace(kvm_entry): t.vcpu == v implies t.vcpu_id == v.number + 1',
    'fail: t.vcpu is web.vcpu[0], t.vcpu_id is 0x…, web.vcpu[0].number + 1 is 1',
  ],
  [
    'never some t in trace(kvm_exit): count(x in trace(kvm_exit): x.vcpu == t.vcpu) > 1',
    "type: what is said of a record cannot speak of 't', which stands for one after the other",
  ],
]);

/** Nothing else to do: its vCPUs sleep meanwhile. */
const IDLE = HEAD.replace(/ +task crew.*\n/, '');

forms(
  'a worker wakes who sleeps for its page',
  [
    ['expect ready(cold) woken_by worker(cold)', 'pass'],
    [
      'expect ready(cold) woken_by worker(web.heap.page(1))',
      'fail: ready(page(17)) has happened, in a thread that worker(page(1)) had not woken',
    ],
  ],
  IDLE,
);

forms('a judgement begins when its trigger fires', [
  ['after ready(cold) expect web.vcpu[0].queued == 0', 'fail: web.vcpu[0].queued is 1'],
  ['after ready(cold) expect cold is swapped', 'fail: page(17) is not swapped'],
  ['after completed(cold) { expect cold is mapped }', 'fail: page(17) is not mapped'],
  ['after swap_submit(cold) + 30us { expect cold is in_flight }', 'pass'],
  ['after ready(cold) { never swap_wait(cold); eventually accesses(db, cold) within 100us }', 'pass'],
  ['after ready(cold) { eventually irq(disk) within 100us }', 'fail: irq(disk) has not happened'],
  ['after irq(disk) { expect false }', 'pass'],
  ['when web.task.db is parked { expect ready(cold) }', 'fail: ready(page(17)) has not happened'],
  ['when web.task.db is parked { eventually ready(cold) within 1ms; never done(db) }', 'pass'],
  ['every 100us for 2ms { expect web.vcpu[0].queued <= 1 }', 'pass'],
  ['every 100us { expect web.vcpu[0].queued == 0 }', 'fail: web.vcpu[0].queued is 1'],
  ['every 10us { expect web.vcpu[0].queued == 0 }', 'fail: web.vcpu[0].queued is 1'],
  ['every 1ms { never ready(cold) }', 'misplaced-statement: only a plain expect is judged again and again'],
  ['at 1ms { never ready(cold) }', 'pass'],
  ['at 50us { never ready(cold) }', 'fail: ready(page(17)) happened at T'],
  ['at 50us expect not ready(cold)', 'pass'],
]);

forms('several things that come and go', [
  ['expect count(x in [1, 2, 3]: x > 1) == 2', 'pass'],
  ['expect web.vcpu[0].done[0] is queued', 'fail: none is not queued'],
  ['expect max(web.vcpu[0].apf.token) > 5', 'fail: max(web.vcpu[0].apf.token) is nothing'],
  ['never 0x1 in web.vcpu[0].apf.token', 'pass'],
  ['expect each w in web.vcpu[0].queue: ready(w.page)', 'pass'],
  ['never some w in web.vcpu[0].queue: took_apf(w.page)', 'fail: w = the work item of gfn 0x…: took_apf(w.page) is 1'],
  ['never some w in web.vcpu[0].queue: count(took_apf(w.page)) > 1', 'pass'],
  ['expect web.vcpus == [web.vcpu[0], web.vcpu[1]]', 'pass'],
  ['expect web.vcpus == [web.vcpu[1], web.vcpu[0]]', 'fail: web.vcpus is 2 of them'],
  ['expect web.vcpu*.queued == [0, 0]', 'pass'],
  ['fail alloc next 1 when web.vcpu[0] is runnable\nexpect swap_wait(cold)', 'pass'],
  ['fail alloc next 1 when web.task.db is parked\nnever swap_wait(cold)', 'fail: swap_wait(page(17)) happened at T'],
  ['report [why(cold)]', 'type: expected a vCPU, found a page'],
]);

test.run();
