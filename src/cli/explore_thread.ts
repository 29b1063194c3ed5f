/** What a thread of threads.ts runs. */
import { workerData } from 'node:worker_threads';
import { help } from '../explore/crew.ts';

help(workerData);
