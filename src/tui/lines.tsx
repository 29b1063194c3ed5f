/**
 * Ready-made lines in Ink, the fast way: one Transform block whose text is only line breaks.
 *
 * Ink would measure and wrap each Text of each cell; this way it puts our strings where the line breaks are. Nothing
 * may clip it: the lines are cut to the width already.
 */
import { Box, Text, Transform } from 'ink';
import type { ReactNode } from 'react';
import type { Block } from './screen.ts';

export function Lines({ block }: { readonly block: Block }): ReactNode {
  const { x, y, width, height, lines, label } = block;
  return (
    <Box position="absolute" marginLeft={x} marginTop={y} width={width} height={height} flexShrink={0}>
      <Transform accessibilityLabel={label} transform={(_line, index) => lines[index] ?? ''}>
        <Text>{height > 1 ? '\n'.repeat(height - 1) : ' '}</Text>
      </Transform>
    </Box>
  );
}

export function Screen({
  blocks,
  columns,
  rows,
}: {
  readonly blocks: readonly Block[];
  readonly columns: number;
  readonly rows: number;
}): ReactNode {
  return (
    <Box width={columns} height={rows} flexShrink={0}>
      {blocks.map(block => (
        <Lines key={block.label} block={block} />
      ))}
    </Box>
  );
}
