/** The one component with hooks: keys in, blocks out. */
import { useApp, useInput } from 'ink';
import { type ReactElement, type ReactNode, useEffect } from 'react';
import { keysOf } from './keys.ts';
import type { Size } from './layout.ts';
import { Screen } from './lines.tsx';
import type { Block } from './screen.ts';

interface Props {
  readonly blocks: readonly Block[];
  readonly size: Size;
  readonly onKeys: (keys: readonly string[]) => void;
  /** Told once how to lend the terminal to the shell for a while. */
  readonly onReady: (suspendTerminal: (work: () => void) => Promise<void>) => void;
}

function App({ blocks, size, onKeys, onReady }: Props): ReactNode {
  const { suspendTerminal } = useApp();
  useInput((input, key) => onKeys(keysOf(input, key)));
  useEffect(() => onReady(suspendTerminal), [onReady, suspendTerminal]);
  return <Screen blocks={blocks} columns={size.columns} rows={size.rows} />;
}

export function screen(props: Props): ReactElement {
  return <App {...props} />;
}
