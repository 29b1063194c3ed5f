/** docs/schema/summary.json, from the schema that the summary of `apflab show` is tested against. */
import { z } from 'zod';
import { SUMMARY } from '../../src/report/schema/summary.ts';
import type { Document } from '../gen_docs.ts';

export const documents: readonly Document[] = [
  { file: 'docs/schema/summary.json', render: () => `${JSON.stringify(z.toJSONSchema(SUMMARY), null, 2)}\n` },
];
