/** docs/schema/explore.json, from the schema that the report of `apflab explore` is tested against. */
import { z } from 'zod';
import { EXPLORE_REPORT } from '../../src/report/schema/explore.ts';
import type { Document } from '../gen_docs.ts';

export const documents: readonly Document[] = [
  { file: 'docs/schema/explore.json', render: () => `${JSON.stringify(z.toJSONSchema(EXPLORE_REPORT), null, 2)}\n` },
];
