/** Entries as a run of the command line would make them, for the tests of the reports. */
import type { Entry, RunName } from '../../src/report/result.ts';
import type { JudgementResult, Outcome, Verdict, Violation } from '../../src/sim/outcome.ts';
import type { Program } from '../../src/sim/program.ts';

const FILE = 'scenarios/gate.apf';

export const PROGRAM: Program = {
  title: 'The gate',
  file: FILE,
  place: { file: FILE, line: 12, column: 1, text: 'case "the gate" {' },
  case_name: 'the gate',
  tags: [],
  params: { ram: '128MiB' },
  chosen: { set: {}, of_several: false },
  variant: 'v6',
  seed: 7,
  limit_ns: 20_000_000,
  limit_steps: 1000,
  hosts: [],
  vms: [],
  actions: [],
  judgements: [],
  expectations: [],
  baseline: null,
  links: [],
  migrations: [],
  report: [],
};

const RESULT: JudgementResult = {
  name: 'no_halt',
  kind: 'expect',
  place: { file: FILE, line: 17, column: 3, text: 'expect no_halt: max_time(web.vcpu[0] is halted(synthetic)) == 0us' },
  holds: 'no',
  at_ns: 1_204_000,
  step: 812,
  expected: 'max_time(web.vcpu[0] is halted(synthetic)) == 0us',
  actual: '4.1us',
  message: 'no_halt: expected 0us, found 4.1us',
};

const VIOLATION: Violation = {
  property: 'no_halt',
  line: 17,
  at_ns: 1_204_000,
  step: 812,
  expected: RESULT.expected,
  actual: RESULT.actual,
  message: RESULT.message,
  repeat: "apflab run scenarios/gate.apf --grep 'the gate' --variants v6 --seed 7",
};

export function outcome(verdict: Verdict, more: Partial<Outcome> = {}): Outcome {
  const failed = verdict === 'fail';
  return {
    program: PROGRAM,
    verdict,
    end: 'time',
    sim_ns: 20_000_000,
    steps: 999,
    events: 1234,
    trace_hash: '0123456789abcdef',
    judgements: failed ? [RESULT] : [],
    violations: failed ? [VIOLATION] : [],
    expected_failures:
      verdict === 'xfail' ? [{ name: 'no_halt', because: 'the un-halt came later', result: RESULT }] : [],
    report: [],
    ...more,
  };
}

export function ran(verdict: Verdict, name: Partial<RunName> = {}, more: Partial<Outcome> = {}): Entry {
  const run = { case_name: 'the gate', cell: {}, params: { ram: '128MiB' }, variant: 'v6', seed: 7, ...name };
  return { file: FILE, line: 12, column: 1, run, end: { kind: 'ran', shown: null, outcome: outcome(verdict, more) } };
}

export const INVALID: Entry = {
  file: 'scenarios/broken.apf',
  line: 7,
  column: 12,
  run: null,
  end: {
    kind: 'invalid',
    problems: [
      {
        file: 'scenarios/broken.apf',
        line: 7,
        column: 12,
        severity: 'error',
        code: 'unknown-name',
        message: "no host named 'host-c'",
        help: 'hosts here: host-a, host-b',
      },
    ],
  },
};

export const BROKEN_LAW: Entry = {
  ...ran('pass'),
  end: {
    kind: 'bug',
    message: 'does not hold: every page is in one place',
    repeat: 'apflab run scenarios/gate.apf --paranoid',
  },
};

/** A name that would do harm wherever it is not escaped. */
export const HOSTILE = '<b>&"|`x`, 100%: #\x1b[2J\u202e::error::';

export const ALL: readonly Entry[] = [
  ran('pass'),
  ran('fail', { variant: 'linux_6_12' }),
  ran('xfail', { case_name: 'a longer name', cell: { chip: 'user', alloc: 'ok' } }),
  ran(
    'inconclusive',
    { case_name: 'a longer name', cell: { chip: 'user', alloc: 'ok' }, variant: 'linux_6_12' },
    { end: 'steps' },
  ),
  INVALID,
  BROKEN_LAW,
];
