/** Reading the command line, and saying what was wrong with it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../src/cli/args.ts';
import { Refusal } from '../../src/cli/refusal.ts';
import { BAIL, FORMAT, REPORT, SEED, SET, TRACE, VARIANTS, VERBS } from '../../src/cli/verbs.ts';

/** The complaint and what it suggests. */
function refused(argv: readonly string[]): string {
  try {
    parse(VERBS.run, argv);
  } catch (error) {
    if (error instanceof Refusal) return [error.message, error.help].filter(each => each !== null).join(' / ');
    throw error;
  }
  return 'accepted';
}

test('flags may stand anywhere, with = or without', () => {
  const args = parse(VERBS.run, ['a.apf', '--seed', '7', '--trace=-', 'b.apf', '--bail']);
  assert.equal(args.operands, ['a.apf', 'b.apf']);
  assert.is(args.get(SEED), 7);
  assert.is(args.get(TRACE), '-');
  assert.is(args.get(BAIL), true);
  assert.is(args.get(FORMAT), 'ftrace');
});

test('lists grow with commas and with every use', () => {
  const args = parse(VERBS.run, ['-', '--variants', 'v6,v7', '--variants=sync', '--report', 'json=a.json,tap']);
  assert.equal(args.operands, ['-']);
  assert.equal(args.get(VARIANTS), ['v6', 'v7', 'sync']);
  assert.equal(args.get(REPORT), ['json=a.json', 'tap']);
});

test('--set takes whatever follows the first =', () => {
  const args = parse(VERBS.run, ['x.apf', '--set', 'a=1=2', '--set', 'b = 3 MiB', '--set', 'a=4']);
  assert.equal(
    [...args.get(SET)],
    [
      ['a', '4'],
      ['b', '3 MiB'],
    ],
  );
});

test('after -- everything is an operand', () => {
  assert.equal(parse(VERBS.run, ['--', '--seed']).operands, ['--seed']);
});

test('an unknown flag gets a suggestion', () => {
  assert.is(refused(['x.apf', '--varaints', 'v6']), "run has no flag --varaints / did you mean '--variants'?");
  assert.is(refused(['x.apf', '-q']).startsWith('run has no flag -q / flags here: '), true);
});

test('values are checked where they are given', () => {
  assert.is(refused(['x.apf', '--trace']), '--trace needs a value: --trace FILE');
  assert.is(refused(['x.apf', '--trace', '--bail']), '--trace needs a value: --trace FILE');
  assert.is(refused(['x.apf', '--bail=yes']), '--bail takes no value');
  assert.is(refused(['x.apf', '--seed', '-1']), '--seed needs a value: --seed N');
  assert.is(refused(['x.apf', '--seed', '1e3']), '--seed 1e3: not a whole number from 0 to 9007199254740991');
  assert.is(
    refused(['x.apf', '--format', 'ftrac']),
    "--format ftrac: not one of ftrace, trace-cmd, perf, jsonl / did you mean 'ftrace'?",
  );
  assert.is(refused(['x.apf', '--set', 'ram']), '--set ram: expected NAME=VALUE / such as --set ram=128MiB');
});

test('operands are counted', () => {
  assert.is(refused([]), 'run needs FILE... / apflab help run');
  assert.throws(() => parse(VERBS.show, ['a', 'b']), /'b' is one too many/);
});

test('--help asks for nothing else', () => {
  assert.type(parse(VERBS.run, ['--help']), 'object');
});

test.run();
