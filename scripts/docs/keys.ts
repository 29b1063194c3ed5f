/** docs/keys.md, from the key table and the commands. */
import { COMMANDS } from '../../src/tui/command.ts';
import { keymapMarkdown } from '../../src/tui/keymap.ts';
import type { Document } from '../gen_docs.ts';

export const documents: readonly Document[] = [{ file: 'docs/keys.md', render }];

function render(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { argument, help }]) => `| \`:${`${name} ${argument}`.trim().replaceAll('|', '\\|')}\` | ${help} |`,
  );
  return [
    keymapMarkdown().trimEnd(),
    '',
    '## Commands',
    '',
    '| command | does |',
    '| --- | --- |',
    ...commands,
    '',
  ].join('\n');
}
