/** A mistake of ours, said with everything that helps to find it. */
import { printable } from '../base/printable.ts';
import type { Channel } from './terminal.ts';

export function sayBug(error: unknown, { paint, write }: Channel): void {
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  write(`${paint.bad('bug in apflab')}: ${stack.split('\n').map(printable).join('\n')}\n`);
}
