/** A booted machine whose threads are stepped by hand, in any order that a test wants. */
import { AT } from '../../src/sim/at.ts';
import { boot } from '../../src/sim/boot.ts';
import { createMachine, type Machine } from '../../src/sim/machine.ts';
import type { Program } from '../../src/sim/program.ts';
import { TASK_STATE, THREAD_KIND, type Thread, type Vcpu, type Work } from '../../src/sim/schema.ts';
import { STEP_TABLE } from '../../src/sim/steps.ts';
import { lowered } from '../lowered.ts';

/** One host, one VM, one vCPU and a heap of 64 pages; `guest` and `host` are put into their blocks. */
export function programOf(
  knobs = '',
  { host = '', guest = 'apf on', base = 'linux_6_12', vm = '', vcpus = 1 } = {},
): Program {
  return lowered(
    `
language 1
title "by hand"
host h { cpus 2; ram 1MiB; workers 4; swap d { size 1MiB; read fixed(100us); depth 4; readahead 8 pages }; ${host} }
variant mine extends ${base} { ${knobs} }
vm v on h { ram 512KiB; vcpus ${vcpus}; protocol mine; ${vm}; guest { heap 256KiB; ${guest}; task t on vcpu[0] user { loop { work 1ms } } } }
limit time 1ms
expect true
`,
    'mine',
  );
}

export class Hand {
  readonly m: Machine;
  readonly vcpu: Vcpu;
  readonly thread: Thread;

  constructor(program: Program) {
    this.m = createMachine(program);
    boot(this.m);
    this.vcpu = this.m.vcpus[0]!;
    this.thread = this.m.threads[this.m.places.vcpus[0]!.thread]!;
  }

  worker(number: number): Thread {
    return this.m.threads[this.m.places.hosts[0]!.workers[number]!]!;
  }

  /** Has a thread stand before a step. */
  put(thread: Thread, at: keyof typeof AT): void {
    thread.at = AT[at];
  }

  /** One step of a thread. */
  step(thread: Thread): void {
    this.m.clock.current_thread = thread.id;
    thread.at = STEP_TABLE[thread.at]!(this.m, thread);
  }

  /** Steps until the thread stands before a step, or sleeps. */
  runTo(thread: Thread, at: keyof typeof AT, most = 100): void {
    for (let n = 0; n < most && thread.at !== AT[at] && thread.task_state === TASK_STATE.RUNNING; n += 1)
      this.step(thread);
  }

  /** A work item of the vCPU for a page, as a fault sets it up, on queue. */
  item(page: number): Work {
    const work = this.m.works.find(each => each.used === 0)!;
    work.used = 1;
    work.vcpu = this.vcpu.id + 1;
    work.page = page;
    work.cr2_or_gpa = (0x1000 + page) * 4096;
    work.gfn = 0x1000 + page;
    work.token = 0x1000 * (page + 1);
    this.vcpu.apf_queue.push(work.id);
    this.vcpu.apf_queued += 1;
    this.m.vms[0]!.mm_users += 1;
    this.m.vms[0]!.users_count += 1;
    return work;
  }

  /** A worker that has fetched the item's page and is about to put it on done. */
  workerWith(work: Work, number = 0): Thread {
    const worker = this.worker(number);
    worker.kind = THREAD_KIND.kworker;
    worker.work = work.id + 1;
    worker.vcpu = work.vcpu;
    worker.page = work.page;
    worker.task_state = TASK_STATE.RUNNING;
    worker.at = AT['async_pf_execute.append'];
    return worker;
  }
}
