/**
 * A list of questions as straight code.
 *
 * A loop over functions has one call in it, which goes somewhere else each time: V8 can inline none of them, and no
 * processor can predict it. Written out, each question has a call of its own.
 */

type Question<A extends readonly unknown[]> = (...args: A) => boolean;

/** A function for the index of the first row whose questions are all answered with yes, asked in their order; -1 for none. */
export function firstWhere<A extends readonly unknown[]>(
  rows: readonly (readonly Question<A>[])[],
): (...args: A) => number {
  const questions = rows.flat();
  const args = Array.from({ length: Math.max(0, ...questions.map(({ length }) => length)) }, (_, index) => `a${index}`);
  let number = 0;
  const lines = rows.map((row, index) => {
    const asked = row.map(() => `q${number++}(${args})`);
    return `if(${asked.join('&&') || 'true'})return ${index};`;
  });
  const names = questions.map((_, index) => `q${index}`);
  const source = `'use strict';const [${names}]=questions;return (${args})=>{${lines.join('\n')}return -1}`;
  return new Function('questions', source)(questions) as (...args: A) => number;
}
