/** How much V8 inlines, for runs that are long enough to earn back what that costs to compile. */
import type { Machine } from '../sim/machine.ts';

/**
 * Bytecode that V8 inlines into one function: three times its own measure. Steps are made of many small functions, and each
 * that is called looks again what kind of object the machine is: 7 to 10 % a step.
 */
const INLINED_BYTES = 2760;

let raised = false;

/** Has more inlined from now on, if the machine is large. To be asked before it runs, as V8 does not compile twice. */
export function inlineMore({ large }: Machine): void {
  if (raised || !large) return;
  raised = true;
  // Not imported: most starts do without it.
  process.getBuiltinModule('node:v8').setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_BYTES}`);
}

/** Whether the launcher may keep what was compiled: V8 takes back only what was made under the flags of the start. */
export function keepsCode(): boolean {
  return !raised;
}
