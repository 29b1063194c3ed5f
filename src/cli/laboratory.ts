/**
 * The verbs that need the language or the model. Loaded as one: a bundle in many small parts starts more slowly.
 *
 * The monitor stays apart, behind watch.
 */
import type { Args } from './args.ts';
import { check } from './commands/check.ts';
import { cover } from './commands/cover.ts';
import { diff } from './commands/diff.ts';
import { doc } from './commands/doc.ts';
import { explore } from './commands/explore.ts';
import { fmt } from './commands/fmt.ts';
import { litmus } from './commands/litmus.ts';
import { mutate } from './commands/mutate.ts';
import { protocols } from './commands/protocols.ts';
import { replay } from './commands/replay.ts';
import { run } from './commands/run.ts';
import { show } from './commands/show.ts';
import { shrink } from './commands/shrink.ts';
import { story } from './commands/story.ts';
import { watch } from './commands/watch.ts';
import { why } from './commands/why.ts';
import { errorHelp, statementHelp, topicHelp } from './language_help.ts';
import type { Terminal } from './terminal.ts';
import type { VerbName } from './verbs.ts';

/** The monitor also ends with the codes of signals. */
export type Command = (args: Args, terminal: Terminal) => number | Promise<number>;

export const LABORATORY = {
  check,
  cover,
  diff,
  doc,
  explore,
  fmt,
  litmus,
  mutate,
  protocols,
  replay,
  run,
  show,
  shrink,
  story,
  watch,
  why,
} satisfies {
  readonly [V in VerbName]?: Command;
};

export const LANGUAGE_HELP = { errorHelp, statementHelp, topicHelp };
