/** What comes out of a run: the verdict, and why. Plain data; src/report turns it into text. */
import type { Place, Program } from './program.ts';

/**
 * pass: all judgements hold. fail: one does not. xfail: exactly those fail that the file expects to. xpass: one that
 * was expected to fail holds. inconclusive: a bound was reached first. invalid: it could not be run at all.
 */
export type Verdict = 'pass' | 'fail' | 'xfail' | 'xpass' | 'inconclusive' | 'invalid';

export interface JudgementResult {
  readonly name: string;
  readonly kind: string;
  readonly place: Place;
  readonly holds: 'yes' | 'no' | 'undecided';
  /** When it was decided; null while or where undecided. */
  readonly at_ns: number | null;
  readonly step: number | null;
  /** In the words of the scenario: what should have been, what was. Empty where it holds. */
  readonly expected: string;
  readonly actual: string;
  readonly message: string;
}

export interface Violation {
  readonly property: string;
  readonly line: number;
  readonly at_ns: number;
  readonly step: number;
  readonly expected: string;
  readonly actual: string;
  readonly message: string;
  /** The one command that repeats it. */
  readonly repeat: string;
}

export interface Outcome {
  readonly program: Program;
  readonly verdict: Verdict;
  /** Why the run ended: its time was over, nothing could ever happen again, the limit of steps, or it goes round for ever. */
  readonly end: 'time' | 'quiescent' | 'steps' | 'endless';
  readonly sim_ns: number;
  readonly steps: number;
  readonly events: number;
  /** 16 hex digits over every tracepoint with its time, thread and fields. */
  readonly trace_hash: string;
  readonly judgements: readonly JudgementResult[];
  /** Failures that nothing expected, and expected failures that did not come. */
  readonly violations: readonly Violation[];
  /** Failures that the file expects, with its reason. */
  readonly expected_failures: readonly {
    readonly name: string;
    readonly because: string;
    readonly result: JudgementResult;
  }[];
  readonly report: readonly { readonly title: string; readonly value: string }[];
}
