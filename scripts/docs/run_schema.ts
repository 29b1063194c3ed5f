/** docs/schema/run.json, from the schema that the report of `apflab run` is tested against. */
import { z } from 'zod';
import { RUN_REPORT } from '../../src/report/schema/run.ts';
import type { Document } from '../gen_docs.ts';

export const documents: readonly Document[] = [
  { file: 'docs/schema/run.json', render: () => `${JSON.stringify(z.toJSONSchema(RUN_REPORT), null, 2)}\n` },
];
