/**
 * Writes the documents that are made from declarations, so that they cannot say anything else than the program does.
 *
 * A generator is a file in scripts/docs that exports `documents`; nothing else needs to know of it. One that exports none
 * writes a part of another's document.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { scriptArgs } from './args.ts';
import { files, ROOT, read } from './imports.ts';

const USAGE = `npm run docs -- [--check]

Writes the generated documents.
  --check         write nothing; fail and name those that are out of date`;

/** One generated file. `render` gets no input: everything comes from the declarations it imports. */
export interface Document {
  /** From the root of the repository: `docs/tracepoints.md`. */
  readonly file: string;
  readonly render: () => string;
}

export async function allDocuments(): Promise<readonly Document[]> {
  const found: Document[] = [];
  for (const generator of files('scripts/docs/*.ts')) {
    const module: { readonly documents?: readonly Document[] } = await import(
      pathToFileURL(join(ROOT, generator)).href
    );
    found.push(...(module.documents ?? []));
  }
  return found;
}

/** The documents whose file does not say what its generator does. */
export async function staleDocuments(): Promise<readonly Document[]> {
  const all = await allDocuments();
  return all.filter(({ file, render }) => !existsSync(join(ROOT, file)) || read(file) !== render());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = scriptArgs(USAGE, { check: { type: 'boolean', default: false } });
  for (const { file, render } of await staleDocuments()) {
    if (values.check) {
      process.exitCode = 1;
      console.error(`${file} is out of date: npm run docs`);
    } else {
      mkdirSync(dirname(join(ROOT, file)), { recursive: true });
      writeFileSync(join(ROOT, file), render());
      console.log(`wrote ${file}`);
    }
  }
}
