/** What the program ends with, and how several results become one code. */
import type { Verdict } from '../sim/outcome.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  invalid: 2,
  inconclusive: 3,
  refused: 4,
  bug: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `apflab help exit-codes` and the README. */
export const EXIT_MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'all judgements hold, or fail where the file expects it',
  failed: 'a judgement failed, or one that was expected to fail did not',
  invalid: 'a scenario is invalid',
  inconclusive: 'a bound was reached before the verdict',
  refused: 'wrong usage, a file that cannot be read or written, or an environment that cannot do it',
  bug: 'a mistake of apflab itself: a law of the model broken, an assertion',
  interrupted: 'interrupted',
};

export const EXIT_OF: Readonly<Record<Verdict, ExitCode>> = {
  pass: EXIT.ok,
  xfail: EXIT.ok,
  fail: EXIT.failed,
  xpass: EXIT.failed,
  inconclusive: EXIT.inconclusive,
  invalid: EXIT.invalid,
};

/** What outweighs what when several files or runs end differently; refusals do not wait for company. */
const PRECEDENCE: readonly ExitCode[] = [EXIT.interrupted, EXIT.bug, EXIT.invalid, EXIT.failed, EXIT.inconclusive];

export function worst(codes: readonly ExitCode[]): ExitCode {
  return PRECEDENCE.find(code => codes.includes(code)) ?? EXIT.ok;
}
