/** docs/glossary.md, from the terms that `apflab doc` knows. */
import { GLOSSARY, type Term } from '../../src/cli/glossary.ts';
import type { Document } from '../gen_docs.ts';

const INTRODUCTION = `# Glossary

Made from \`src/cli/glossary.ts\` by \`npm run docs\`. \`apflab doc TERM\` says the same, and knows every knob, statement,
event, attribute, tracepoint, error code and modelled function besides.
`;

export const documents: readonly Document[] = [{ file: 'docs/glossary.md', render }];

function render(): string {
  const sorted = GLOSSARY.toSorted((a, b) => (a.term.toLowerCase() < b.term.toLowerCase() ? -1 : 1));
  return [INTRODUCTION, ...sorted.map(section)].join('\n');
}

function section({ term, also = [], meaning, see = [] }: Term): string {
  const others = also.length > 0 ? ` (${also.map(code).join(', ')})` : '';
  return `**${term}**${others}: ${meaning}${see.length > 0 ? ` See ${see.map(code).join(', ')}.` : ''}\n`;
}

const code = (text: string): string => `\`${text}\``;
