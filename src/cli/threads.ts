/** Threads that help an exploration: a part of the bundle of its own, or the source, wherever we come from. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Job, Threads } from '../explore/orders.ts';

/** Beside the bundle, and beside the sources. */
const PARTS = ['explorer.js', 'explore_thread.ts'];

export function newThreads(): Threads {
  const folder = import.meta.dirname;
  const file = PARTS.map(name => join(folder, name)).find(existsSync);
  let died: string | null = null;
  return {
    start(job: Job) {
      if (file === undefined) throw new Error(`no ${PARTS.join(' or ')} in ${folder}`);
      const worker = new Worker(file, { workerData: job });
      worker.on('error', error => {
        died = error.message;
      });
      // Whoever is done with the exploration does not wait for a thread that still says so.
      worker.unref();
    },
    get died() {
      return died;
    },
  };
}
