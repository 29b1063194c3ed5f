import type { Place } from '../../../src/sim/program.ts';

export function createPlace(text: string): Place {
  return { file: 'judge.apf', line: 1, column: 1, text };
}
