/**
 * From results to a verdict: what the file expects to fail must fail, and nothing else.
 */
import { durationText } from '../../base/duration.ts';
import type { JudgementResult, Outcome, Verdict, Violation } from '../outcome.ts';
import type { Expectation, Program } from '../program.ts';
import { hasClock } from './moment.ts';

type Conclusion = Pick<Outcome, 'verdict' | 'violations' | 'expected_failures'>;

/** What the judgements of a finished run amount to. */
export function conclude(
  program: Program,
  results: readonly JudgementResult[],
  sim_ns: number,
  steps: number,
): Conclusion {
  const repeat = repeatCommand(program);
  const ended = hasClock(program) ? `at the end, at ${durationText(sim_ns)}` : 'in every order';
  const named = new Map(results.map(result => [result.name, result]));
  const expectedToFail = new Map(
    program.expectations.flatMap(each =>
      each.verdict === 'fail' && named.has(each.of) ? [[each.of, each] as const] : [],
    ),
  );
  const failed = results.filter(result => result.holds === 'no');
  const surprises = failed.filter(result => !expectedToFail.has(result.name));
  const survivors = results.filter(result => result.holds === 'yes' && expectedToFail.has(result.name));
  const violations = [
    ...surprises.map(result => violationOf(result, repeat, sim_ns, steps)),
    ...survivors.map(result => survivorOf(result, expectedToFail.get(result.name), repeat, sim_ns, steps, ended)),
  ];
  const expected_failures = failed.flatMap(result => {
    const expectation = expectedToFail.get(result.name);
    return expectation ? [{ name: result.name, because: expectation.because, result }] : [];
  });
  return {
    verdict: verdictOf(surprises.length, survivors.length, results, expected_failures.length),
    violations,
    expected_failures,
  };
}

function verdictOf(
  surprises: number,
  survivors: number,
  results: readonly JudgementResult[],
  expected: number,
): Verdict {
  if (surprises > 0) return 'fail';
  if (survivors > 0) return 'xpass';
  if (results.some(result => result.holds === 'undecided')) return 'inconclusive';
  return expected > 0 ? 'xfail' : 'pass';
}

function violationOf(result: JudgementResult, repeat: string, sim_ns: number, steps: number): Violation {
  const { name, place, at_ns, step, expected, actual, message } = result;
  return {
    property: name,
    line: place.line,
    at_ns: at_ns ?? sim_ns,
    step: step ?? steps,
    expected,
    actual,
    message,
    repeat,
  };
}

function survivorOf(
  result: JudgementResult,
  expectation: Expectation | undefined,
  repeat: string,
  sim_ns: number,
  steps: number,
  ended: string,
): Violation {
  const { name, kind } = result;
  const because = expectation?.because ?? '';
  return {
    property: name,
    line: expectation?.place.line ?? result.place.line,
    at_ns: sim_ns,
    step: steps,
    expected: `${kind} '${name}' fails, because ${because}`,
    actual: 'it holds',
    message: `not violated: ${kind} '${name}' holds ${ended}, but is expected to fail because ${because}`,
    repeat,
  };
}

/** The one command that runs, or explores, this case, cell and variant again. */
export function repeatCommand({ untimed, file, case_name, variant, seed, chosen }: Program): string {
  const words = [
    'apflab',
    untimed ? 'explore' : 'run',
    file,
    '--grep',
    case_name,
    '--variants',
    variant,
    '--seed',
    String(seed),
  ];
  for (const [name, value] of Object.entries(chosen.set)) words.push('--set', `${name}=${value}`);
  if (chosen.of_several) words.push('--bail');
  return words.map(quoted).join(' ');
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
