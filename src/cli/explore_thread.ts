/** What a thread of threads.ts runs. */
import { workerData } from 'node:worker_threads';
import { help } from '../explore/crew.ts';
import type { Job } from '../explore/orders.ts';
import { isWalk, stroll } from '../explore/walks.ts';

const job: Job = workerData;
if (isWalk(job.options)) stroll(job);
else help(job);
