import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { json, runReport } from '../../src/report/json.ts';
import { RUN_REPORT } from '../../src/report/schema/run.ts';
import { ALL, HOSTILE, INVALID, ran } from './entries.ts';

test('every kind of entry fits the published schema', () => {
  const parsed = RUN_REPORT.parse(JSON.parse(json(ALL)));
  assert.equal(parsed, runReport(ALL));
  assert.is(parsed.results.length, ALL.length);
});

test('a failing run has exactly the published fields', () => {
  assert.equal(JSON.parse(json([ran('fail')])), {
    version: 1,
    results: [
      {
        file: 'scenarios/gate.apf',
        line: 12,
        column: 1,
        case: 'the gate',
        params: { ram: '128MiB' },
        seed: 7,
        variant: 'v6',
        verdict: 'fail',
        violations: [
          {
            property: 'no_halt',
            line: 17,
            at_ns: 1204000,
            step: 812,
            expected: 'max_time(web.vcpu[0] is halted(synthetic)) == 0us',
            actual: '4.1us',
            message: 'no_halt: expected 0us, found 4.1us',
            repeat: "apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7",
          },
        ],
        trace_hash: '0123456789abcdef',
        events: 1234,
        sim_ns: 20000000,
      },
    ],
  });
});

test('a file of which nothing runs is a result too', () => {
  const [result] = runReport([INVALID]).results;
  assert.is(result?.verdict, 'invalid');
  assert.is(result?.line, 7);
  assert.is(result?.trace_hash, '');
});

test('names are kept as they are: escaping is JSON’s', () => {
  assert.is(runReport([ran('pass', { case_name: HOSTILE })]).results[0]?.case, HOSTILE);
  assert.not.match(json([ran('pass', { case_name: `${HOSTILE}\x9b\x7f` })]), /[\x1b\x7f\x9b\u202e]/);
});

test.run();
