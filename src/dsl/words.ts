/** The words that stand in one place of statements, without what they stand for. */
import { tokensIn } from './read_expression.ts';
import type { Node } from './statement.ts';
import { childrenOf, isNode, textOf } from './syntax.ts';

/** The words or texts in one place of all statements of a kind. */
export function wordsOf(nodes: readonly Node[], id: string, label: string): readonly string[] {
  return nodes
    .filter(each => each.statement.id === id)
    .flatMap(each => childrenOf(each.cst, label))
    .map(each =>
      isNode(each)
        ? tokensIn(each)
            .map(token => token.image)
            .join('')
        : each.image.startsWith('"')
          ? textOf(each).text
          : each.image,
    );
}
