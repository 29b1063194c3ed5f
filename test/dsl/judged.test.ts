/** Words of the language by what a run makes of them: a few lines in, one verdict or one refusal out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../src/dsl/compile.ts';
import type { Diagnostic } from '../../src/dsl/diagnostic.ts';
import { quantilesOf } from '../../src/sim/sample.ts';
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

/** The verdicts of all runs, or what is wrong. */
function judged(lines: string): string {
  const { diagnostics, suite: found } = compile({ path: 'case.apf', text: `${HEAD}${lines}\n` }, () => null);
  if (!found) return told(diagnostics);
  const verdicts = found.cases.flatMap(each =>
    each.cells.flatMap(cell =>
      each.variants.map(variant => {
        const lowered = each.lower(cell, variant);
        if (!lowered.program) return told(lowered.diagnostics);
        const simulation = createSimulation(lowered.program, { paranoid: true, record: null });
        simulation.runUntil(lowered.program.limit_ns);
        const { verdict, violations } = simulation.outcome();
        return [verdict, ...violations.map(({ actual }) => actual)].join(': ');
      }),
    ),
  );
  return verdicts.join(', ');
}

const words = suite('words of the language');

words('beside a value, the name of an event is the word', () => {
  assert.is(judged('never web.vcpu[0].exception == injected'), 'fail: web.vcpu[0].exception is injected');
  assert.is(judged('always injected != web.vcpu[0].exception'), 'fail: web.vcpu[0].exception is injected');
  assert.is(judged('never web.vcpu[1].exception in [injected, pending]'), 'pass');
  assert.is(judged('property p(v): v.exception in [injected, pending]\nnever p(web.vcpu[1])'), 'pass');
  assert.is(
    judged('property p(v, w): v.exception == w\nnever p(web.vcpu[0], injected)'),
    'fail: web.vcpu[0].exception is injected',
  );
  assert.is(judged('sometimes injected(web.vcpu[0])'), 'pass');
});

words('a judgement may be called as a verb is, and begin below its name', () => {
  assert.is(judged('expect reads: ready(cold)\ndb writes cold'), 'pass');
  assert.is(judged('always named: # why\n\n  each v in web.vcpus:\n  v.queued <= 64\nexpect ready(cold)'), 'pass');
  assert.is(judged('expect named:\nexpect ready(cold)'), 'syntax: expected a value, found the end of the statement');
  assert.is(judged('expect after: ready(cold)'), "syntax: expected a value, found 'after'");
});

words('the guest is set like the VM', () => {
  assert.is(judged('set web.apf = off\nnever web.vcpu[0].apf_enabled'), 'pass');
  assert.is(
    judged(
      'case "x" { matrix { told in [on, off] }\nset web.apf = told\nexpect web.vcpu[0].apf_enabled iff told == on }',
    ),
    'pass, pass',
  );
  assert.is(judged('set web.send_always = on\nexpect each v in web.vcpus: v.send_always'), 'pass');
  assert.is(judged('set web.apf_in_nmi = on'), 'pass');
  assert.is(judged('set web.apv = off'), "unknown-field: a VM has no setting 'apv'");
});

words('several things by a star, one by its number', () => {
  assert.is(judged('always each v in web.vcpu*: v.queued <= 1'), 'pass');
  assert.is(
    judged('always each s in web.vcpu*.exception: s != injected'),
    'fail: s = web.vcpu[0]: s.exception is injected',
  );
  assert.is(judged('expect max(web.vcpu*.queued) == 0 and count(q in web.vcpu*.queued: q == 0) == 2'), 'pass');
  assert.is(judged('expect count(web.task.crew*) == 3 and (each t in web.task.crew*: switch_to(t) or true)'), 'pass');
  assert.is(judged('expect web.vcpus[1].queued == 0'), 'pass');
  assert.is(judged('expect web.vcpu[7].queued == 0'), 'range: web has 2 vCPUs, numbered from 0');
  assert.is(judged('expect web.heap.page(9999) is resident'), 'range: the heap of web has 4096 pages, numbered from 0');
  assert.is(
    judged('always writers(web.vcpu*.mp_state) within [thread(web.vcpu[1])]'),
    'fail: thread(web.vcpu[0]) has written it',
  );
  assert.is(judged('always web.vcpu*.queued <= 64'), 'type: a list of plain number is compared with a plain number');
  assert.is(judged('expect p99(web.tasks.stall) > 90us'), 'pass');
});

words('records are counted, and their addresses are of a kind', () => {
  assert.is(judged('expect count(trace(kvm_async_pf_ready)) >= 1'), 'pass');
  assert.is(judged('never count(trace(kvm_async_pf_*)) > 2'), 'fail: count(trace(kvm_async_pf_*)) is 3');
  const mixed = 'address-kind: a gpa is compared with a gva';
  assert.is(judged('expect cold.gpa == cold.gva'), mixed);
  assert.is(judged('always each t in trace(kvm_async_pf_*): cold.gpa == t.gva'), mixed);
  assert.is(judged('expect cold.gpa == trace(kvm_async_pf_not_present).gva'), mixed);
});

words('a whole trace is compared with a recorded one', () => {
  assert.is(
    judged('expect trace(kvm_async_pf_*) == trace(kvm_exit)'),
    'type: a whole trace is compared with one that was recorded before',
  );
});

words('a Pareto distribution has its minimum, its median and a long tail', () => {
  const quantiles = quantilesOf({ kind: 'pareto', min_ns: 50_000, shape: 2 });
  assert.is(quantiles[0], 50_003);
  assert.ok(Math.abs((quantiles[2048] ?? 0) - 50_000 * Math.SQRT2) < 20);
  assert.ok((quantiles.at(-1) ?? 0) > 4_500_000);
  const host = 'host h1 { cpus 1; ram 512MiB; swap s { size 1GiB; read pareto(50us, 0.5) } }';
  assert.is(judged(host), 'range: the shape is 1 at least');
});

words('one event before another', () => {
  assert.is(judged('expect not_present(cold) before ready(cold)'), 'pass');
  assert.match(judged('expect ready(cold) before not_present(cold)'), 'fail: not_present(page(17)) came first, at ');
  assert.is(judged('never ready(cold) before not_present(cold)'), 'pass');
  assert.match(judged('sometimes completed(cold) before parks(db)'), 'fail: parks(db) came first, at ');
  assert.is(judged('expect irq(disk) before done(db)'), 'fail: neither irq(disk) nor done(db) has happened');
  assert.is(judged('expect web.vcpu[0] is runnable before ready(cold)'), 'type: expected an event, found a condition');
  assert.is(judged('expect each v in web.vcpus: entry(v) before ready(cold)'), 'pass');
});

words.run();
