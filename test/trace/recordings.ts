/** The recordings that tests read: those in test/data, and, where it lies beside the repository, the whole collection. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ROOT } from '../../scripts/imports.ts';

const SHIPPED = join(ROOT, 'test/data/recordings');
const COLLECTION = join(ROOT, '../shared/traces');

export interface RecordingFile {
  /** `mg-pv-1cpu/trace.txt` */
  readonly name: string;
  readonly path: string;
  readonly readme: string;
}

/** Says so when the collection is not there: then the shipped ones are all. */
export function recordingFiles(): readonly RecordingFile[] {
  if (!existsSync(COLLECTION)) console.log('skipped: the collection of recordings is not beside the repository');
  return [SHIPPED, COLLECTION].flatMap(folder =>
    globSync('*/{trace,report}.txt{,.gz}', { cwd: folder })
      .sort()
      .map(path => ({
        name: join(basename(dirname(path)), basename(path)),
        path: join(folder, path),
        readme: join(folder, dirname(path), 'README.md'),
      })),
  );
}

/** The formats of a kernel, or null where the collection is not there. */
export function formatFolder(kernel: string): string | null {
  const folder = join(COLLECTION, 'formats', kernel);
  return existsSync(folder) ? folder : null;
}

export function bytesOf({ path }: RecordingFile): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** The shipped recording of this name. */
export function shipped(name: string): Uint8Array {
  return gunzipSync(readFileSync(join(SHIPPED, `${name}.gz`)));
}
