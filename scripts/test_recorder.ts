/**
 * uvu, with one line written for each test that starts and ends: uvu itself reports only sums.
 *
 * Test files import 'uvu' as always; under the runner the preload hands them this file instead. Lines are appended
 * one by one, so after a crash or a hang the runner still knows which test was running.
 */
import { appendFileSync } from 'node:fs';
import * as uvu from 'uvu';

/** A line of the record: without `ms` a test starts, with it the same test ends. */
export interface RecordLine {
  readonly test: string;
  readonly ms?: number;
  /** The first line of what was wrong; absent in a test that passed. */
  readonly error?: string;
}

export const { exec } = uvu;
export const test = recorded(uvu.test, '');

export function suite<T>(name: string, context?: T): uvu.Test<T> {
  return recorded(uvu.suite<T>(name, context), `${name}: `);
}

function recorded<T>(inner: uvu.Test<T>, prefix: string): uvu.Test<T> {
  return new Proxy(inner, {
    apply(target, _self, [name, body]: [string, uvu.Callback<T>]) {
      return target(name, context => run(prefix + name, () => body(context)));
    },
  });
}

async function run(test: string, body: () => unknown): Promise<void> {
  const started = performance.now();
  const end = (error?: string): void => {
    write({ test, ms: Math.round(performance.now() - started), ...(error === undefined ? {} : { error }) });
  };
  write({ test });
  try {
    await body();
  } catch (thrown) {
    end(String(thrown instanceof Error ? thrown.message : thrown).split('\n')[0] ?? '');
    throw thrown;
  }
  end();
}

function write(line: RecordLine): void {
  const path = process.env.APFLAB_TEST_RECORD;
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(line)}\n`);
}
