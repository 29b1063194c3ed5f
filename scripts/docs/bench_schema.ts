/** docs/schema/bench.json, from the schema that the output of `npm run bench` is checked against. */
import { z } from 'zod';
import { BENCH } from '../bench/schema.ts';
import type { Document } from '../gen_docs.ts';

export const documents: readonly Document[] = [
  { file: 'docs/schema/bench.json', render: () => `${JSON.stringify(z.toJSONSchema(BENCH), null, 2)}\n` },
];
